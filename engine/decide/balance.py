"""The balance limit: a plan draws on what its venues hold, as an exchange's account would."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import ClassVar

from engine.decide.circumstances import Circumstances
from engine.decide.limit_set import Term
from engine.decide.limits import Draft, Finding, ShrinkTo, Verdict
from engine.decide.under_way import Need, PlansUnderWay
from engine.domain.holdings import Place
from engine.domain.opportunities import Reason
from engine.portfolio.costs import EXACT
from engine.portfolio.inventory import Inventory

PART_MIN = Decimal("0.01")
"""Part of a draft below which it is refused, not cut: crumbs only cost fees and attention."""

DIGITS = 4
CENTS = 2
_ZERO = Decimal(0)


@dataclass(slots=True)
class BalanceLimit:
    """What a leg draws on must be there and not be reserved; a larger draft is cut to it.

    A buy draws on the quote at its venue, fee included, a sell on the base at its own.
    """

    inventory: Inventory
    under_way: PlansUnderWay
    name: str = "balance"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.BALANCE_TOO_LOW,)
    limit: str = "what each venue holds"

    @classmethod
    def make(cls, run: Circumstances) -> "BalanceLimit":
        """Make it for a run."""
        return cls(run.inventory, run.under_way)

    def used(self, at_ns: int) -> str:
        """Name the place that is drawn on most, and how much of its start is left."""
        del at_ns
        lefts = [
            (self.free(one.place) / one.started.value, one.place)
            for one in self.inventory.holdings
            if one.started.value
        ]
        if not lefts:
            return "nothing held yet"
        left, (venue, asset) = min(lefts)
        return f"{max(left, Decimal(0)):.0%} left: {venue} {asset}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Cut a draft to what its scarcer leg can draw on; refuse it if next to nothing fits."""
        del at_ns
        figures = draft.figures
        assert figures is not None
        verdict: ShrinkTo | None = None
        fixed = dict(figures.fixed)
        for place, needed in fixed.items():
            if needed > (free := self.free(place)):
                detail = self._detail(place, free, needed)
                return Finding(reason=Reason.BALANCE_TOO_LOW, detail=detail)
        for place, needed in _sums(figures.needs):
            free = EXACT.subtract(self.free(place), fixed.get(place, _ZERO))
            if needed <= free:
                continue
            detail = self._detail(place, free, needed)
            if free < needed * PART_MIN or not figures.is_scalable:
                return Finding(reason=Reason.BALANCE_TOO_LOW, detail=detail)
            size = EXACT.divide(EXACT.multiply(figures.size_base, free), needed)
            if verdict is None or size < verdict.size_base:
                verdict = ShrinkTo(size_base=size, reason=Reason.BALANCE_TOO_LOW, detail=detail)
        return verdict

    def free(self, place: Place) -> Decimal:
        """Return what is there and not reserved."""
        return EXACT.subtract(self.inventory.held(place), self.under_way.reserved(place))

    def _detail(self, place: Place, free: Decimal, needed: Decimal) -> str:
        venue, asset = place
        places = max(CENTS, DIGITS - 1 - needed.adjusted())
        step = Decimal(1).scaleb(-places)
        has = free.quantize(step, ROUND_FLOOR, EXACT)
        wants = needed.quantize(step, ROUND_CEILING, EXACT)
        reserved = self.under_way.reserved(place).quantize(step, ROUND_CEILING, EXACT)
        beside = f" free ({reserved:f} reserved)" if reserved else ""
        return f"{venue.capitalize()} holds {has:f} {asset}{beside} of the {wants:f} needed"


def _sums(needs: Iterable[Need]) -> Iterable[Need]:
    """Add up what several parts of a plan draw on at one place."""
    sums: dict[Place, Decimal] = {}
    for place, needed in needs:
        sums[place] = EXACT.add(sums.get(place, _ZERO), needed)
    return sums.items()
