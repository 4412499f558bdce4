"""Pools with the functions of Uniswap V3's: swapped, filled and emptied at random."""

from collections.abc import Sequence
from decimal import Decimal
from math import isqrt
from random import Random
from typing import NamedTuple

from eth_hash.auto import keccak

from engine.chains.families.family_list import FAMILY_OF
from engine.domain.pools import Pool, Protocol
from engine.pools.tick_math import (
    SQRT_RATIO_MAX_X96,
    SQRT_RATIO_MIN_X96,
    sqrt_ratio_at_tick,
)
from engine.sandbox.world.values import WorldToken
from tests.chains.families.actor import Actor, Do, pool_of

SWAP = "swap(address,bool,int256,uint160,bytes)"
BURN = "burn(int24,int24,uint128)"
COLLECT = "collect(address,int24,int24,uint128,uint128)"
FLASH = "flash(address,uint256,uint256,bytes)"
UINT128_MAX = 2**128 - 1


class Dialect(NamedTuple):
    """How a fork calls what Uniswap V3 calls `mint` and `slot0`, and how it numbers positions."""

    mint: str = "mint(address,int24,int24,uint128,bytes)"
    minters: int = 1
    state: str = "slot0()"
    is_hashed: bool = True


UNISWAP = Dialect()
ALGEBRA = Dialect(
    mint="mint(address,address,int24,int24,uint128,bytes)",
    minters=2,
    state="globalState()",
    is_hashed=False,
)


class ConcentratedStage:
    """See `following.Stage`; makes the pools that it is told the places of."""

    def __init__(self, actor: Actor, protocol: Protocol, dialect: Dialect = UNISWAP) -> None:
        self.actor = actor
        self.dialect = dialect
        self.protocol = protocol
        self.family = FAMILY_OF[protocol](frozenset())
        self.pools: list[Pool] = []
        self.spacings: dict[str, int] = {}
        self.positions: list[tuple[Pool, int, int]] = []

    def add(
        self, address: str, tokens: tuple[WorldToken, ...], *, fee_pips: int, spacing: int
    ) -> None:
        """Take a pool that was deployed: give it a price and some liquidity."""
        raw = 10 ** (tokens[1].decimals - tokens[0].decimals + 20)
        price = isqrt((raw << 192) // 10**20)
        assert self.actor.do((address, "initialize(uint160)", (price,)))
        self.fill(address, tokens, fee_pips=fee_pips, spacing=spacing)

    def fill(
        self, address: str, tokens: tuple[WorldToken, ...], *, fee_pips: int, spacing: int
    ) -> None:
        """Take a pool that has a price: give it some liquidity."""
        pool = pool_of(self.protocol, address, tokens, Decimal(fee_pips) / 10**6)
        self.spacings[pool.address] = spacing
        self.pools.append(pool)
        whole = 887_272 // spacing * spacing
        self._mint(pool, -whole, whole, 10**17)

    def begin(self) -> None:
        """Swap a little in a later second, whereafter a fork asks the fee that it was told."""
        self.actor.world.rpc.ask("evm_increaseTime", 10)
        self.actor.world.mine()
        for pool in self.pools:
            assert self.actor.do(self._swapped(pool, 0, 10**6, SQRT_RATIO_MIN_X96 + 1))

    def act(self, random: Random) -> None:
        pool = random.choice(self.pools)
        random.choice(
            (self._swap, self._swap, self._swap_to, self._give, self._give, self._take, self._flash)
        )(pool, random)

    def quote(self, pool: Pool, amount_raw: int, *, token_in: int, token_out: int) -> int | None:
        del token_out
        limit = SQRT_RATIO_MIN_X96 + 1 if token_in == 0 else SQRT_RATIO_MAX_X96 - 1
        said = self.actor.ask(
            ("int256", "int256"), self._swapped(pool, token_in, amount_raw, limit)
        )
        return None if said is None or said[token_in] != amount_raw else -said[1 - token_in]

    def size(self, pool: Pool, token: int, random: Random) -> int:
        del pool, token
        return random.randrange(1, 10 ** random.choice((3, 9, 14, 18)))

    def _swap(self, pool: Pool, random: Random) -> None:
        token_in = random.randrange(2)
        amount = self.size(pool, token_in, random) * random.choice((1, 1, -1))
        limit = SQRT_RATIO_MIN_X96 + 1 if token_in == 0 else SQRT_RATIO_MAX_X96 - 1
        self.actor.do(self._swapped(pool, token_in, amount, limit))

    def _swap_to(self, pool: Pool, random: Random) -> None:
        """Swap exactly to a tick, as a rule one that a position begins or ends at."""
        tick = self._tick(pool)
        ends = [end for one, *span in self.positions if one == pool for end in span]
        spacing = self.spacings[pool.address]
        near = [one for one in ends if abs(one - tick) < 4_000]
        to = random.choice(near or [tick // spacing * spacing + spacing])
        self.actor.do(self._swapped(pool, 0 if to <= tick else 1, 10**30, sqrt_ratio_at_tick(to)))

    def _give(self, pool: Pool, random: Random) -> None:
        spacing, tick = self.spacings[pool.address], self._tick(pool)
        low, high = sorted(
            (tick // spacing + change) * spacing for change in random.sample(range(-12, 13), 2)
        )
        self._mint(pool, low, high, random.randrange(1, 10 ** random.choice((2, 12, 18))))

    def _take(self, pool: Pool, random: Random) -> None:
        own = [(low, high) for one, low, high in self.positions if one == pool]
        low, high = random.choice(own[1:] or own)
        liquidity = self._liquidity(pool, low, high)
        part = random.choice((0, liquidity // 3, liquidity, liquidity))
        if (low, high) == own[0]:
            part //= 2
        self.actor.do(
            (pool.address, BURN, (low, high, part)),
            (pool.address, COLLECT, (self.actor.me, low, high, UINT128_MAX, UINT128_MAX)),
        )

    def _flash(self, pool: Pool, random: Random) -> None:
        amount = random.randrange(10**3)
        self.actor.do((pool.address, FLASH, (pool.address, amount, amount, b"")))

    def _mint(self, pool: Pool, low: int, high: int, liquidity: int) -> None:
        terms = (*[self.actor.me] * self.dialect.minters, low, high, liquidity, b"")
        if self.actor.do((pool.address, self.dialect.mint, terms)):
            self.positions.append((pool, low, high))

    def _swapped(self, pool: Pool, token_in: int, amount: int, limit: int) -> Do:
        return pool.address, SWAP, (self.actor.me, token_in == 0, amount, limit, b"")

    def _tick(self, pool: Pool) -> int:
        words: Sequence[int] = self.actor.hands.read(
            pool.address, self.dialect.state, ("uint160", "int24")
        )
        return words[1]

    def _liquidity(self, pool: Pool, low: int, high: int) -> int:
        parts = self.actor.me, low.to_bytes(3, signed=True), high.to_bytes(3, signed=True)
        key = bytes.fromhex(parts[0][2:]) + parts[1] + parts[2]
        if self.dialect.is_hashed:
            key = keccak(key)
        found: int = self.actor.hands.read(
            pool.address, "positions(bytes32)", ("uint128",), key.rjust(32, b"\0")
        )
        return found
