"""What is left over, and what closing each of it would cost now: `/flatten`."""

from decimal import Decimal

from engine.bus.closings import ClosingLine, ClosingsReport
from engine.decide.bounds.book_age import AGE_MS
from engine.decide.limit_list import UNWIND_BAND_BPS
from engine.domain.assets import AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import BuyFee
from engine.domain.modes import Money
from engine.domain.orders import Order
from engine.domain.residuals import Residual
from engine.domain.units import NS_PER_MS
from engine.execute.closing import Closing, reckon_closing
from engine.execute.unwinding import UnwindRules
from engine.operate.core_parts import Core
from engine.portfolio.costs import EXACT, Costs


def make_closings(core: Core, at_ns: int) -> ClosingsReport:
    """Return all leftovers, those of live money first."""
    limits = core.decider.limits
    costs = Costs(
        fee_bps_taker=core.fees.in_force,
        base_fee_venues=frozenset(
            venue
            for venue, one in core.header.terms.venues.items()
            if one.buy_fee is BuyFee.BASE
        ),
    )
    lines = []
    for money, positions in ((Money.LIVE, core.live.positions), (Money.PAPER, core.positions)):
        for left in positions.residuals:
            found = reckon_closing(
                left,
                core.board,
                costs=costs,
                rules=UnwindRules(band_bps=limits[UNWIND_BAND_BPS]),
                age_ns_max=int(limits.by_settings(AGE_MS)) * NS_PER_MS,
                at_ns=at_ns,
            )
            lines.append(_line(core, left, found, money, at_ns))
    return ClosingsReport(basis=core.basis, band_bps=limits[UNWIND_BAND_BPS], closings=lines)


def _line(
    core: Core, left: Residual, found: Closing | str, money: Money, at_ns: int
) -> ClosingLine:
    if isinstance(found, str):
        return ClosingLine(
            venue=left.venue,
            asset=left.held.asset,
            held=left.held.value,
            carry_asset=left.carry.asset,
            carry=left.carry.value,
            money=money,
            why_not=found,
        )
    order = found.order
    fee, fee_asset = _fee(order)
    usd = core.valuation.usd_per(left.carry.asset, at_ns)
    return ClosingLine(
        venue=left.venue,
        asset=left.held.asset,
        held=left.held.value,
        carry_asset=left.carry.asset,
        carry=left.carry.value,
        money=money,
        side=order.side.value,
        size_base=order.size_base,
        filled_base=order.filled_base,
        price=EXACT.divide(order.notional_quote, order.filled_base) if order.fills else None,
        price_limit=order.price_limit,
        fee=fee,
        fee_asset=fee_asset,
        realised=found.realised,
        realised_usd=None if usd is None else exact_product(found.realised, usd),
    )


def _fee(order: Order) -> tuple[Decimal, AssetCode]:
    """Return what the fills pay; a venue takes it all in one asset."""
    pair = order.instrument.pair
    if base := exact_sum(fill.fee_base for fill in order.fills):
        return base, pair.base
    return exact_sum(fill.fee_quote for fill in order.fills), pair.quote
