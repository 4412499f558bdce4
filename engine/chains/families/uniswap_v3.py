"""Pools of Uniswap V3 and of forks that keep its swap: price, liquidity in use, ticks.

What else such a pool tells changes no swap: `Flash` pays to those who provide liquidity, as
`Collect` takes what they earned, and `SetFeeProtocol` shares a fee otherwise that is paid all the
same. `Burn` of nothing settles fees.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.chains.families.reading import (
    NotReadError,
    answered,
    pool_now,
    unreadable,
    with_fee,
)
from engine.chains.families.ticks import Asked, Ticks, read_ticks
from engine.chains.families.words import (
    WORD,
    call_data,
    check_words,
    selector,
    signed,
    topic,
    unsigned,
)
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.integers import PIPS
from engine.pools.moves import PositionMove, PriceMove
from engine.pools.snapshot_rows import ConcentratedRow
from engine.pools.tick_math import TICK_MAX, TICK_MIN
from engine.pools.tick_table import TICK_SPACING_MAX

INITIALIZE: Final = topic("Initialize(uint160,int24)")
SWAP: Final = topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
MINT: Final = topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
BURN: Final = topic("Burn(address,int24,int24,uint128,uint256,uint256)")

GET_SLOT0: Final = call_data(selector("slot0()"))
GET_LIQUIDITY: Final = call_data(selector("liquidity()"))
GET_TICK_SPACING: Final = call_data(selector("tickSpacing()"))
GET_FEE: Final = call_data(selector("fee()"))
GET_WORD: Final = selector("tickBitmap(int16)")
GET_TICK: Final = selector("ticks(int24)")

POOLS_AT_ONCE: Final = 32
"""Of which 700 words each are some megabytes of calls."""

_POSITION_TOPICS = 4


class UniswapV3:
    """See `ports.Family`.

    Attributes:
        is_polled: whether the pools' fee changes without an event.
    """

    def __init__(
        self, *, swap_topic: bytes = SWAP, swap_words: int = 5, is_polled: bool = False
    ) -> None:
        """Make the family of forks, whose `Swap` may tell more behind what all of them tell."""
        self.is_polled: Final = is_polled
        self.topics: Final = frozenset((swap_topic, MINT, BURN, INITIALIZE))
        self._swap_topic = swap_topic
        self._swap_words = swap_words

    def address_of(self, log: Log) -> str:
        """Return the pool, which tells of itself."""
        return log.address

    def change_of(self, pool: Pool, log: Log) -> PoolMoved | ReadAgain | None:
        """Return a price or a position.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        kind = log.topics[0]
        if kind == self._swap_topic:
            data = check_words(log.data, self._swap_words, what="a Swap")
            move = PriceMove(
                sqrt_price_x96=unsigned(data, 2), tick=signed(data, 4), liquidity=unsigned(data, 3)
            )
            return PoolMoved(address=pool.address, move=move)
        if kind == MINT:
            return _position(pool, log, unsigned(check_words(log.data, 4, what="a Mint"), 1))
        if kind == BURN:
            return _position(pool, log, -unsigned(check_words(log.data, 3, what="a Burn"), 0))
        return ReadAgain(why="it got its first price")

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read price, liquidity, fee and ticks.

        Raises:
            NodeError: nothing could be read.
        """
        read: list[PoolNow | Unreadable] = []
        for start in range(0, len(pools), POOLS_AT_ONCE):
            read += await _read(pools[start : start + POOLS_AT_ONCE], reader, at)
        return read

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Read the fees of pools that change theirs.

        Raises:
            NodeError: nothing could be read.
        """
        if not self.is_polled:
            return list(pools)
        answers = await reader.call([Call(pool.address, GET_FEE) for pool in pools], at)
        named: list[Pool | ReadAgain | Unreadable] = []
        for pool, answer in zip(pools, answers, strict=True):
            try:
                named.append(_with_fee(pool, answer))
            except NotReadError as error:
                named.append(unreadable(error))
        return named


class Head(NamedTuple):
    """What a concentrated pool is but for its ticks."""

    pool: Pool
    sqrt_price_x96: int
    tick: int
    liquidity: int
    tick_spacing: int


class PoolTicks(NamedTuple):
    """How a pool of V3 is asked for its ticks; see `ticks.TickCalls`."""

    address: str
    tick_words: int = 2

    def word_call(self, index: int) -> Call:
        """Return the call for a word of the bitmap."""
        return Call(self.address, call_data(GET_WORD, index))

    def tick_call(self, tick: int) -> Call:
        """Return the call for a tick."""
        return Call(self.address, call_data(GET_TICK, tick))

    def tick_of(self, data: bytes) -> tuple[int, int]:
        """Return gross and net liquidity."""
        return unsigned(data, 0), signed(data, 1)


async def read_concentrated(
    heads: Sequence[tuple[Head, Asked] | NotReadError], reader: Reader, at: BlockRef
) -> list[PoolNow | Unreadable]:
    """Read the ticks of pools whose heads could be read.

    Raises:
        NodeError: nothing could be read.
    """
    ticks = iter(
        await read_ticks([one[1] for one in heads if not isinstance(one, NotReadError)], reader, at)
    )
    return [
        unreadable(one) if isinstance(one, NotReadError) else with_ticks(one[0], next(ticks))
        for one in heads
    ]


def with_ticks(head: Head, ticks: Ticks | NotReadError) -> PoolNow | Unreadable:
    """Return a pool as it was read."""
    if isinstance(ticks, NotReadError):
        return unreadable(ticks)
    row = ConcentratedRow(
        sqrt_price_x96=str(head.sqrt_price_x96),
        tick=head.tick,
        liquidity=str(head.liquidity),
        tick_spacing=head.tick_spacing,
        ticks=ticks.ticks,
        known_min=ticks.known_min,
        known_max=ticks.known_max,
        grosses=ticks.grosses,
    )
    return pool_now(head.pool, row)


def check_head(head: Head) -> Head:
    """Return a head by which ticks can be asked for.

    Raises:
        NotReadError: it has no price yet, or values that no pool can have.
    """
    if head.sqrt_price_x96 == 0:
        raise NotReadError("it has no price yet")
    if not TICK_MIN <= head.tick < TICK_MAX:
        raise NotReadError(f"its tick is {head.tick}: beyond all prices")
    if not 1 <= head.tick_spacing <= TICK_SPACING_MAX:
        raise NotReadError(f"its tick spacing is {head.tick_spacing}")
    return head


async def _read(pools: Sequence[Pool], reader: Reader, at: BlockRef) -> list[PoolNow | Unreadable]:
    calls = (GET_SLOT0, GET_LIQUIDITY, GET_TICK_SPACING, GET_FEE)
    answers = await reader.call([Call(pool.address, data) for pool in pools for data in calls], at)
    heads: list[tuple[Head, Asked] | NotReadError] = []
    for index, pool in enumerate(pools):
        try:
            head = _head(pool, answers[index * len(calls) : (index + 1) * len(calls)])
        except NotReadError as error:
            heads.append(error)
            continue
        heads.append((head, Asked(PoolTicks(pool.address), head.tick, head.tick_spacing)))
    return await read_concentrated(heads, reader, at)


def _head(pool: Pool, answers: Sequence[bytes | None]) -> Head:
    slot0 = answered(answers[0], 2, what="slot0")
    return check_head(
        Head(
            pool=_with_fee(pool, answers[3]),
            sqrt_price_x96=unsigned(slot0, 0),
            tick=signed(slot0, 1),
            liquidity=unsigned(answered(answers[1], 1, what="liquidity"), 0),
            tick_spacing=signed(answered(answers[2], 1, what="tickSpacing"), 0),
        )
    )


def _with_fee(pool: Pool, answer: bytes | None) -> Pool:
    return with_fee(pool, unsigned(answered(answer, 1, what="fee"), 0), PIPS)


def _position(pool: Pool, log: Log, liquidity_delta: int) -> PoolMoved | None:
    if len(log.topics) != _POSITION_TOPICS or any(len(one) != WORD for one in log.topics):
        raise BadValueError(f"a Mint or Burn has {len(log.topics)} topics, not {_POSITION_TOPICS}")
    if liquidity_delta == 0:
        return None
    move = PositionMove(
        tick_low=signed(log.topics[2], 0),
        tick_high=signed(log.topics[3], 0),
        liquidity_delta=liquidity_delta,
    )
    return PoolMoved(address=pool.address, move=move)
