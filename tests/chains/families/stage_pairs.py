"""Pairs of Uniswap V2: swapped, filled, emptied, given to, skimmed and synced at random."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from engine.chains.families.uniswap_v2 import UniswapV2
from engine.chains.ports import Family
from engine.domain.pools import Pool, Protocol
from engine.sandbox.world.values import WorldToken
from tests.chains.families.actor import Actor, Do, pool_of


class PairStage:
    """See `following.Stage`; pairs of the world's own factory."""

    def __init__(self, actor: Actor, pairs: Sequence[tuple[str, str]]) -> None:
        self.actor = actor
        self.family: Family = UniswapV2()
        self.pools: list[Pool] = []
        self.tokens: dict[str, tuple[WorldToken, ...]] = {}
        factory = actor.world.made.contracts["v2_factory"]
        self.router = actor.world.made.contracts["v2_router"]
        for symbols in pairs:
            tokens = actor.in_order(*symbols)
            both = (tokens[0].address, tokens[1].address)
            actor.do((factory, "createPair(address,address)", both))
            address = actor.hands.read(factory, "getPair(address,address)", ("address",), *both)
            self.take(pool_of(Protocol.UNISWAP_V2, address, tokens, Decimal("0.003")), tokens)

    def take(self, pool: Pool, tokens: tuple[WorldToken, ...]) -> None:
        """Take a pair, and fill it."""
        self.pools.append(pool)
        self.tokens[pool.address] = tokens
        self._mint(pool, (10**20, 3 * 10**20))

    def act(self, random: Random) -> None:
        pool = random.choice(self.pools)
        random.choice((self._swap, self._swap, self._fill, self._empty, self._give))(pool, random)

    def quote(self, pool: Pool, amount_raw: int, *, token_in: int, token_out: int) -> int | None:
        path = [self.tokens[pool.address][one].address for one in (token_in, token_out)]
        said = self.actor.ask(
            ("uint256[]",), (self.router, "getAmountsOut(uint256,address[])", (amount_raw, path))
        )
        return None if said is None else int(said[0][1])

    def size(self, pool: Pool, token: int, random: Random) -> int:
        del pool, token
        return random.randrange(1, 10 ** random.choice((3, 12, 19, 21)))

    def _swap(self, pool: Pool, random: Random) -> None:
        token_in = random.randrange(2)
        amount = self.size(pool, token_in, random)
        out = self.quote(pool, amount, token_in=token_in, token_out=1 - token_in)
        if not out:
            return
        out = max(1, out - random.choice((0, 0, random.randrange(out))))
        outs = (0, out) if token_in == 0 else (out, 0)
        self.actor.do(
            self._pay(pool, token_in, amount),
            (pool.address, "swap(uint256,uint256,address,bytes)", (*outs, self.actor.me, b"")),
        )

    def _fill(self, pool: Pool, random: Random) -> None:
        self._mint(pool, (self.size(pool, 0, random), self.size(pool, 1, random)))

    def _empty(self, pool: Pool, random: Random) -> None:
        held = self.actor.hands.read(
            pool.address, "balanceOf(address)", ("uint256",), self.actor.me
        )
        self.actor.do(
            (pool.address, "transfer(address,uint256)", (pool.address, random.randrange(held))),
            (pool.address, "burn(address)", (self.actor.me,)),
        )

    def _give(self, pool: Pool, random: Random) -> None:
        """Send tokens that no reserve counts, then count them, take them or leave them."""
        given = self._pay(pool, random.randrange(2), self.size(pool, 0, random))
        after: list[Do] = [
            (pool.address, "sync()", ()),
            (pool.address, "skim(address)", (self.actor.me,)),
        ]
        self.actor.do(given, *random.sample(after, random.randrange(2)))

    def _mint(self, pool: Pool, amounts: tuple[int, int]) -> None:
        self.actor.do(
            *(self._pay(pool, token, amount) for token, amount in enumerate(amounts)),
            (pool.address, "mint(address)", (self.actor.me,)),
        )

    def _pay(self, pool: Pool, token: int, amount: int) -> Do:
        address = self.tokens[pool.address][token].address
        return address, "transfer(address,uint256)", (pool.address, amount)
