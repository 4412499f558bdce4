"""The age of books."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.domain.opportunities import HopKind, Reason
from engine.domain.units import NS_PER_MS
from engine.market.board import Board

AGE_MS: Final = Term(
    name="age_ms_max",
    unit="ms",
    default=Decimal(10_000),
    section="markets",
    is_whole=True,
    loosens_running=False,
)


@dataclass(slots=True)
class StaleLimit:
    """All books must be live and young enough at the decision."""

    board: Board
    limits: LimitSet
    name: str = "book age"
    unit: str = AGE_MS.unit
    term: ClassVar[Term | None] = AGE_MS
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.STALE_BOOK,)
    oldest_ms: int = 0

    @classmethod
    def make(cls, run: Circumstances) -> "StaleLimit":
        """Make it for a run."""
        return cls(run.board, run.limits)

    @property
    def limit(self) -> str:
        """Greatest age."""
        return f"{self.limits[AGE_MS]:f}"

    def used(self, at_ns: int) -> str:
        """Greatest age of a book that was let through."""
        del at_ns
        return str(self.oldest_ms)

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a route with a stale book."""
        oldest_ms = self.oldest_ms
        age_ms_max = int(self.limits[AGE_MS])
        for hop in draft.opportunity.hops:
            if hop.kind is not HopKind.BOOK:
                continue
            book = hop.row
            age_ms = (at_ns - self.board.changed_at_ns(book)) // NS_PER_MS
            limit_ns = age_ms_max * NS_PER_MS
            if not self.board.is_fresh(book, at_ns=at_ns, age_ns_max=limit_ns):
                what = f"age {age_ms} ms, limit {age_ms_max} ms"
                if not self.board.is_live(book):
                    what = "not live"
                instrument = self.board.instruments[book]
                return Finding(reason=Reason.STALE_BOOK, detail=f"{instrument}: {what}")
            oldest_ms = max(oldest_ms, age_ms)
        self.oldest_ms = oldest_ms
        return None
