"""Pools of Aerodrome V2: swapped, filled, emptied, and asked other fees without a word."""

from decimal import Decimal
from random import Random

from engine.chains.families.solidly import Solidly
from engine.domain.pools import Pool, Protocol
from engine.sandbox.world.values import WorldToken
from tests.chains.families.actor import Actor, Do, pool_of


class SolidlyStage:
    """See `following.Stage`; `codes` are those that deploy Aerodrome's pool and factory."""

    def __init__(self, actor: Actor, *, pool_code: str, factory_code: str) -> None:
        self.actor = actor
        self.family = Solidly()
        self.pools: list[Pool] = []
        self.stables: dict[str, bool] = {}
        self.tokens: dict[str, tuple[WorldToken, ...]] = {}
        self.factory = actor.deploy(factory_code, "(address)", actor.deploy(pool_code))

    def add(self, symbols: tuple[str, str], *, is_stable: bool) -> None:
        """Make a pool and fill it."""
        tokens = self.actor.in_order(*symbols)
        terms = (tokens[0].address, tokens[1].address, is_stable)
        self.actor.do((self.factory, "createPool(address,address,bool)", terms))
        address = self.actor.hands.read(
            self.factory, "getPool(address,address,bool)", ("address",), *terms
        )
        pool = pool_of(Protocol.AERODROME_V2, address, tokens, Decimal(0))
        self.pools.append(pool)
        self.stables[pool.address] = is_stable
        self.tokens[pool.address] = tokens
        first, second = (10 ** (one.decimals + 6) for one in tokens)
        assert self._mint(pool, (first, second))

    def act(self, random: Random) -> None:
        pool = random.choice(self.pools)
        random.choice(
            (self._swap, self._swap, self._swap, self._fill, self._empty, self._give, self._ask_fee)
        )(pool, random)

    def quote(self, pool: Pool, amount_raw: int, *, token_in: int, token_out: int) -> int | None:
        del token_out
        token = self.tokens[pool.address][token_in].address
        said = self.actor.ask(
            ("uint256",),
            (pool.address, "getAmountOut(uint256,address)", (amount_raw, token)),
        )
        return None if said is None else int(said[0])

    def size(self, pool: Pool, token: int, random: Random) -> int:
        decimals = self.tokens[pool.address][token].decimals
        return random.randrange(1, 10 ** (decimals + random.choice((-3, 2, 5, 6))))

    def _swap(self, pool: Pool, random: Random) -> None:
        token_in = random.randrange(2)
        amount = self.size(pool, token_in, random)
        out = self.quote(pool, amount, token_in=token_in, token_out=1 - token_in)
        if not out:
            return
        out = max(1, out - random.choice((0, 0, out // 3)))
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
        part = held // random.randrange(3, 3_000)
        self.actor.do(
            (pool.address, "transfer(address,uint256)", (pool.address, part)),
            (pool.address, "burn(address)", (self.actor.me,)),
        )

    def _give(self, pool: Pool, random: Random) -> None:
        given = self._pay(pool, random.randrange(2), self.size(pool, 0, random))
        after: list[Do] = [
            (pool.address, "sync()", ()),
            (pool.address, "skim(address)", (self.actor.me,)),
            (pool.address, "claimFees()", ()),
        ]
        self.actor.do(given, *random.sample(after, random.randrange(2)))

    def _ask_fee(self, pool: Pool, random: Random) -> None:
        fee = random.choice((1, 5, 30, 77, 300))
        if random.random() < 0.5:
            self.actor.do_as_me(self.factory, "setFee(bool,uint256)", random.random() < 0.5, fee)
        else:
            self.actor.do_as_me(
                self.factory,
                "setCustomFee(address,uint256)",
                pool.address,
                random.choice((0, fee, 420)),
            )

    def _mint(self, pool: Pool, amounts: tuple[int, int]) -> bool:
        return self.actor.do(
            *(self._pay(pool, token, amount) for token, amount in enumerate(amounts)),
            (pool.address, "mint(address)", (self.actor.me,)),
        )

    def _pay(self, pool: Pool, token: int, amount: int) -> Do:
        address = self.tokens[pool.address][token].address
        return address, "transfer(address,uint256)", (pool.address, amount)
