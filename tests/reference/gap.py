"""Slow twin of the gap kernel: exact fractions, and every size that could be the best one."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Level = tuple[Fraction, Fraction]
"""Price and size."""


@dataclass(frozen=True)
class Terms:
    fee_buy: Fraction
    fee_sell: Fraction
    transfer: Fraction
    edge_min: Fraction
    size_max: Fraction | None


@dataclass(frozen=True)
class Best:
    size: Fraction
    paid: Fraction
    received: Fraction
    profit: Fraction


def cost_of(levels: Sequence[Level], size: Fraction) -> Fraction:
    """Value of the first `size` base of the levels, best first."""
    value = Fraction(0)
    for price, available in levels:
        take = min(available, size)
        value += take * price
        size -= take
    assert size == 0
    return value


def find_best(asks: Sequence[Level], bids: Sequence[Level], terms: Terms) -> Best | None:
    """Return the size of the greatest profit whose average edge is at least the minimum."""
    best: Best | None = None
    for size in _sizes(asks, bids, terms):
        candidate = _at(asks, bids, terms, size)
        is_allowed = candidate.profit >= terms.edge_min * candidate.paid and candidate.profit > 0
        if is_allowed and (best is None or candidate.profit > best.profit):
            best = candidate
    return best


def _at(asks: Sequence[Level], bids: Sequence[Level], terms: Terms, size: Fraction) -> Best:
    paid = cost_of(asks, size)
    received = cost_of(bids, size)
    profit = received * (1 - terms.fee_sell) - paid * (1 + terms.fee_buy + terms.transfer)
    return Best(size, paid, received, profit)


def _sizes(asks: Sequence[Level], bids: Sequence[Level], terms: Terms) -> list[Fraction]:
    # Profit and spare edge are linear between the ends of levels, so that the best size is an
    # end of a level, the size limit, or where the spare edge crosses zero.
    depth = min(sum(size for _, size in asks), sum(size for _, size in bids))
    if terms.size_max is not None:
        depth = min(depth, terms.size_max)
    ends = {Fraction(0), Fraction(depth)}
    for levels in (asks, bids):
        reached = Fraction(0)
        for _, size in levels:
            reached += size
            ends.add(min(reached, Fraction(depth)))
    ordered = sorted(ends)
    sizes = [size for size in ordered if size > 0]
    for low, high in itertools.pairwise(ordered):
        at_low, at_high = (_at(asks, bids, terms, size) for size in (low, high))
        spare_low, spare_high = (at.profit - terms.edge_min * at.paid for at in (at_low, at_high))
        if spare_low > 0 > spare_high:
            sizes.append(low + (high - low) * spare_low / (spare_low - spare_high))
    return sizes
