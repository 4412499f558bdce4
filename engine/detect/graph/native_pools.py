"""What the coin of a chain is worth beside other assets, as the chain's own pools have it.

A coin that no book trades has no price otherwise, and without one no gas of its chain can be
costed: the whole chain would be in no route.
"""

from collections.abc import Mapping
from decimal import Decimal
from heapq import nsmallest
from math import isqrt
from typing import Final

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.sizing.exact import leg_of
from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool

ASKED_MAX: Final = 5
"""Pools that are asked, those that are followed longest: the richest of the start."""


class NativePools:
    """The pools that hold the coin of their own chain, by that.

    Args:
        pools: as they are now, by number; what is stale is not among them.
    """

    def __init__(self, pools: Mapping[int, KnownPool]) -> None:
        self._pools = pools
        self._numbers: dict[AssetCode, set[int]] = {}

    def add(self, number: int, pool: Pool) -> None:
        """Learn of a pool."""
        native = NATIVE_ASSETS.get(pool.chain)
        if native is not None and native in pool.assets:
            self._numbers.setdefault(native, set()).add(number)

    def remove(self, number: int, pool: Pool) -> None:
        """Forget a pool."""
        self._numbers.get(NATIVE_ASSETS.get(pool.chain, AssetCode("")), set()).discard(number)

    def rates(self, native: AssetCode) -> list[tuple[AssetCode, Decimal]]:
        """Return what a whole coin is worth, in each other asset of the pools that are asked.

        A pool's price is the middle of its two ways, so that its fee counts for neither.
        """
        numbers = self._numbers.get(native)
        if not numbers:
            return []
        return [
            (other, rate)
            for number in nsmallest(ASKED_MAX, numbers)
            if (held := self._pools.get(number)) is not None
            for other in held.pool.assets
            if other != native and (rate := _rate(held, native, other)) is not None
        ]


def _rate(held: KnownPool, native: AssetCode, other: AssetCode) -> Decimal | None:
    pool, state = held.pool, held.state
    here, there = pool.token_index(native), pool.token_index(other)
    coin_raw = 10 ** pool.tokens[here][1]
    try:
        given_raw = leg_of(state, token_in=here, token_out=there).amount_out(coin_raw)
        back_raw = leg_of(state, token_in=there, token_out=here).amount_out(given_raw)
        middle_raw = isqrt(given_raw * given_raw * coin_raw // back_raw)
    except (BadValueError, ZeroDivisionError):
        return None
    return Decimal(middle_raw).scaleb(-pool.tokens[there][1]) if middle_raw else None
