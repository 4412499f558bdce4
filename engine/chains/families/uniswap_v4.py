"""Pools of Uniswap V4: all of a chain within one contract, each by the hash of its terms.

The hash is the proof of a pool: tokens, fee and no hook are what it says only if they hash to its
id. A hook may take or give amounts and ask another fee of each swap, and a fee that changes without
an event needs one: neither can be followed. A spacing of ticks stands nowhere but in the hash, so
the spacing that leads to it is looked for, the common ones first.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from engine.chains.families.reading import NotReadError, answered, with_fee
from engine.chains.families.ticks import Asked
from engine.chains.families.uniswap_v3 import Head, check_head, read_concentrated
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

SWAP: Final = topic("Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)")
MODIFY_LIQUIDITY: Final = topic("ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)")
INITIALIZE: Final = topic("Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)")
PROTOCOL_FEE_UPDATED: Final = topic("ProtocolFeeUpdated(bytes32,uint24)")

EXTSLOAD: Final = selector("extsload(bytes32)")
DYNAMIC_FEE: Final = 0x800000
"""In the place of a fee: a hook says it."""

POOLS_AT_ONCE: Final = 32
SPACINGS: Final[Sequence[int]] = (1, 10, 60, 200, 100, 50, 20, 2, 16_383, *range(1, 2_001))
"""Those that are tried, the usual ones first: beyond them a step of the price is over 20 %."""

# Of the contract's storage: mapping of pools, and within one its price, liquidity, ticks, bitmap.
POOLS_SLOT: Final = 6
LIQUIDITY_OFFSET: Final = 3
TICKS_OFFSET: Final = 4
BITMAP_OFFSET: Final = 5

_ID_BITS = 256
_PRICE_BITS, _TICK_BITS, _FEE_BITS, _ONE_WAY_BITS, _LIQUIDITY_BITS = 160, 24, 24, 12, 128


class UniswapV4:
    """See `ports.Family`."""

    topics: Final = frozenset((SWAP, MODIFY_LIQUIDITY, INITIALIZE, PROTOCOL_FEE_UPDATED))
    is_polled: Final = False

    def __init__(self, managers: frozenset[str]) -> None:
        """Make the family of a chain; it has one contract that holds all pools.

        Raises:
            BadValueError: it has several.
        """
        if len(managers) != 1:
            raise BadValueError(f"{len(managers)} pool managers of Uniswap V4; a chain has one")
        (self._manager,) = managers

    def address_of(self, log: Log) -> str:
        """Return the pool's id, or the contract if it is not the one that holds the pools.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        if log.address != self._manager:
            return log.address
        if len(log.topics) < 2 or len(log.topics[1]) != WORD:  # noqa: PLR2004 - kind, id
            raise BadValueError("an event of a V4 pool without its id")
        return "0x" + log.topics[1].hex()

    def change_of(self, pool: Pool, log: Log) -> PoolMoved | ReadAgain | None:
        """Return a price or a position.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        kind = log.topics[0]
        if kind == SWAP:
            data = check_words(log.data, 6, what="a Swap")
            price = PriceMove(
                sqrt_price_x96=unsigned(data, 2), tick=signed(data, 4), liquidity=unsigned(data, 3)
            )
            return PoolMoved(address=pool.address, move=price)
        if kind == MODIFY_LIQUIDITY:
            data = check_words(log.data, 4, what="a ModifyLiquidity")
            delta = signed(data, 2)
            if delta == 0:
                return None
            position = PositionMove(
                tick_low=signed(data, 0), tick_high=signed(data, 1), liquidity_delta=delta
            )
            return PoolMoved(address=pool.address, move=position)
        if kind == PROTOCOL_FEE_UPDATED:
            return ReadAgain(why="the protocol takes another fee")
        return ReadAgain(why="it got its first price")

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read price, liquidity, the protocol's fee and ticks.

        Raises:
            NodeError: nothing could be read.
        """
        read: list[PoolNow | Unreadable] = []
        for start in range(0, len(pools), POOLS_AT_ONCE):
            read += await self._read(pools[start : start + POOLS_AT_ONCE], reader, at)
        return read

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Return the pools as they are: the protocol's fee is told by an event."""
        del reader, at
        return list(pools)

    async def _read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        slots = [_state_slot(pool) for pool in pools]
        answers = await reader.call(
            [
                self._load(slot + offset)
                for slot in slots
                if slot is not None
                for offset in (0, LIQUIDITY_OFFSET)
            ],
            at,
        )
        words = iter(answers)
        heads: list[tuple[Head, Asked] | NotReadError] = []
        for pool, slot in zip(pools, slots, strict=True):
            if slot is None:
                heads.append(NotReadError("its address is no id of a pool of Uniswap V4"))
                continue
            try:
                head = _head(pool, next(words), next(words))
            except NotReadError as error:
                heads.append(error)
                continue
            ticks = PoolTicks(self._manager, slot + TICKS_OFFSET, slot + BITMAP_OFFSET)
            heads.append((head, Asked(ticks, head.tick, head.tick_spacing)))
        return await read_concentrated(heads, reader, at)

    def _load(self, slot: int) -> Call:
        return Call(self._manager, call_data(EXTSLOAD, slot))


class PoolTicks(NamedTuple):
    """How the contract is asked for a pool's ticks, by place; see `ticks.TickCalls`."""

    manager: str
    ticks_slot: int
    bitmap_slot: int
    tick_words: int = 1

    def word_call(self, index: int) -> Call:
        """Return the call for a word of the bitmap."""
        return Call(self.manager, call_data(EXTSLOAD, _mapped(index, self.bitmap_slot)))

    def tick_call(self, tick: int) -> Call:
        """Return the call for a tick."""
        return Call(self.manager, call_data(EXTSLOAD, _mapped(tick, self.ticks_slot)))

    def tick_of(self, data: bytes) -> tuple[int, int]:
        """Return gross and net liquidity, which share a word."""
        word = unsigned(data, 0)
        gross = word & ((1 << _LIQUIDITY_BITS) - 1)
        return gross, _signed(word >> _LIQUIDITY_BITS, _LIQUIDITY_BITS)


def pool_id(
    currency0: str, currency1: str, *, fee_pips: int, tick_spacing: int, hooks: str = "0x0"
) -> str:
    """Return the id of a pool with these terms."""
    terms = (int(currency0, 16), int(currency1, 16), fee_pips, tick_spacing, int(hooks, 16))
    return "0x" + keccak(call_data(b"", *terms)).hex()


@lru_cache(maxsize=16_384)
def tick_spacing_of(address: str, currency0: str, currency1: str, fee_pips: int) -> int | None:
    """Return the spacing by which terms without a hook hash to an id, None if none does."""
    for spacing in SPACINGS:
        found = pool_id(currency0, currency1, fee_pips=fee_pips, tick_spacing=spacing)
        if found == address:
            return spacing
    return None


def _state_slot(pool: Pool) -> int | None:
    """Return where a pool's state begins."""
    digits = pool.address.removeprefix("0x")
    try:
        number = int(digits, 16)
    except ValueError:
        return None
    if len(digits) * 4 != _ID_BITS:
        return None
    return _mapped(number, POOLS_SLOT)


def _mapped(key: int, slot: int) -> int:
    """Return where a mapping keeps the value of a key."""
    return int.from_bytes(keccak(call_data(b"", key, slot)))


def _head(pool: Pool, slot0: bytes | None, liquidity: bytes | None) -> Head:
    word = unsigned(answered(slot0, 1, what="price"), 0)
    price, word = _split(word, _PRICE_BITS)
    tick, word = _split(word, _TICK_BITS)
    protocol_fee, word = _split(word, _FEE_BITS)
    lp_fee, _ = _split(word, _FEE_BITS)
    if price == 0:
        raise NotReadError("it has no price yet")
    named = with_fee(_with_protocol_fee(pool, protocol_fee), lp_fee, PIPS)
    if len(pool.token_addresses) != 2:  # noqa: PLR2004 - two currencies
        raise NotReadError("its tokens are not named by their addresses")
    spacing = tick_spacing_of(pool.address, *pool.token_addresses, lp_fee)
    if spacing is None:
        raise NotReadError(
            "its tokens and fee without a hook are not what its id is a hash of: it has a hook or"
            " another fee, which may ask anything of a swap"
        )
    return check_head(
        Head(
            pool=named,
            sqrt_price_x96=price,
            tick=_signed(tick, _TICK_BITS),
            liquidity=unsigned(answered(liquidity, 1, what="liquidity"), 0),
            tick_spacing=spacing,
        )
    )


def _with_protocol_fee(pool: Pool, fee: int) -> Pool:
    """Return a pool with what the protocol takes: of token 0 in the low bits, of token 1 above."""
    of_token1, of_token0 = divmod(fee, 1 << _ONE_WAY_BITS)
    ratios = (Decimal(of_token0) / PIPS, Decimal(of_token1) / PIPS) if fee else ()
    if ratios == pool.protocol_fee_ratios:
        return pool
    try:
        return replace(pool, protocol_fee_ratios=ratios)
    except BadValueError as error:
        raise NotReadError(str(error)) from error


def _split(word: int, bits: int) -> tuple[int, int]:
    """Return the lowest bits of a word, and what stands above them."""
    return word & ((1 << bits) - 1), word >> bits


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
