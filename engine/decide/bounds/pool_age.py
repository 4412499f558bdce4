"""The age of pools: a state of the newest block, of a chain that has had one lately enough.

And of which no webhook has told that the next block moves it far: that is no state to trade on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.domain.opportunities import HopKind, Reason


@dataclass(slots=True)
class StalePoolLimit:
    """All pools must be known, and their chains must have had a block lately, at the decision."""

    is_pool_fresh: Callable[[int, int], bool]
    is_told_ahead: Callable[[int, int], bool]
    name: str = "pool age"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.STALE_POOL,)
    limit: str = "newest block"

    @classmethod
    def make(cls, run: Circumstances) -> "StalePoolLimit":
        """Make it for a run."""
        return cls(run.is_pool_fresh, run.is_told_ahead)

    def used(self, at_ns: int) -> str:
        """Say what holds of every pool that was let through."""
        del at_ns
        return "-"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a route with a stale pool."""
        for hop in draft.opportunity.hops:
            if hop.kind is not HopKind.POOL:
                continue
            if not self.is_pool_fresh(hop.row, at_ns):
                detail = f"{hop.place} at {hop.venue}: its state of the newest block is not known"
                return Finding(reason=Reason.STALE_POOL, detail=detail)
            if self.is_told_ahead(hop.row, at_ns):
                detail = (
                    f"{hop.place} at {hop.venue}: a webhook told a large swap in the next block"
                )
                return Finding(reason=Reason.STALE_POOL, detail=detail)
        return None
