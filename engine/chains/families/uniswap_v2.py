"""Pairs of Uniswap V2 and of forks that keep its swap: reserves, told whole by every change.

Minting, burning, swapping and `sync` all end with one `Sync`; `skim` leaves the reserves as they
are. What the protocol takes is minted as shares, and no swap pays it.
"""

from collections.abc import Sequence
from typing import Final

from engine.chains.families.reading import NotReadError, answered, pool_now, unreadable
from engine.chains.families.words import (
    WORD,
    call_data,
    check_words,
    selector,
    topic,
    unsigned,
)
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.moves import PairMove
from engine.pools.snapshot_rows import PairRow

SYNC: Final = topic("Sync(uint112,uint112)")
GET_RESERVES: Final = call_data(selector("getReserves()"))


class UniswapV2:
    """See `ports.Family`."""

    topics: Final = frozenset((SYNC,))
    is_polled: Final = False
    tells_reserves: Final = True
    """Its only event is both reserves, in two words of the pair itself."""

    def address_of(self, log: Log) -> str:
        """Return the pair, which tells of itself."""
        return log.address

    def change_of(self, pool: Pool, log: Log) -> PoolMoved:
        """Return the new reserves.

        Raises:
            BadValueError: it cannot be an event of a pair.
        """
        data = check_words(log.data, 2, what="a Sync")
        first, second = int.from_bytes(data[:WORD]), int.from_bytes(data[WORD:])
        move = PairMove(reserve0_raw=first, reserve1_raw=second)
        return PoolMoved(address=pool.address, move=move)

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read reserves.

        Raises:
            NodeError: nothing could be read.
        """
        answers = await reader.call([Call(pool.address, GET_RESERVES) for pool in pools], at)
        return [_read(pool, answer) for pool, answer in zip(pools, answers, strict=True)]

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Return the pools as they are: a pair's fee is in its code."""
        del reader, at
        return list(pools)


def _read(pool: Pool, answer: bytes | None) -> PoolNow | Unreadable:
    try:
        data = answered(answer, 3, what="reserves")
    except NotReadError as error:
        return unreadable(error)
    row = PairRow(reserve0_raw=str(unsigned(data, 0)), reserve1_raw=str(unsigned(data, 1)))
    return pool_now(pool, row)
