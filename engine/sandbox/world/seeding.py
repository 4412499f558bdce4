"""Makes pools and gives them liquidity around given prices."""

from collections.abc import Mapping
from decimal import Decimal
from math import isqrt
from typing import Final

from engine.domain.dexes import Dex
from engine.pools.tick_math import tick_at_sqrt_ratio
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.plan import ChainPlan
from engine.sandbox.world.values import WorldPool, WorldToken

FOR_EVER: Final = 2**40
"""A deadline that no block reaches."""

TICK_SPACINGS: Final[Mapping[int, int]] = {100: 1, 500: 10, 3000: 60, 10_000: 200}
TICK_MAX: Final = 887_272

WRAPPED_USD: Final = Decimal(200_000_000)
"""Worth of the coins that the first account wraps."""

TOKENS_USD: Final = Decimal(10) ** 12
"""Worth of each token that the first account mints to itself."""

PAIRS_V2: Final = (("wrapped", "USDC"), ("wrapped", "USDT"), ("WBTC", "wrapped"), ("DAI", "USDC"))
PAIRS_V3: Final = (
    (("wrapped", "USDC"), 500),
    (("wrapped", "USDC"), 3000),
    (("wrapped", "USDT"), 3000),
    (("WBTC", "wrapped"), 3000),
    (("USDC", "USDT"), 100),
    (("DAI", "USDC"), 500),
)
SIDE_USD: Final = Decimal(2_000_000)
"""Worth of each side of a pool."""

NARROW_TICKS: Final = 2_000
"""So far from the price a concentrated pool's narrower position reaches, on each side."""


class Seeder:
    """Makes pools on a chain and remembers them."""

    def __init__(self, hands: Hands, plan: ChainPlan, tokens: tuple[WorldToken, ...]) -> None:
        self.pools: Final[list[WorldPool]] = []
        self._hands = hands
        self._plan = plan
        self._tokens = {one.symbol: one for one in tokens}
        for planned, token in zip(plan.tokens, tokens, strict=True):
            if planned.is_wrapped:
                self._tokens["wrapped"] = token

    def token(self, symbol: str) -> WorldToken:
        """Return a token by its symbol, or as ``wrapped``."""
        return self._tokens[symbol]

    def worth_raw(self, token: WorldToken, usd: Decimal) -> int:
        """Return how much of a token is worth so many dollars."""
        return int(usd / self._plan.prices_usd[token.asset] * 10**token.decimals)

    def give(self, account: str, usd: Decimal) -> None:
        """Give an account every token that can be minted."""
        for symbol, token in self._tokens.items():
            if symbol != "wrapped" and token is not self._tokens["wrapped"]:
                amount = self.worth_raw(token, usd)
                self._hands.send(token.address, "mint(address,uint256)", account, amount)

    def pair(self, dex: Dex, router: str, tokens: tuple[str, str]) -> None:
        """Make a pair of a V2 and fill it."""
        a, b = self.in_order(*tokens)
        self._hands.send(
            router,
            "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
            a.address,
            b.address,
            self.worth_raw(a, SIDE_USD),
            self.worth_raw(b, SIDE_USD),
            0,
            0,
            self._hands.me,
            FOR_EVER,
        )
        address = self._hands.read(
            dex.factory, "getPair(address,address)", ("address",), a.address, b.address
        )
        self._add(dex, address, (a, b), fee_pips=dex.fee_pips)

    def concentrated(
        self, dex: Dex, positions: str, tokens: tuple[str, str], fee_pips: int
    ) -> None:
        """Make a pool of V3 and put a narrow and a full position into it."""
        t0, t1 = self.in_order(*tokens)
        price = self.sqrt_price_x96(t0, t1)
        self._hands.send(
            positions,
            "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
            t0.address,
            t1.address,
            fee_pips,
            price,
        )
        spacing = TICK_SPACINGS[fee_pips]
        tick = tick_at_sqrt_ratio(price)
        whole = TICK_MAX // spacing * spacing
        low, high = (
            (tick + change) // spacing * spacing for change in (-NARROW_TICKS, NARROW_TICKS)
        )
        for span in ((low, high), (-whole, whole)):
            amounts = [self.worth_raw(token, SIDE_USD / 2) for token in (t0, t1)]
            self._hands.send(
                positions,
                "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,"
                "uint256))",
                (t0.address, t1.address, fee_pips, *span, *amounts, 0, 0, self._hands.me, FOR_EVER),
            )
        address = self._hands.read(
            dex.factory,
            "getPool(address,address,uint24)",
            ("address",),
            t0.address,
            t1.address,
            fee_pips,
        )
        self._add(dex, address, (t0, t1), fee_pips=fee_pips, tick_spacing=spacing)

    def in_order(self, one: str, other: str) -> tuple[WorldToken, WorldToken]:
        """Return two tokens as contracts order them."""
        a, b = sorted((self.token(one), self.token(other)), key=lambda token: token.address)
        return a, b

    def sqrt_price_x96(self, t0: WorldToken, t1: WorldToken) -> int:
        """Return the price at the start as contracts write it."""
        prices = self._plan.prices_usd
        raw = prices[t0.asset] / prices[t1.asset] * Decimal(10) ** (t1.decimals - t0.decimals)
        numerator, denominator = raw.as_integer_ratio()
        return isqrt((numerator << 192) // denominator)

    def _add(
        self,
        dex: Dex,
        address: str,
        tokens: tuple[WorldToken, ...],
        *,
        fee_pips: int,
        tick_spacing: int = 0,
    ) -> None:
        self.pools.append(
            WorldPool(
                dex=dex.name,
                protocol=dex.protocol,
                address=address,
                tokens=tuple(one.address for one in tokens),
                fee_pips=fee_pips,
                tick_spacing=tick_spacing,
            )
        )
