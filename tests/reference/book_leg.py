"""Slow twin of a book's leg: one lot after the other, in fractions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Level = tuple[Fraction, Fraction]
"""Price and size, best first."""

QUOTE_STEP = Fraction(1, 10**8)


@dataclass(frozen=True)
class Order:
    """Amounts in base and quote; what a buyer pays is with the fee, what a seller gets without.

    `base` of a purchase is what is received, less a fee taken out of it.
    """

    base: Fraction
    notional: Fraction
    quote: Fraction


def orders(
    levels: Sequence[Level],
    *,
    lot: Fraction,
    fee: Fraction,
    is_buy: bool,
    least: Order,
    takes_base: bool = False,
) -> list[Order]:
    """Return every order that the levels fill and the venue takes, the smallest first."""
    found = []
    depth = sum((size for _, size in levels), Fraction(0))
    for count in range(1, int(depth / lot) + 1):
        base = count * lot
        notional = Fraction(0)
        left = base
        for price, size in levels:
            take = min(size, left)
            notional += take * price
            left -= take
        charged = math.ceil(notional * fee / QUOTE_STEP) * QUOTE_STEP
        quote = notional + charged if is_buy else notional - charged
        received = base
        if takes_base:
            quote = notional
            received = max(base - math.ceil(base * fee / QUOTE_STEP) * QUOTE_STEP, Fraction(0))
        if base >= least.base and notional >= least.notional:
            found.append(Order(received, notional, quote))
    return found


def most_out(
    found: Sequence[Order], amount_in_raw: int, *, is_buy: bool, base_unit: int, quote_unit: int
) -> int | None:
    """Return the output of the largest order that the input pays; units are raw units of one."""
    best = None
    for order in found:
        spent = order.quote * quote_unit if is_buy else order.base * base_unit
        if spent <= amount_in_raw:
            best = order
    if best is None:
        return None
    return math.floor(best.base * base_unit if is_buy else best.quote * quote_unit)


def least_in(
    found: Sequence[Order], amount_out_raw: int, *, is_buy: bool, base_unit: int, quote_unit: int
) -> int | None:
    """Return the input of the smallest order that gives the output."""
    for order in found:
        given = math.floor(order.base * base_unit if is_buy else order.quote * quote_unit)
        if given >= amount_out_raw:
            return math.ceil(order.quote * quote_unit if is_buy else order.base * base_unit)
    return None
