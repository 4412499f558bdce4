"""Plans through the pools of a local world, exact as its chain is now: its makers quote."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.handed import Handed, PoolTerms
from engine.domain.instruments import VenueId
from engine.domain.plans import AtomicPlan, GasBound, Step
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import Token, asset_of
from engine.sandbox.world.values import WorldPool
from tests.chains.local_world import LocalWorld
from tests.storage.makers import make_atomic_plan

V3_FEES = {"USDC": 500, "USDT": 3_000}


class WorldPlans:
    """Makes plans that sell ETH at a pool of V3 and buy it back at a pair of V2.

    Args:
        world: whose pools these are.
        chain: the one that plans are for; its node may pose as another than the world is of.
    """

    def __init__(self, world: LocalWorld, chain: str) -> None:
        self.world = world
        self.chain = chain
        self.weth = world.token("WETH").address
        self.numbers = 0
        self.shift_ns = 0

    def now_ns(self) -> int:
        """The chain's own time: what is late is late there."""
        return int(self.world.head()["timestamp"], 16) * 10**9 + self.shift_ns

    def asset(self, address: str) -> AssetCode:
        """What a token is on the chain that plans are for: of the table, or one of its own."""
        made = self.world.made
        one = next(one for one in (*made.tokens, made.coin) if one.address == address)
        if one is made.coin:
            return AssetCode(one.asset)
        token = Token(chain=self.chain, address=address, decimals=one.decimals)
        return asset_of(token, symbol=one.symbol)

    def gap(self, whole: float = 30, *, dollar: str = "USDC") -> None:
        """Make ETH cheap at the pair."""
        self.world.swap(self.pair_of(dollar), "WETH", whole)

    @property
    def pair(self) -> WorldPool:
        return self.pair_of("USDC")

    @property
    def concentrated(self) -> WorldPool:
        return self.concentrated_of("USDC")

    def pair_of(self, dollar: str) -> WorldPool:
        return self.world.pool("Uniswap V2", "WETH", dollar)

    def concentrated_of(self, dollar: str) -> WorldPool:
        return self.world.pool("Uniswap V3", "WETH", dollar, V3_FEES[dollar])

    def plan(
        self,
        amount_in: str = "2",
        *,
        seconds: float = 4,
        price_gwei: int = 50,
        dollar: str = "USDC",
    ) -> AtomicPlan:
        """Sell ETH at the concentrated pool, buy it back at the pair; exact as the chain is now."""
        self.numbers += 1
        amount_raw = int(Decimal(amount_in) * 10**18)
        usdc = self.world.token(dollar).address
        usdc_raw = self.quoted(amount_raw, dollar)
        back_raw = self.paired(usdc_raw, dollar)
        first, second = self.concentrated_of(dollar), self.pair_of(dollar)
        usd, eth = self.asset(usdc), self.asset(self.weth)
        assert usdc in first.tokens
        steps = (
            self._step(first, (eth, 18, amount_raw), (usd, 6, usdc_raw)),
            self._step(second, (usd, 6, usdc_raw), (eth, 18, back_raw)),
        )
        base = make_atomic_plan(number=self.numbers)
        gas = GasBound(
            asset=AssetCode("ETH"),
            units=400_000,
            price_gwei=Decimal(price_gwei),
            amount=Decimal(400_000 * price_gwei).scaleb(-9),
            quote=Decimal(400_000 * price_gwei).scaleb(-9),
        )
        return msgspec.structs.replace(
            base,
            opportunity=_quoted_in(base.opportunity, eth),
            decided_at_ns=self.now_ns(),
            deadline_ns=self.now_ns() + int(seconds * 10**9),
            deadline_block=None,
            chain=self.chain,
            steps=steps,
            flash_fee=Decimal(0),
            gas=gas,
            profit_min_quote=Decimal(0),
            is_live=True,
        )

    def _step(
        self,
        pool: WorldPool,
        given: tuple[AssetCode, int, int],
        got: tuple[AssetCode, int, int],
    ) -> Step:
        (source, decimals_in, in_raw), (target, decimals_out, out_raw) = given, got
        amount_out = Decimal(out_raw).scaleb(-decimals_out)
        return Step(
            venue=VenueId(f"{pool.protocol}@{self.chain}"),
            address=pool.address,
            row=0,
            source=source,
            target=target,
            amount_in=Decimal(in_raw).scaleb(-decimals_in),
            amount_out=amount_out,
            amount_out_min=amount_out * Decimal("0.5"),
            decimals_in=decimals_in,
            decimals_out=decimals_out,
            frame_seq=1,
        )

    def quoted(self, amount_raw: int, dollar: str = "USDC") -> int:
        """What the concentrated pool gives, by Uniswap's own quoter."""
        usdc = self.world.token(dollar).address
        found = self.world.hands(1).read(
            self.world.made.contracts["v3_quoter"],
            "quoteExactInputSingle((address,address,uint256,uint24,uint160))",
            ("uint256", "uint160", "uint32", "uint256"),
            (self.weth, usdc, amount_raw, V3_FEES[dollar], 0),
        )
        return int(found[0])

    def paired(self, usdc_raw: int, dollar: str = "USDC") -> int:
        """What the pair gives, by its router."""
        usdc = self.world.token(dollar).address
        path = [usdc, self.weth]
        router = self.world.made.contracts["v2_router"]
        found = self.world.hands(1).read(
            router, "getAmountsOut(uint256,address[])", ("uint256[]",), usdc_raw, path
        )
        return int(found[-1])

    def pools(self, *which: WorldPool) -> tuple[PoolTerms, ...]:
        made = self.world.made
        names = {one.address: one for one in (*made.tokens, made.coin)}
        return tuple(
            PoolTerms(
                pool=Pool(
                    chain=self.chain,
                    protocol=Protocol(one.protocol),
                    address=one.balancer_id or one.address,
                    tokens=tuple(
                        (self.asset(token), names[token].decimals) for token in one.tokens
                    ),
                    fee_ratio=Decimal(one.fee_pips) / 10**6,
                    gas_units=100_000,
                    token_addresses=one.tokens,
                ),
                tick_spacing=one.tick_spacing,
            )
            for one in which
        )

    def handed(self, plan: AtomicPlan, dollar: str = "USDC") -> Handed:
        """What an engine hands over of a plan."""
        return Handed(
            client_order_id=f"{plan.plan_id}-t",
            plan=plan,
            pools=self.pools(self.concentrated_of(dollar), self.pair_of(dollar)),
            engine="main",
            at_ns=plan.decided_at_ns,
        )


def _quoted_in(opportunity: Any, asset: AssetCode) -> Any:
    """Return an opportunity whose route starts and ends in an asset."""
    hops: Sequence[Any] = opportunity.hops
    first = msgspec.structs.replace(hops[0], source=asset)
    last = msgspec.structs.replace(hops[-1], target=asset)
    return msgspec.structs.replace(opportunity, hops=(first, *hops[1:-1], last))
