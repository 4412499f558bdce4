"""Pairs of Biswap: Uniswap V2's, each with a fee of its own, which changes without an event."""

from collections.abc import Sequence
from typing import Final

from engine.chains.families.reading import (
    NotReadError,
    answered,
    pool_now,
    unreadable,
    with_fee,
)
from engine.chains.families.uniswap_v2 import GET_RESERVES, UniswapV2
from engine.chains.families.words import call_data, selector, unsigned
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.snapshot_rows import PairRow

GET_FEE: Final = call_data(selector("swapFee()"))
FEE_ONE: Final = 1_000


class BiswapV2:
    """See `ports.Family`."""

    topics: Final = UniswapV2.topics
    is_polled: Final = True

    def __init__(self) -> None:
        """Make the family; reserves are told as at Uniswap V2."""
        self._pairs = UniswapV2()

    def address_of(self, log: Log) -> str:
        """Return the pair, which tells of itself."""
        return log.address

    def change_of(self, pool: Pool, log: Log) -> PoolMoved:
        """Return the new reserves.

        Raises:
            BadValueError: it cannot be an event of a pair.
        """
        return self._pairs.change_of(pool, log)

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read reserves and fees.

        Raises:
            NodeError: nothing could be read.
        """
        calls = (GET_RESERVES, GET_FEE)
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
        """Read the fees.

        Raises:
            NodeError: nothing could be read.
        """
        answers = await reader.call([Call(pool.address, GET_FEE) for pool in pools], at)
        named: list[Pool | ReadAgain | Unreadable] = []
        for pool, answer in zip(pools, answers, strict=True):
            try:
                named.append(_with_fee(pool, answer))
            except NotReadError as error:
                named.append(unreadable(error))
        return named


def _read(pool: Pool, reserves: bytes | None, fee: bytes | None) -> PoolNow | Unreadable:
    try:
        data = answered(reserves, 3, what="reserves")
        named = _with_fee(pool, fee)
    except NotReadError as error:
        return unreadable(error)
    row = PairRow(reserve0_raw=str(unsigned(data, 0)), reserve1_raw=str(unsigned(data, 1)))
    return pool_now(named, row)


def _with_fee(pool: Pool, answer: bytes | None) -> Pool:
    return with_fee(pool, unsigned(answered(answer, 1, what="fee"), 0), FEE_ONE)
