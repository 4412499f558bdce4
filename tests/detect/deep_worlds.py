"""Small markets of books and pools with gas, and a plain search for their best route."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.mixed_routes import why_not_traded
from engine.domain.opportunities import HopKind
from engine.domain.pools import Pool, Protocol
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.reference import screen as twin
from tests.reference.world import AGE_NS_MAX, Levels, Setup, World, make_instrument

__all__ = ["AGE_NS_MAX", "PairMarket", "Way", "pair_pool"]

GAS_UNITS = 90_000
DECIMALS = 18
FEE_POOL = 0.003
FEE_BOOK = 0.001
EDGE_MIN = (0.0 + 0.001) / 10_000
GOLDEN_ROUNDS = 90
COUNTED_IN = ("USD", "USDC", "USDT", "EUR", "GBP", "BTC", "ETH")


def pair_pool(
    first: str, second: str, reserves: tuple[float, float], *, number: int, fee: str = "0.003"
) -> PoolSnapshot:
    """Make a constant product pool of two assets."""
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number:040x}",
        tokens=((AssetCode(first), DECIMALS), (AssetCode(second), DECIMALS)),
        fee_ratio=Decimal(fee),
        gas_units=GAS_UNITS,
    )
    raw = [str(int(amount * 10**DECIMALS)) for amount in reserves]
    return PoolSnapshot(pool=pool, row=PairRow(reserve0_raw=raw[0], reserve1_raw=raw[1]))


@dataclass(frozen=True)
class Way:
    """One direction through a place, as the slow search knows it."""

    place: tuple[HopKind, int]
    source: str
    target: str
    levels: tuple[tuple[float, float], ...] = ()
    """Of a book: (target per source, most of the source), best first."""

    reserves: tuple[float, float] = (0.0, 0.0)

    def give(self, amount: float) -> float:
        if self.place[0] is HopKind.POOL:
            paid = amount * (1 - FEE_POOL)
            return self.reserves[1] * paid / (self.reserves[0] + paid)
        got = 0.0
        for rate, room in self.levels:
            take = min(room, amount)
            got += take * rate
            amount -= take
            if amount <= 0:
                break
        return got

    @property
    def rate(self) -> float:
        if self.place[0] is HopKind.POOL:
            return self.reserves[1] * (1 - FEE_POOL) / self.reserves[0]
        return self.levels[0][0]

    @property
    def most(self) -> float:
        """As much of the source as is worth trying."""
        if self.place[0] is HopKind.POOL:
            return self.reserves[0] * 10
        return sum(room for _, room in self.levels)


Cycle = tuple[Way, ...]


class PairMarket:
    """A world of books and constant product pools, beside the plain numbers that it holds."""

    def __init__(
        self,
        pools: Sequence[tuple[str, str, tuple[float, float]]],
        books: Sequence[str] = (),
        *,
        gwei: str,
        usd: dict[str, float],
        legs_max: int = 4,
    ) -> None:
        self.pools = list(pools)
        self.gwei, self.usd, self.legs_max = gwei, usd, legs_max
        self.books: dict[int, tuple[Levels, Levels]] = {}
        instruments = [make_instrument("a", pair, price_decimals=8) for pair in books]
        self.pairs = [pair.split("-") for pair in books]
        snapshots = [
            pair_pool(first, second, reserves, number=number)
            for number, (first, second, reserves) in enumerate(pools)
        ]
        # No book's age matters here, and no transfer is charged.
        self.world = World(
            Setup(
                instruments=instruments,
                pools=snapshots,
                gas_price_gwei=gwei,
                edge_bps_min="0",
                legs_max=legs_max,
            )
        )
        known = set(self.world.graph.assets)
        self.world.graph.set_values({AssetCode(a): v for a, v in usd.items() if a in known})
        while self.world.graph.settle():
            pass

    def sweep(self) -> None:
        """Let ticks pass until nothing waits to be screened."""
        for _ in range(1_000):
            self.world.detector.screen_starts(self.world.now_ns)
            if not self.world.graph.sweep.is_left:
                return

    def move(self, number: int, reserves: tuple[float, float]) -> None:
        first, second, _ = self.pools[number]
        self.pools[number] = (first, second, reserves)
        snapshot = pair_pool(first, second, reserves, number=number)
        self.world.detector.on_pools({number: prepare_pool(snapshot)}, self.world.now_ns)

    def show(self, book: int, bids: Levels, asks: Levels) -> None:
        self.books[book] = (bids, asks)
        self.world.show(book, bids, asks)

    def ways(self) -> list[Way]:
        """Every direction of every place."""
        ways = []
        for number, (first, second, reserves) in enumerate(self.pools):
            ways.append(Way((HopKind.POOL, number), first, second, reserves=reserves))
            ways.append(Way((HopKind.POOL, number), second, first, reserves=reserves[::-1]))
        for book, (bids, asks) in self.books.items():
            base, quote = self.pairs[book]
            sells = tuple((float(p) * (1 - FEE_BOOK), float(s)) for p, s in bids)
            buys = tuple(
                (1 / (float(p) * (1 + FEE_BOOK)), float(s) * float(p) * (1 + FEE_BOOK))
                for p, s in asks
            )
            ways.append(Way((HopKind.BOOK, book), base, quote, levels=sells))
            ways.append(Way((HopKind.BOOK, book), quote, base, levels=buys))
        return ways

    def cycles(self) -> Iterator[Cycle]:
        """Every cycle that gains at the margin, once, from where it starts."""
        for cycle in self._found():
            yield self._turned(cycle)

    def _turned(self, cycle: Cycle) -> Cycle:
        """Let a cycle of books and pools not start between two pools."""
        is_pool = [way.place[0] is HopKind.POOL for way in cycle]
        if all(is_pool):
            return cycle
        came = [str(asset) for asset in self.world.graph.assets]
        starts = [at for at, one in enumerate(is_pool) if not (one and is_pool[at - 1])]
        at = min(starts, key=lambda at: _rank(cycle[at].source, came))
        return (*cycle[at:], *cycle[:at])

    def _found(self) -> Iterator[Cycle]:
        by_source: dict[str, list[Way]] = {}
        for way in self.ways():
            by_source.setdefault(way.source, []).append(way)
        came = [str(asset) for asset in self.world.graph.assets]
        ranks = {asset: _rank(asset, came) for asset in by_source}

        def extend(path: Cycle, rate: float) -> Iterator[Cycle]:
            start = path[0].source
            for way in by_source.get(path[-1].target, ()):
                if any(way.place == held.place for held in path):
                    continue
                if way.target == start and rate * way.rate > 1:
                    yield (*path, way)
                if (
                    way.target != start
                    and ranks.get(way.target, -1) > ranks[start]
                    and len(path) + 1 < self.legs_max
                    and all(way.target != held.source for held in path)
                ):
                    yield from extend((*path, way), rate * way.rate)

        for way in itertools.chain.from_iterable(by_source.values()):
            if ranks[way.source] < ranks.get(way.target, -1):
                yield from extend((way,), way.rate)

    def best(self) -> tuple[float, Cycle | None]:
        """What the best route that can be traded gains in USD net of gas and the least edge."""
        best: tuple[float, Cycle | None] = (0.0, None)
        for cycle in filter(is_traded, self.cycles()):
            profit_usd = self.profit_usd(cycle)
            if profit_usd > best[0]:
                best = (profit_usd, cycle)
        return best

    def gas_usd(self, cycle: Cycle) -> float:
        swaps = sum(way.place[0] is HopKind.POOL for way in cycle)
        return swaps * GAS_UNITS * float(self.gwei) * 1e-9 * self.usd["ETH"]

    def profit_usd(self, cycle: Cycle) -> float:
        """Size a cycle by golden section."""
        start_usd = self.usd[cycle[0].source]

        def gain(amount: float) -> float:
            got = amount
            for way in cycle:
                got = way.give(got)
            return got - amount * (1 + EDGE_MIN)

        low, high = 0.0, cycle[0].most
        for _ in range(GOLDEN_ROUNDS):
            left = high - twin.GOLDEN * (high - low)
            right = low + twin.GOLDEN * (high - low)
            if gain(left) < gain(right):
                low = left
            else:
                high = right
        amount = (low + high) / 2
        net = gain(amount) * start_usd - self.gas_usd(cycle)
        return net + amount * EDGE_MIN * start_usd if net > 0 else 0.0

    def open_usd(self) -> dict[int, list[float]]:
        """What each open route that can be traded gains net, in USD, by its legs, best first."""
        open_usd: dict[int, list[float]] = {}
        for episode in self.world.detector.open_episodes:
            hops = episode.first.hops
            if why_not_traded(hops):
                continue
            usd = episode.profit_quote * self.usd[hops[0].source]
            open_usd.setdefault(len(hops), []).append(usd)
        return {legs: sorted(found, reverse=True) for legs, found in open_usd.items()}

    def best_open_usd(self) -> float:
        return max((found[0] for found in self.open_usd().values()), default=0.0)


def is_traded(cycle: Cycle) -> bool:
    """Say whether a cycle's pools, all of one chain, stand together: one transaction."""
    kinds = [way.place[0] for way in cycle]
    return sum(one is HopKind.POOL and (not at or kinds[at - 1] is not HopKind.POOL)
               for at, one in enumerate(kinds)) <= 1  # fmt: skip


def _rank(asset: str, came: Sequence[str]) -> int:
    """Say where routes start: in what money is best counted in, else in what came first."""
    return COUNTED_IN.index(asset) if asset in COUNTED_IN else len(COUNTED_IN) + came.index(asset)


def dust_market(dust_count: int, *, gwei: str = "20") -> PairMarket:
    """Make a hub pool, one deep triangle through it, and many triangles of dust."""
    pools: list[tuple[str, str, tuple[float, float]]] = [
        ("ETH", "USDT", (10_000.0, 20_000_000.0)),
        ("ETH", "RRR", (5_000.0, 1_000_000.0)),
        ("RRR", "USDT", (1_000_000.0, 10_000_000.0)),
    ]
    for number in range(dust_count):
        pools.append(("ETH", f"D{number}", (0.005, 1_000.0)))
        pools.append((f"D{number}", "USDT", (1_000.0, 12.0)))
    usd = {"ETH": 2_000.0, "USDT": 1.0, "RRR": 10.0}
    usd |= {f"D{number}": 0.01 for number in range(dust_count)}
    return PairMarket(pools, gwei=gwei, usd=usd)


def random_market(rng: random.Random) -> PairMarket:
    """Make a small market whose places disagree by a little, some deep and some shallow."""
    tokens = ["USDT", "ETH", "AAA", "BBB", "CCC", "DDD"][: rng.randint(3, 6)]
    usd = {"USDT": 1.0, "ETH": 2_000.0} | {
        token: 10.0 ** rng.uniform(-1, 2) for token in tokens[2:]
    }
    pairs = list(itertools.combinations(tokens, 2))
    noise = rng.choice((0.003, 0.01, 0.03))
    pools = []
    for number in range(rng.randint(3, 14)):
        # Without a pool of what gas is paid in, no route that needs any can be costed.
        first, second = ("USDT", "ETH") if number == 0 else rng.choice(pairs)
        depth_usd = 10.0 ** rng.uniform(2, 7)
        skew = 1.0 + rng.gauss(0, noise)
        pools.append((first, second, (depth_usd / usd[first] * skew, depth_usd / usd[second])))
    books = rng.sample([f"{b}-{a}" for a, b in pairs], rng.randint(0, min(3, len(pairs))))
    market = PairMarket(pools, books, gwei=rng.choice(("0", "5", "20", "100")), usd=usd, legs_max=4)
    for book in range(len(books)):
        market.show(book, *random_book(rng, market, book, noise=noise))
    return market


def random_book(
    rng: random.Random, market: PairMarket, book: int, *, noise: float
) -> tuple[Levels, Levels]:
    base, quote = market.pairs[book]
    middle = market.usd[base] / market.usd[quote] * (1.0 + rng.gauss(0, noise))
    bids, asks = [], []
    for level in range(rng.randint(1, 4)):
        off = 0.0005 * (level + rng.uniform(0.2, 0.9))
        size = f"{10.0 ** rng.uniform(1, 6) / market.usd[base]:.8f}"
        bids.append((f"{middle * (1 - off):.8f}", size))
        asks.append((f"{middle * (1 + off):.8f}", size))
    return bids, asks


def random_event(rng: random.Random, market: PairMarket) -> None:
    """Move a pool's price, or its depth alone; or show a book anew, or its sizes alone."""
    if market.books and rng.random() < 0.5:
        book = rng.choice(list(market.books))
        bids, asks = market.books[book]
        if rng.random() < 0.5:
            factor = 10.0 ** rng.uniform(-2, 2)
            bids, asks = (
                [(price, f"{max(float(size) * factor, 1e-8):.8f}") for price, size in side]
                for side in (bids, asks)
            )
        else:
            bids, asks = random_book(rng, market, book, noise=0.01)
        market.show(book, bids, asks)
        return
    number = rng.randrange(len(market.pools))
    first, second = market.pools[number][2]
    depth = 10.0 ** rng.uniform(-1, 1) if rng.random() < 0.5 else 1.0
    skew = 1.0 + rng.gauss(0, 0.01) if rng.random() < 0.7 else 1.0
    market.move(number, (first * depth * skew, second * depth))
