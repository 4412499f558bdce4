"""Pairs of Camelot V2: Uniswap V2's, with a fee of its own for an input of each token.

Their owner changes fees, and can make a stable pair of one: that follows another curve and is
refused.
"""

from collections.abc import Sequence
from typing import Final

from engine.chains.families.reading import (
    NotReadError,
    answered,
    pool_now,
    unreadable,
    with_fee,
)
from engine.chains.families.uniswap_v2 import GET_RESERVES, SYNC, UniswapV2
from engine.chains.families.words import call_data, flag, selector, topic, unsigned
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.constant_product import FEE_DENOMINATOR_MAX
from engine.pools.snapshot_rows import PairRow

FEES_UPDATED: Final = topic("FeePercentUpdated(uint16,uint16)")
STABLE_SET: Final = topic("SetStableSwap(bool,bool)")
IS_STABLE: Final = call_data(selector("stableSwap()"))
FEE_ONE: Final = 100_000


class CamelotV2:
    """See `ports.Family`."""

    topics: Final = frozenset((SYNC, FEES_UPDATED, STABLE_SET))
    is_polled: Final = False

    def __init__(self) -> None:
        """Make the family; reserves are told as at Uniswap V2."""
        self._pairs = UniswapV2()

    def address_of(self, log: Log) -> str:
        """Return the pair, which tells of itself."""
        return log.address

    def change_of(self, pool: Pool, log: Log) -> PoolMoved | ReadAgain:
        """Return the new reserves.

        Raises:
            BadValueError: it cannot be an event of a pair.
        """
        if log.topics[0] == SYNC:
            return self._pairs.change_of(pool, log)
        return ReadAgain(why="it told of other fees or another curve")

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read reserves and fees.

        Raises:
            NodeError: nothing could be read.
        """
        calls = (GET_RESERVES, IS_STABLE)
        answers = await reader.call(
            [Call(pool.address, data) for pool in pools for data in calls], at
        )
        return [
            _read(pool, *answers[len(calls) * index : len(calls) * (index + 1)])
            for index, pool in enumerate(pools)
        ]

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Return the pools as they are: fees that change are told."""
        del reader, at
        return list(pools)


def _read(pool: Pool, reserves: bytes | None, is_stable: bytes | None) -> PoolNow | Unreadable:
    try:
        data = answered(reserves, 4, what="reserves and fees")
        is_other = flag(answered(is_stable, 1, what="stableSwap"), 0, what="stableSwap")
        fees = unsigned(data, 2), unsigned(data, 3)
        named = with_fee(pool, max(fees), FEE_ONE)
    except (NotReadError, BadValueError) as error:
        return unreadable(error)
    if is_other:
        return Unreadable(why="it is a stable pair of Camelot, which follows another curve")
    is_one = fees[0] == fees[1]
    row = PairRow(
        reserve0_raw=str(unsigned(data, 0)),
        reserve1_raw=str(unsigned(data, 1)),
        fees_e9=() if is_one else tuple(one * (FEE_DENOMINATOR_MAX // FEE_ONE) for one in fees),
    )
    return pool_now(named, row)
