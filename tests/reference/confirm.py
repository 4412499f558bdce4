"""Slow twin of the exact confirmation: plain fractions over price levels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Level = tuple[Fraction, Fraction]
"""Price and size, best first; taken liquidity is already subtracted."""

QUOTE_STEP = Fraction(1, 10**8)


@dataclass(frozen=True)
class Exact:
    paid: Fraction
    received: Fraction
    fees: Fraction
    transfer: Fraction
    profit: Fraction
    buy_worst: Fraction
    sell_worst: Fraction


def ceil_step(value: Fraction) -> Fraction:
    return math.ceil(value / QUOTE_STEP) * QUOTE_STEP


def confirm(
    asks: Sequence[Level],
    bids: Sequence[Level],
    size: Fraction,
    *,
    fee_buy: Fraction,
    fee_sell: Fraction,
    transfer: Fraction,
) -> Exact | None:
    """Return what the size costs and brings, None if there is not enough."""
    bought, sold = _walk(asks, size), _walk(bids, size)
    if bought is None or sold is None:
        return None
    (paid, buy_worst), (received, sell_worst) = bought, sold
    fees = ceil_step(paid * fee_buy) + ceil_step(received * fee_sell)
    moved = ceil_step(paid * transfer)
    return Exact(
        paid=paid,
        received=received,
        fees=fees,
        transfer=moved,
        profit=received - paid - fees - moved,
        buy_worst=buy_worst,
        sell_worst=sell_worst,
    )


def _walk(levels: Sequence[Level], size: Fraction) -> tuple[Fraction, Fraction] | None:
    value = worst = Fraction(0)
    for price, available in levels:
        if available <= 0:
            continue
        take = min(available, size)
        value += take * price
        size -= take
        worst = price
        if size == 0:
            return value, worst
    return None
