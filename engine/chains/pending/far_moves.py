"""Whether a block moves a price far: a quick look, before anybody is told of the block.

In floats, as all that comes of it is that other work makes way. Pools of two reserves and of ranges
are looked at, whose events say the new price: pairs of hundreds as the block leaves them, the
others after each event. What is a long way off within a block alone is told when it is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import truediv
from struct import Struct
from typing import Final

from engine.chains.pending.stepping import Kept
from engine.pools.blocks import PoolChange, PoolMoved
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.moves import Move, PairMove, PriceMove
from engine.pools.pair_words import UPPER_MIN, upper_bits
from engine.pools.snapshot_rows import PoolState

_HIGH: Final = 2.0**64
_ROUGHNESS: Final = 8 / UPPER_MIN
"""Of a change by the upper bits of four reserves, where it is of the size of what is looked for."""

_PAIR: Final = Struct(">16xQQ16xQQ")
"""Two words of 256 bits, of which the lower halves are read."""


def moves_far(changes: Iterable[PoolChange], before: Mapping[str, Kept], ratio_min: float) -> bool:
    """Say whether a change of a block takes a price so far from where it was before the block.

    Args:
        changes: of the block.
        before: the pools as they were, by address.
        ratio_min: of the price before.
    """
    for change in changes:
        if isinstance(change, PoolMoved):
            kept = before.get(change.address)
            if kept is not None and _change(kept.state, change.move) >= ratio_min:
                return True
    return False


def pairs_move_far(words: bytes, before: bytes, ratio_min: float) -> bool:
    """Say whether a block leaves a pair's price so far from where it was.

    Args:
        words: of reserves of up to 112 bits, two of each pair, as the block leaves them.
        before: the same before it.
        ratio_min: of the price before.
    """
    if not words:
        return False
    change = _rough_change(words, before)
    if change is None or abs(change - ratio_min) < _ROUGHNESS:
        change = _change_of(_prices(words), _prices(before))
    return change >= ratio_min


def _rough_change(words: bytes, before: bytes) -> float | None:
    """Return the greatest change of a price by the upper bits of reserves; None if too few."""
    now, then = upper_bits(words), upper_bits(before)
    if now is None or then is None:
        return None
    prices, were = (list(map(truediv, one[1::2], one[::2])) for one in (now, then))
    return _change_of(prices, were)


def _change_of(prices: Sequence[float], were: Sequence[float]) -> float:
    ratios: list[float] = list(map(truediv, prices, were))
    return max(max(ratios) - 1, 1 - min(ratios))


def _prices(words: bytes) -> list[float]:
    return [
        (high1 * _HIGH + low1) / (high0 * _HIGH + low0)
        for high0, low0, high1, low1 in _PAIR.iter_unpack(words)
    ]


def _change(state: PoolState, move: Move) -> float:
    """Return by which share of it a price changes, 0 if that cannot be told."""
    try:
        if isinstance(state, ConcentratedState) and isinstance(move, PriceMove):
            root = move.sqrt_price_x96 / state.sqrt_price_x96
            return abs(root * root - 1)
        if isinstance(state, ConstantProductState) and isinstance(move, PairMove):
            price = move.reserve1_raw / move.reserve0_raw
            return abs(price * state.reserve0_raw / state.reserve1_raw - 1)
    except (ZeroDivisionError, OverflowError):
        return 0.0
    return 0.0
