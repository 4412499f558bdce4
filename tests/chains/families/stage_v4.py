"""Pools of Uniswap V4 without hooks, some of whose swaps the protocol takes a part of."""

from decimal import Decimal
from math import isqrt
from random import Random

from engine.chains.families.uniswap_v4 import UniswapV4, pool_id
from engine.domain.pools import Pool, Protocol
from engine.pools.tick_math import (
    SQRT_RATIO_MAX_X96,
    SQRT_RATIO_MIN_X96,
    tick_at_sqrt_ratio,
)
from engine.sandbox.world.abi import UINT_MAX, ZERO
from engine.sandbox.world.artifacts import bytecode
from engine.sandbox.world.rpc import NodeSaidNoError
from engine.sandbox.world.values import WorldToken
from tests.chains.families.actor import TOKENS, Actor, pool_of

CORE = "@uniswap/v4-core/out"
QUOTER = "@uniswap/v4-periphery/foundry-out/V4Quoter.sol/V4Quoter.json"
HELPERS = ("PoolSwapTest", "PoolModifyLiquidityTest", "PoolDonateTest")
KEY = "(address,address,uint24,int24,address)"
SWAP = f"swap({KEY},(bool,int256,uint160),(bool,bool),bytes)"
MODIFY = f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)"
DONATE = f"donate({KEY},uint256,uint256,bytes)"
QUOTE = f"quoteExactInputSingle(({KEY},bool,uint128,bytes))"

Key = tuple[str, str, int, int, str]


class V4Stage:
    """See `following.Stage`."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.hands = actor.hands
        self.manager = actor.deploy(
            bytecode(f"{CORE}/PoolManager.sol/PoolManager.json"), "(address)", self.hands.me
        )
        self.quoter, self.swapper, self.giver, self.donor = (
            actor.deploy(bytecode(path), "(address)", self.manager)
            for path in (QUOTER, *(f"{CORE}/{name}.sol/{name}.json" for name in HELPERS))
        )
        self.family = UniswapV4(frozenset((self.manager,)))
        self.pools: list[Pool] = []
        self.keys: dict[str, Key] = {}
        self.positions: list[tuple[Pool, int, int, int]] = []
        for symbol in TOKENS:
            for spender in (self.swapper, self.giver, self.donor):
                token = actor.token(symbol).address
                self.hands.send(token, "approve(address,uint256)", spender, UINT_MAX)
        self.hands.send(self.manager, "setProtocolFeeController(address)", self.hands.me)
        self.hands.flush()

    def add(self, tokens: tuple[WorldToken, ...], *, fee_pips: int, spacing: int) -> None:
        """Make a pool, give it a price and some liquidity."""
        key = (tokens[0].address, tokens[1].address, fee_pips, spacing, ZERO)
        address = pool_id(key[0], key[1], fee_pips=fee_pips, tick_spacing=spacing)
        pool = pool_of(Protocol.UNISWAP_V4, address, tokens, Decimal(fee_pips) / 10**6)
        self.keys[address] = key
        raw = 10 ** (tokens[1].decimals - tokens[0].decimals + 20)
        price = isqrt((raw << 192) // 10**20)
        self.hands.send(self.manager, f"initialize({KEY},uint160)", key, price)
        self.hands.flush()
        self.pools.append(pool)
        whole = 887_272 // spacing * spacing
        self._modify(pool, -whole, whole, 10**17)
        self.tick = tick_at_sqrt_ratio(price)

    def act(self, random: Random) -> None:
        pool = random.choice(self.pools)
        random.choice(
            (self._swap, self._swap, self._swap, self._give, self._give, self._take, self._other)
        )(pool, random)

    def quote(self, pool: Pool, amount_raw: int, *, token_in: int, token_out: int) -> int | None:
        del token_out
        if amount_raw >= 2**127:
            return None
        try:
            said: tuple[int, int] = self.hands.read(
                self.quoter,
                QUOTE,
                ("uint256", "uint256"),
                (self.keys[pool.address], token_in == 0, amount_raw, b""),
            )
        except NodeSaidNoError:
            return None
        return said[0]

    def size(self, pool: Pool, token: int, random: Random) -> int:
        del pool, token
        return random.randrange(1, 10 ** random.choice((3, 9, 14, 18)))

    def _swap(self, pool: Pool, random: Random) -> None:
        token_in = random.randrange(2)
        amount = self.size(pool, token_in, random) * random.choice((1, -1, -1))
        limit = SQRT_RATIO_MIN_X96 + 1 if token_in == 0 else SQRT_RATIO_MAX_X96 - 1
        wanted = (token_in == 0, amount, limit)
        self.actor.do_as_me(
            self.swapper, SWAP, self.keys[pool.address], wanted, (False, False), b""
        )

    def _give(self, pool: Pool, random: Random) -> None:
        spacing = self.keys[pool.address][3]
        middle = self.tick // spacing
        low, high = sorted((middle + one) * spacing for one in random.sample(range(-12, 13), 2))
        self._modify(pool, low, high, random.randrange(1, 10 ** random.choice((2, 12, 18))))

    def _take(self, pool: Pool, random: Random) -> None:
        own = [one for one in self.positions if one[0] == pool]
        _, low, high, liquidity = random.choice(own[1:] or own)
        part = random.choice((0, liquidity // 3, liquidity)) if own[1:] else liquidity // 1_000
        self._modify(pool, low, high, -part)

    def _other(self, pool: Pool, random: Random) -> None:
        """Give to the providers, or let the protocol take another part."""
        key = self.keys[pool.address]
        if random.random() < 0.5:
            self.actor.do_as_me(self.donor, DONATE, key, random.randrange(100), 7, b"")
            return
        fee = random.choice((0, 1_000, 250)) << 12 | random.choice((0, 1_000, 3))
        self.actor.do_as_me(self.manager, f"setProtocolFee({KEY},uint24)", key, fee)

    def _modify(self, pool: Pool, low: int, high: int, delta: int) -> None:
        wanted = (low, high, delta, bytes(32))
        if self.actor.do_as_me(self.giver, MODIFY, self.keys[pool.address], wanted, b""):
            self.positions.append((pool, low, high, delta))
