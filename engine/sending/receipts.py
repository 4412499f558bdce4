"""What a landed transaction came to, to the wei: by the balance that gains go to, and its receipt.

Events are compared, not believed: where they say another gain than the balance a person is told,
and the balance counts.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.domain.orders import Receipt, Swap
from engine.domain.plans import AtomicPlan, OnChain
from engine.domain.routes_on_chain import BPS, ChainRoute, V4Hop, VaultHop
from engine.domain.told import Fate
from engine.domain.units import NATIVE_DECIMALS, NS_PER_S
from engine.portfolio.costs import EXACT, ceil_to_quote_step
from engine.sending.calls import Moved
from engine.sending.facts import Landed


class GainSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction brought to where gains go.

    Attributes:
        kept_raw: by the balance there, before and after its block.
        moved: transfers that its receipt tells of.
        others_raw: what other transactions of ours in the block brought there, by their receipts.
    """

    kept_raw: int
    moved: tuple[Moved, ...]
    others_raw: int = 0


def receipt_of(
    plan: AtomicPlan,
    route: ChainRoute,
    landed: Landed,
    seen: GainSeen | None,
    *,
    fate: Fate,
    landed_ts: int,
    recovery: str,
    lost: str = "",
) -> tuple[Receipt, str]:
    """Return what the plan's transaction came to, and what is odd about it, empty if nothing is.

    Args:
        plan: that was carried out.
        route: what was signed for it.
        landed: what the chain shows.
        seen: what it brought; None where it did nothing.
        fate: what became of it.
        landed_ts: Unix time of its block in seconds.
        recovery: where gains go.
        lost: why it was in no block that it was meant for, if somebody says.
    """
    paid_wei = landed.gas_used * landed.gas_price_wei + landed.data_fee_wei
    if fate is not Fate.SUCCEEDED or seen is None:
        why = "reverted"
        if fate is not Fate.REVERTED:
            why = f"cancelled: {lost or 'it was too late for it'}"
        return (
            _receipt(
                plan, landed, landed_ts, swaps=(), gas_wei=paid_wei, flash_fee=Decimal(0), why=why
            ),
            "",
        )
    kept_raw = seen.kept_raw - seen.others_raw
    told_raw = gained_raw(route, seen.moved, recovery)
    odd = ""
    if told_raw != kept_raw:
        odd = f"{plan.plan_id} brought {kept_raw} units by the balance, {told_raw} by its events"
    tip_raw = kept_raw * route.tip_bps // (BPS - route.tip_bps) if route.tip_bps else 0
    swaps = _swaps(plan, route, seen.moved, kept_raw + tip_raw)
    fee = Decimal(route.source.fee_raw).scaleb(-plan.steps[0].decimals_in)
    receipt = _receipt(
        plan,
        landed,
        landed_ts,
        swaps=swaps,
        gas_wei=paid_wei + tip_raw,  # the builder's share is what its place costs, as gas is
        flash_fee=fee,
        tip_wei=tip_raw,
        why="",
    )
    return receipt, odd


def gained_raw(route: ChainRoute, moved: Sequence[Moved], recovery: str) -> int:
    """Return what a transaction's events say that it brought to where gains go."""
    return sum(
        one.amount_raw
        for one in moved
        if one.token == route.source.token and one.target == recovery
    )


def _swaps(
    plan: AtomicPlan, route: ChainRoute, moved: Sequence[Moved], gain_raw: int
) -> tuple[Swap, ...]:
    """Return what each step gave: between pools by what they sent, the last by what was gained."""
    swaps = []
    amount_in = plan.steps[0].amount_in
    fee = Decimal(route.source.fee_raw).scaleb(-plan.steps[0].decimals_in)
    for index, (step, hop) in enumerate(zip(plan.steps, route.hops, strict=True)):
        is_last = index == len(plan.steps) - 1
        sent_raw = sum(
            one.amount_raw for one in moved if one.token == hop.token_out and one.source == hop.pool
        )
        if is_last:
            gain = Decimal(gain_raw).scaleb(-step.decimals_out)
            amount_out = plan.steps[0].amount_in + fee + gain
        elif sent_raw and not isinstance(hop, V4Hop | VaultHop):
            amount_out = Decimal(sent_raw).scaleb(-step.decimals_out)
        else:  # one contract holds many pools: what this one gave no event says
            amount_out = step.amount_out
        swaps.append(
            Swap(
                venue=step.venue,
                address=step.address,
                source=step.source,
                target=step.target,
                amount_in=amount_in,
                amount_out=amount_out,
                frame_seq=step.frame_seq,
            )
        )
        amount_in = amount_out
    return tuple(swaps)


def _receipt(
    plan: AtomicPlan,
    landed: Landed,
    landed_ts: int,
    *,
    swaps: tuple[Swap, ...],
    gas_wei: int,
    flash_fee: Decimal,
    why: str,
    tip_wei: int = 0,
) -> Receipt:
    gas = Decimal(gas_wei).scaleb(-NATIVE_DECIMALS)
    return Receipt(
        why=why,
        swaps=swaps,
        flash_fee=flash_fee,
        gas_asset=plan.gas.asset,
        gas=gas,
        gas_quote=gas_quote(plan, gas),
        landed_at_ns=landed_ts * NS_PER_S,
        block=landed.block,
        tip=Decimal(tip_wei).scaleb(-NATIVE_DECIMALS),
    )


def gas_quote(plan: OnChain, gas: Decimal) -> Decimal:
    """Return gas in the asset of the route, at the rate of the plan."""
    bound = plan.gas
    if bound.asset == plan.opportunity.quote:
        return gas
    if not bound.amount:
        return bound.quote
    return ceil_to_quote_step(EXACT.divide(bound.quote * gas, bound.amount))
