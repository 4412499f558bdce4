"""The most that may be under way or left over at one venue, of money that is really placed."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from engine.decide.circumstances import Circumstances
from engine.decide.exchanges import Exchanges
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, ShrinkTo, Verdict, unknown_price
from engine.decide.under_way import PlansUnderWay
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Money
from engine.domain.opportunities import Reason
from engine.market.valuation import Valuation
from engine.portfolio.leftovers import Valued
from engine.portfolio.positions import Positions

EXPOSURE_USD: Final = Term(name="venue_exposure_usd", unit="USD", default=Decimal(1_000))


@dataclass(slots=True)
class VenueExposureLimit:
    """What is left over at a venue, what is under way there, and the draft; it is shrunk to fit."""

    limits: LimitSet
    exchanges: Exchanges
    positions: Positions
    under_way: PlansUnderWay
    valuation: Valuation
    is_live: bool
    name: str = "venue exposure"
    unit: str = EXPOSURE_USD.unit
    term: ClassVar[Term | None] = EXPOSURE_USD
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.VENUE_EXPOSURE,)

    @classmethod
    def make(cls, run: Circumstances) -> "VenueExposureLimit":
        """Make it for a run."""
        is_live = run.money is Money.LIVE
        return cls(
            run.limits,
            run.exchanges,
            run.positions,
            run.under_way,
            run.valuation,
            is_live,
        )

    @property
    def limit(self) -> str:
        """Most at any one venue; the settings may have less for some."""
        return f"{self.limits[EXPOSURE_USD]:f}"

    def used(self, at_ns: int) -> str:
        """The most there is at any venue, and where."""
        if not self.is_live:
            return "on paper"
        venues = {one.venue for one in self.positions.residuals} | self.under_way.venues
        found = [(self._left_over(venue, at_ns), venue) for venue in venues]
        if any(left.unknown is not None for left, _ in found):
            return "unknown"
        used = [(left.usd + self.under_way.usd_at(venue), venue) for left, venue in found]
        most = max(used, default=None)
        return "0" if most is None else f"{most[0]:.2f} at {most[1]}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse if nothing fits at one of its venues, shrink if less fits."""
        figures = draft.figures
        assert figures is not None
        if not self.is_live:
            return None
        verdict: ShrinkTo | None = None
        for venue, usd in figures.usd_at.items():
            left = self._left_over(venue, at_ns)
            if left.unknown is not None:
                return unknown_price(left.unknown)
            used_usd = left.usd + self.under_way.usd_at(venue)
            most_usd = min(self.limits[EXPOSURE_USD], self.exchanges.exposure_usd(venue))
            room_usd = most_usd - used_usd
            if usd <= room_usd:
                continue
            detail = f"used {used_usd:.2f} USD at {venue}, limit {most_usd:f} USD"
            if not figures.is_scalable:
                return Finding(reason=Reason.VENUE_EXPOSURE, detail=detail)
            size = max(figures.size_base * room_usd / usd, Decimal(0))
            if verdict is None or size < verdict.size_base:
                verdict = ShrinkTo(size_base=size, reason=Reason.VENUE_EXPOSURE, detail=detail)
        return verdict

    def _left_over(self, venue: VenueId, at_ns: int) -> Valued:
        def usd_per(asset: AssetCode) -> Decimal | None:
            return self.valuation.usd_per(asset, at_ns)

        return self.positions.exposure_at(venue, usd_per, at_ns)
