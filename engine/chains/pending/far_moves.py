"""Whether a block moves a price far: a quick look, before anybody is told of the block.

In floats, as all that comes of it is that other work makes way. Pools of two reserves and of ranges
are looked at, whose events say the new price: pairs of hundreds as the block leaves them, the
others after each event. What is a long way off within a block alone is told when it is looked at.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping
from itertools import repeat
from operator import add, mul, truediv
from typing import Final

from engine.chains.pending.stepping import Kept
from engine.pools.blocks import PoolChange, PoolMoved
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.moves import Move, PairMove, PriceMove
from engine.pools.snapshot_rows import PoolState

_HIGH: Final = 2.0**64
_PLACES: Final = 8
"""Numbers of 64 bits in the two words of a pair: its reserves are the third and fourth of them, and
the last two."""


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
    ratios = list(map(truediv, _prices(words), _prices(before)))
    return bool(ratios) and (max(ratios) - 1 >= ratio_min or 1 - min(ratios) >= ratio_min)


def _prices(words: bytes) -> Iterable[float]:
    numbers = array("Q", words)
    if sys.byteorder == "little":
        numbers.byteswap()
    first = map(add, map(mul, numbers[2::_PLACES], repeat(_HIGH)), numbers[3::_PLACES])
    second = map(add, map(mul, numbers[6::_PLACES], repeat(_HIGH)), numbers[7::_PLACES])
    return map(truediv, second, first)


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
