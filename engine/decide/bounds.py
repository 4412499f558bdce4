"""Bounds: limits with a number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.decide.limits import Draft, Finding, LimitValues, ShrinkTo, Verdict
from engine.decide.order_rate import OrderRate
from engine.decide.under_way import PlansUnderWay
from engine.domain.assets import AssetCode
from engine.domain.opportunities import HopKind, Leg, Opportunity, Reason
from engine.domain.units import BPS_PER_UNIT, NS_PER_MS, NS_PER_S
from engine.market.board import Board
from engine.market.valuation import Valuation
from engine.portfolio.leftovers import Valued
from engine.portfolio.positions import Positions


@dataclass(slots=True)
class StaleLimit:
    """All books must be live and young enough at the decision."""

    board: Board
    age_ms_max: int
    name: str = "book age"
    unit: str = "ms"
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.STALE_BOOK,)
    oldest_ms: int = 0

    @property
    def limit(self) -> str:
        """Greatest age."""
        return str(self.age_ms_max)

    def used(self, at_ns: int) -> str:
        """Greatest age of a book that was let through."""
        del at_ns
        return str(self.oldest_ms)

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a route with a stale book."""
        oldest_ms = self.oldest_ms
        for hop in draft.opportunity.hops:
            if hop.kind is not HopKind.BOOK:
                continue
            book = hop.row
            age_ms = (at_ns - self.board.changed_at_ns(book)) // NS_PER_MS
            limit_ns = self.age_ms_max * NS_PER_MS
            if not self.board.is_fresh(book, at_ns=at_ns, age_ns_max=limit_ns):
                what = f"age {age_ms} ms, limit {self.age_ms_max} ms"
                if not self.board.is_live(book):
                    what = "not live"
                instrument = self.board.instruments[book]
                return Finding(reason=Reason.STALE_BOOK, detail=f"{instrument}: {what}")
            oldest_ms = max(oldest_ms, age_ms)
        self.oldest_ms = oldest_ms
        return None


@dataclass(slots=True)
class ProofLimit:
    """Books whose feed cannot show that a change was lost must have been proven lately."""

    board: Board
    unproven_s_max: int
    name: str = "unproven book"
    unit: str = "s"
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.UNPROVEN_BOOK,)
    longest_ns: int = 0

    @property
    def limit(self) -> str:
        """Longest time."""
        return str(self.unproven_s_max)

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
        if unproven_ns <= self.unproven_s_max * NS_PER_S:
            self.longest_ns = max(self.longest_ns, unproven_ns)
            return None
        since = f"last proven equal {unproven_ns / NS_PER_S:.1f} s ago"
        return Finding(
            reason=Reason.UNPROVEN_BOOK,
            detail=f"{self.board.instruments[book]}: {since}, limit {self.unproven_s_max} s",
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


@dataclass(slots=True)
class EdgeLimit:
    """The exact net edge must reach the minimum."""

    edge_bps_min: Decimal
    name: str = "least net edge"
    unit: str = "bps"
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.EDGE_BELOW_MIN, Reason.LIQUIDITY_TAKEN)
    least_bps: Decimal | None = None

    @property
    def limit(self) -> str:
        """Least edge."""
        return f"{self.edge_bps_min:f}"

    def used(self, at_ns: int) -> str:
        """Least edge that was let through."""
        del at_ns
        return "-" if self.least_bps is None else f"{self.least_bps:.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a lower edge, and any loss."""
        del at_ns
        confirmed = draft.confirmed
        assert confirmed is not None
        edge_bps = confirmed.net_edge_bps
        if edge_bps >= self.edge_bps_min and confirmed.profit_quote > 0:
            self.least_bps = edge_bps if self.least_bps is None else min(edge_bps, self.least_bps)
            return None
        reason = Reason.LIQUIDITY_TAKEN if confirmed.touches_taken else Reason.EDGE_BELOW_MIN
        return Finding(
            reason=reason, detail=f"edge {edge_bps} bps, least {self.edge_bps_min:f} bps"
        )


@dataclass(slots=True)
class PositionLimit:
    """Residuals, plans under way and the draft together; a larger draft is shrunk to fit."""

    position_usd_max: Decimal
    positions: Positions
    under_way: PlansUnderWay
    valuation: Valuation
    name: str = "position"
    unit: str = "USD"
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.POSITION_LIMIT,)

    @property
    def limit(self) -> str:
        """Greatest position."""
        return f"{self.position_usd_max:f}"

    def used(self, at_ns: int) -> str:
        """Residuals and plans under way."""
        left = self._left_over(at_ns)
        if left.unknown is not None:
            return "unknown"
        return f"{left.usd + self.under_way.total_usd:.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse if nothing fits, shrink if less fits."""
        confirmed = draft.confirmed
        assert confirmed is not None
        left = self._left_over(at_ns)
        if left.unknown is not None:
            return _unknown(left.unknown)
        if left.unpriced and (more := left.unpriced.intersection(_left_by(confirmed.legs))):
            return Finding(
                reason=Reason.NO_USD_PRICE,
                detail=f"more than dust of {', '.join(sorted(more))} is left over and has no USD "
                "price now; nothing may be added to it",
            )
        used_usd = left.usd + self.under_way.total_usd
        room_usd = self.position_usd_max - used_usd
        if draft.exposure_usd <= room_usd:
            return None
        return ShrinkTo(
            size_base=max(confirmed.size_base * room_usd / draft.exposure_usd, Decimal(0)),
            reason=Reason.POSITION_LIMIT,
            detail=f"used {used_usd:.2f} USD, limit {self.position_usd_max:f} USD",
        )

    def _left_over(self, at_ns: int) -> Valued:
        def usd_per(asset: AssetCode) -> Decimal | None:
            return self.valuation.usd_per(asset, at_ns)

        return self.positions.exposure(usd_per, at_ns)


def _left_by(legs: Sequence[Leg]) -> Iterator[AssetCode]:
    """Yield what a plan may leave over: each asset between two legs."""
    return (leg.target for leg in legs[:-1])


def _unknown(asset: AssetCode) -> Finding:
    return Finding(
        reason=Reason.NO_USD_PRICE, detail=f"{asset} is left over and no USD price of it is known"
    )


@dataclass(slots=True)
class DailyLossLimit:
    """Today's realised pnl, marked residuals, and what plans under way may lose."""

    values: LimitValues
    positions: Positions
    under_way: PlansUnderWay
    valuation: Valuation
    name: str = "daily loss"
    unit: str = "USD"
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.DAILY_LOSS_LIMIT,)

    @property
    def limit(self) -> str:
        """Greatest loss of a UTC day."""
        return f"{self.values.daily_loss_usd_max:f}"

    def used(self, at_ns: int) -> str:
        """Loss so far; 0 on a day with a gain."""
        marked = self._marked(at_ns)
        if marked.unknown is not None:
            return "unknown"
        return f"{max(self._loss_usd(marked, at_ns), Decimal(0)):.2f}"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse what could bring the day's loss over the limit."""
        marked = self._marked(at_ns)
        if marked.unknown is not None:
            return _unknown(marked.unknown)
        loss_usd = self._loss_usd(marked, at_ns)
        at_risk_usd = draft.exposure_usd + self.under_way.total_usd
        reserve_usd = at_risk_usd * self.values.loss_reserve_bps / BPS_PER_UNIT
        if loss_usd + reserve_usd <= self.values.daily_loss_usd_max:
            return None
        return Finding(
            reason=Reason.DAILY_LOSS_LIMIT,
            detail=f"lost {loss_usd:.2f} USD today, at risk {reserve_usd:.2f} USD, "
            f"limit {self.values.daily_loss_usd_max:f} USD",
        )

    def _marked(self, at_ns: int) -> Valued:
        def usd_per(asset: AssetCode) -> Decimal | None:
            return self.valuation.usd_per(asset, at_ns)

        return self.positions.marked(usd_per, at_ns)

    def _loss_usd(self, marked: Valued, at_ns: int) -> Decimal:
        return -self.positions.realised_usd(at_ns) - marked.usd


@dataclass(slots=True)
class OrderRateLimit:
    """Orders sent within any minute."""

    rate: OrderRate
    orders_per_min_max: int
    name: str = "order rate"
    unit: str = "a minute"
    is_early: bool = False
    reasons: tuple[Reason, ...] = (Reason.ORDER_RATE_LIMIT,)

    @property
    def limit(self) -> str:
        """Most orders a minute."""
        return str(self.orders_per_min_max)

    def used(self, at_ns: int) -> str:
        """Orders of the last minute."""
        return str(self.rate.last_minute(at_ns))

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse if the plan's legs would be too many."""
        confirmed = draft.confirmed
        assert confirmed is not None
        used = self.rate.last_minute(at_ns)
        if used + len(confirmed.legs) <= self.orders_per_min_max:
            return None
        return Finding(
            reason=Reason.ORDER_RATE_LIMIT,
            detail=f"{used} orders in the last minute, limit {self.orders_per_min_max}",
        )
