"""Decision values of an opportunity: what it gains, at worst, and what would kill it."""

from collections.abc import Mapping
from decimal import Decimal

from engine.detect.graph.moved_pair import KnownPool
from engine.domain.gas import GasPrice
from engine.domain.opportunities import HopKind, Opportunity
from engine.domain.units import BPS_PER_UNIT
from engine.market.gas_book import GasBook
from engine.portfolio.costs import gas_amounts
from engine.quote.decision_values import DecisionValues, RouteCosts, values_of


def values_of_opportunity(
    seen: Opportunity,
    *,
    pools: Mapping[int, KnownPool],
    slippage_bps: Decimal,
    transfer_bps: Decimal,
    flash_fee_bps: Decimal,
    gas: GasBook,
) -> DecisionValues:
    """Work out the values of an opportunity, in its quote asset.

    Args:
        seen: as screened; its legs' amounts have the fees within.
        pools: the run's pools, for the gas of a swap.
        slippage_bps: how much less than expected each leg may give.
        transfer_bps: for leaving a venue and coming back.
        flash_fee_bps: on the input of a route through pools of one chain.
        gas: prices by chain, at which the opportunity's gas was reckoned.
    """
    share_bps = (
        flash_fee_bps if seen.is_on_one_chain else transfer_bps * Decimal(seen.venue_changes) / 2
    )
    gas_units = sum(
        pools[hop.row].pool.gas_units
        for hop in seen.hops
        if hop.kind is HopKind.POOL and hop.row in pools
    )
    chains = {hop.chain for hop in seen.hops if hop.kind is HopKind.POOL}
    has_bridge = any(hop.kind is HopKind.BRIDGE for hop in seen.hops)
    # Nobody can tell then which part of the fixed costs is whose gas.
    is_mixed = has_bridge or len(chains) > 1
    price = gas.price(min(chains, default="")) or GasPrice(gwei=Decimal(0))
    fixed = Decimal(seen.gas_quote) if is_mixed else Decimal(0)
    costs = RouteCosts(flash_fee_ratio=share_bps / BPS_PER_UNIT, fixed_cost=fixed)
    legs = sum(hop.kind is HopKind.POOL for hop in seen.hops)
    native, data_native = gas_amounts(price, gas_units, legs)
    if native and seen.gas_quote and not is_mixed:
        native_price = Decimal(seen.gas_quote) / native
        costs = RouteCosts(
            flash_fee_ratio=share_bps / BPS_PER_UNIT,
            gas_units=gas_units,
            gas_price_gwei=price.gwei,
            native_price=native_price,
            data_fee=data_native * native_price,
        )
    return values_of(
        amount_in=Decimal(seen.hops[0].amount_in),
        amount_out=Decimal(seen.hops[-1].amount_out),
        costs=costs,
        slippage_bps=[slippage_bps] * len(seen.hops),
    )
