"""How long ago a book was proven whose feed cannot show that a change was lost."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.domain.opportunities import HopKind, Opportunity, Reason
from engine.domain.units import NS_PER_S
from engine.market.board import Board

UNPROVEN_S: Final = Term(name="unproven_s_max", unit="s", default=Decimal(30), is_whole=True)


@dataclass(slots=True)
class ProofLimit:
    """Books whose feed cannot show that a change was lost must have been proven lately."""

    board: Board
    limits: LimitSet
    name: str = "unproven book"
    unit: str = UNPROVEN_S.unit
    term: ClassVar[Term | None] = UNPROVEN_S
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.UNPROVEN_BOOK,)
    longest_ns: int = 0

    @classmethod
    def make(cls, run: Circumstances) -> "ProofLimit":
        """Make it for a run."""
        return cls(run.board, run.limits)

    @property
    def limit(self) -> str:
        """Longest time."""
        return f"{self.limits[UNPROVEN_S]:f}"

    def used(self, at_ns: int) -> str:
        """Longest time that was let through."""
        del at_ns
        return f"{self.longest_ns / NS_PER_S:.1f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a route through a book that nobody has compared for too long."""
        found = longest_unproven(self.board, draft.opportunity, at_ns)
        if found is None:
            return None
        unproven_ns, book = found
        unproven_s_max = int(self.limits[UNPROVEN_S])
        if unproven_ns <= unproven_s_max * NS_PER_S:
            self.longest_ns = max(self.longest_ns, unproven_ns)
            return None
        since = f"last proven equal {unproven_ns / NS_PER_S:.1f} s ago"
        return Finding(
            reason=Reason.UNPROVEN_BOOK,
            detail=f"{self.board.instruments[book]}: {since}, limit {unproven_s_max} s",
        )


def longest_unproven(board: Board, seen: Opportunity, at_ns: int) -> tuple[int, int] | None:
    """Return the longest time since one of its books was proven, and which; None if none need be.

    Books whose feed proves by itself that no change was lost need no other proof.
    """
    times = [
        (unproven_ns, hop.row)
        for hop in seen.hops
        if hop.kind is HopKind.BOOK
        and (unproven_ns := board.unproven_ns(hop.row, at_ns)) is not None
    ]
    return max(times, default=None)
