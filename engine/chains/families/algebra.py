"""Pools of Algebra 1.1, as QuickSwap V3 has them: Uniswap V3's swap, with a fee that may breathe.

As a rule the fee of a block's first swap is reckoned from how the price and volume went over the
last day, up to that very second: it stands nowhere before, and a pool with such a fee is refused
by name. Where its curve is flat the fee is a number, which is followed. Algebra 1.9 and later have
a fee for each direction and another list of ticks: they are refused by the form of their answer.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.chains.families.reading import NotReadError, answered, unreadable, with_fee
from engine.chains.families.ticks import Asked
from engine.chains.families.uniswap_v3 import (
    GET_LIQUIDITY,
    GET_TICK,
    GET_TICK_SPACING,
    Head,
    UniswapV3,
    check_head,
    read_concentrated,
)
from engine.chains.families.words import (
    WORD,
    address_at,
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

FEE: Final = topic("Fee(uint16)")
"""Told by a swap before its own event, where it is not the one of before."""

GET_STATE: Final = call_data(selector("globalState()"))
GET_OPERATOR: Final = call_data(selector("dataStorageOperator()"))
GET_FEE_TERMS: Final = call_data(selector("feeConfig()"))
GET_WORD: Final = selector("tickTable(int16)")
POOLS_AT_ONCE: Final = 32

_CALLS = (GET_STATE, GET_LIQUIDITY, GET_TICK_SPACING, GET_OPERATOR)
_STATE_WORDS = 7
_FEE_WORDS = 9
_BASE_FEE = 8


class Algebra:
    """See `ports.Family`."""

    topics: Final = UniswapV3().topics | {FEE}
    is_polled: Final = True

    def __init__(self) -> None:
        """Make the family; swaps and positions are told as at Uniswap V3."""
        self._v3 = UniswapV3()

    def address_of(self, log: Log) -> str:
        """Return the pool, which tells of itself."""
        return log.address

    def change_of(self, pool: Pool, log: Log) -> PoolMoved | ReadAgain | None:
        """Return a price or a position.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        if log.topics[0] != FEE:
            return self._v3.change_of(pool, log)
        fee = unsigned(check_words(log.data, 1, what="a Fee"), 0)
        return None if fee == pool.fee_ratio * PIPS else ReadAgain(why=f"its fee became {fee}")

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
        """Read the fees, which another contract holds.

        Raises:
            NodeError: nothing could be read.
        """
        operators = await reader.call([Call(pool.address, GET_OPERATOR) for pool in pools], at)
        terms = await reader.call([_fee_call(one) for one in operators], at)
        named: list[Pool | ReadAgain | Unreadable] = []
        for pool, answer in zip(pools, terms, strict=True):
            try:
                named.append(_with_fee(pool, answer))
            except NotReadError as error:
                named.append(unreadable(error))
        return named


class PoolTicks(NamedTuple):
    """How a pool is asked for its ticks; see `ticks.TickCalls`."""

    address: str
    tick_words: int = 2

    def word_call(self, index: int) -> Call:
        """Return the call for a word of the table of ticks."""
        return Call(self.address, call_data(GET_WORD, index))

    def tick_call(self, tick: int) -> Call:
        """Return the call for a tick."""
        return Call(self.address, call_data(GET_TICK, tick))

    def tick_of(self, data: bytes) -> tuple[int, int]:
        """Return gross and net liquidity."""
        return unsigned(data, 0), signed(data, 1)


async def _read(pools: Sequence[Pool], reader: Reader, at: BlockRef) -> list[PoolNow | Unreadable]:
    answers = await reader.call([Call(pool.address, data) for pool in pools for data in _CALLS], at)
    parts = [answers[start : start + len(_CALLS)] for start in range(0, len(answers), len(_CALLS))]
    terms = await reader.call([_fee_call(part[3]) for part in parts], at)
    heads: list[tuple[Head, Asked] | NotReadError] = []
    for pool, part, fee in zip(pools, parts, terms, strict=True):
        try:
            head = _head(_with_fee(pool, fee), part)
        except NotReadError as error:
            heads.append(error)
            continue
        heads.append((head, Asked(PoolTicks(pool.address), head.tick, head.tick_spacing)))
    return await read_concentrated(heads, reader, at)


def _head(pool: Pool, answers: Sequence[bytes | None]) -> Head:
    state = answered(answers[0], _STATE_WORDS, what="globalState")
    if len(state) != _STATE_WORDS * WORD:
        raise NotReadError("its globalState is not that of Algebra 1.1")
    if unsigned(state, 2) != pool.fee_ratio * PIPS:
        # Until somebody swaps in a later second, the first of a block may pay the one or the other.
        raise NotReadError(f"its fee is {unsigned(state, 2)} still and is to be {pool.fee_text}")
    return check_head(
        Head(
            pool=pool,
            sqrt_price_x96=unsigned(state, 0),
            tick=signed(state, 1),
            liquidity=unsigned(answered(answers[1], 1, what="liquidity"), 0),
            tick_spacing=signed(answered(answers[2], 1, what="tickSpacing"), 0),
        )
    )


def _fee_call(operator: bytes | None) -> Call:
    """Return the call for the terms of a fee; of nobody if the pool names nobody."""
    try:
        data = answered(operator, 1, what="dataStorageOperator")
        return Call(address_at(data, 0, what="dataStorageOperator"), GET_FEE_TERMS)
    except (NotReadError, BadValueError):
        return Call("0x" + "0" * 40, GET_FEE_TERMS)


def _with_fee(pool: Pool, answer: bytes | None) -> Pool:
    """Return a pool with its fee: that at the foot of its two curves, if both are flat."""
    terms = answered(answer, _FEE_WORDS, what="terms of its fee")
    if unsigned(terms, 0) or unsigned(terms, 1):
        raise NotReadError("its fee changes with each block")
    return with_fee(pool, unsigned(terms, _BASE_FEE), PIPS)
