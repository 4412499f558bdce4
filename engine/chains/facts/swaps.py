"""The swaps of a block as background work is told of them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from engine.chains.pending.whales import Swapped, UsdOf
from engine.chains.ports import Log
from engine.domain.block_facts import Swap

USD_DOUBTED: Final = 1e12
"""More than that no swap was ever worth: the price of such a token is none."""

_ADDRESS_HEAD: Final = bytes(12)


def swaps_of(swaps: Iterable[Swapped], usd_of: UsdOf) -> list[Swap]:
    """Return swaps in the order of their events."""
    made = [_swap(one, one.log, usd_of) for one in swaps if one.log is not None]
    return sorted(made, key=lambda one: one.index)


def _swap(swap: Swapped, log: Log, usd_of: UsdOf) -> Swap:
    source, amount_in = _amount(swap, swap.token_in, swap.amount_in_raw)
    target, amount_out = _amount(swap, swap.token_out, swap.amount_out_raw)
    usd = float(usd_of(swap.pool.assets[swap.token_in], amount_in) or 0)
    sender, recipient = _people(log)
    return Swap(
        index=log.index,
        tx=log.tx_hash,
        sender=sender,
        recipient=recipient,
        pool=swap.pool.address,
        source=source,
        target=target,
        amount_in=float(amount_in),
        amount_out=float(amount_out),
        usd=usd if 0.0 <= usd < USD_DOUBTED else 0.0,
    )


def _amount(swap: Swapped, token: int, amount_raw: int) -> tuple[str, Decimal]:
    asset, decimals = swap.pool.tokens[token]
    return asset, Decimal(amount_raw).scaleb(-decimals)


def _people(log: Log) -> tuple[str, str]:
    """Return who called and who received, as indexed arguments of the event that are addresses."""
    named = [
        "0x" + topic[12:].hex()
        for topic in log.topics[1:3]
        if topic.startswith(_ADDRESS_HEAD) and any(topic)
    ]
    match named:
        case [sender, recipient]:
            return sender, recipient
        case [sender]:
            return sender, ""
        case _:
            return "", ""
