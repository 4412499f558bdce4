"""What a landed swap came to, to the unit: by the wallet's balances of both tokens.

Events are compared, not believed: where they say otherwise than the balances a person is told, and
the balances count.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from engine.domain.orders import Receipt, Swap
from engine.domain.plans import MixedPlan
from engine.domain.routes_on_chain import ChainHop, ChainSwap, V4Hop, VaultHop
from engine.domain.units import NATIVE_DECIMALS, NS_PER_S
from engine.sending.calls import Moved
from engine.sending.facts import Landed
from engine.sending.receipts import gas_quote


class TurnSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction took of the wallet and brought to it.

    Attributes:
        given_raw, received_raw: by its balances of both tokens, before and after the block.
        moved: transfers that its receipt tells of.
        others: those of other transactions of ours in the block, by their receipts.
    """

    given_raw: int
    received_raw: int
    moved: tuple[Moved, ...]
    others: tuple[Moved, ...] = ()


def swap_receipt_of(
    plan: MixedPlan,
    swap: ChainSwap,
    landed: Landed,
    seen: TurnSeen | None,
    *,
    wallet: str,
    landed_ts: int,
    why: str = "",
) -> tuple[Receipt, str]:
    """Return what a plan's swap came to, and what is odd about it, empty if nothing is.

    Args:
        plan: with the amounts that were traded.
        swap: what was signed for it.
        landed: what the chain shows.
        seen: what it took and brought; None where it did nothing.
        wallet: that gave and received, in lower case.
        landed_ts: Unix time of its block in seconds.
        why: it did nothing, in words.
    """
    gas = Decimal(landed.gas_used * landed.gas_price_wei + landed.data_fee_wei)
    gas = gas.scaleb(-NATIVE_DECIMALS)
    swaps: tuple[Swap, ...] = ()
    odd = ""
    if seen is not None:
        given_raw = seen.given_raw - left_raw(seen.others, swap.token_in, wallet)
        received_raw = seen.received_raw + left_raw(seen.others, swap.token_out, wallet)
        told_given_raw = left_raw(seen.moved, swap.token_in, wallet)
        told_received_raw = -left_raw(seen.moved, swap.token_out, wallet)
        if (given_raw, received_raw) != (told_given_raw, told_received_raw):
            odd = (
                f"{plan.plan_id} took {given_raw} units and brought {received_raw} by the balances,"
                f" {told_given_raw} and {told_received_raw} by its events"
            )
        swaps = _swaps(plan, swap, seen.moved, given_raw, received_raw)
    receipt = Receipt(
        why=why,
        swaps=swaps,
        flash_fee=Decimal(0),
        gas_asset=plan.gas.asset,
        gas=gas,
        gas_quote=gas_quote(plan, gas),
        landed_at_ns=landed_ts * NS_PER_S,
        block=landed.block,
    )
    return receipt, odd


def left_raw(moved: Sequence[Moved], token: str, wallet: str) -> int:
    """Return what transfers took of a wallet's token, what they brought taken off."""
    return sum(
        one.amount_raw * ((one.source == wallet) - (one.target == wallet))
        for one in moved
        if one.token == token
    )


def _swaps(
    plan: MixedPlan, swap: ChainSwap, moved: Sequence[Moved], given_raw: int, received_raw: int
) -> tuple[Swap, ...]:
    """Return what each step took and gave: at the ends by the wallet, between by the events."""
    swaps = []
    amount_in = Decimal(given_raw).scaleb(-plan.steps[0].decimals_in)
    for index, (step, hop) in enumerate(zip(plan.steps, swap.hops, strict=True)):
        if index == len(plan.steps) - 1:
            amount_out = Decimal(received_raw).scaleb(-step.decimals_out)
        else:
            sent_raw = _sent_raw(hop, moved)
            amount_out = Decimal(sent_raw).scaleb(-step.decimals_out) or step.amount_out
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


def _sent_raw(hop: ChainHop, moved: Sequence[Moved]) -> int:
    """Return what a pool sent; 0 where one contract holds many, as no event says which."""
    if isinstance(hop, V4Hop | VaultHop):
        return 0
    return sum(
        one.amount_raw for one in moved if one.token == hop.token_out and one.source == hop.pool
    )
