"""A public solver's example, 53 pools of a chain: where one moves, all that then pays is open.

Some 39,000 cycles of dust gain at the margin there and none pays its gas, until a deep pool moves.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.screening.open_room import OPEN_MAX_BY_LEGS
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.pools.balancer_stable import InvariantForm
from engine.pools.snapshot_rows import AnyRow, PairRow, StableRow, WeightedRow
from engine.pools.snapshots import PoolSnapshot
from tests.reference.world import Setup, World

INSTANCE: Final = Path(__file__).parent / "vectors" / "solver_instance.json"
GAS_UNITS: Final = {"pair": 90_000, "weighted": 115_000, "stable": 115_000}
GWEI: Final = 30
LEGS_MAX: Final = 4
GOLDEN: Final = 0.6180339887498949
GOLDEN_ROUNDS: Final = 70
STEP: Final = 3.0
STEPS: Final = 30
START_ORDER: Final = ("USDC", "USDT", "ETH")

Give = Callable[[float], float]


@dataclass(frozen=True)
class Way:
    """One direction through a pool: amounts in whole tokens."""

    pool: int
    source: str
    target: str
    gas_units: int
    reserve_in: float
    give: Give

    @property
    def rate(self) -> float:
        small = self.reserve_in * 1e-9
        return self.give(small) / small


def pair_form(reserve_in: float, reserve_out: float, fee: float) -> Give:
    def give(amount: float) -> float:
        paid = amount * (1 - fee)
        return reserve_out * paid / (reserve_in + paid)

    return give


def weighted_form(reserve_in: float, reserve_out: float, power: float, fee: float) -> Give:
    def give(amount: float) -> float:
        paid = amount * (1 - fee)
        return float(reserve_out * (1 - (reserve_in / (reserve_in + paid)) ** power))

    return give


def stable_invariant(balances: list[float], amplification: float) -> float:
    count = len(balances)
    ann, total = amplification * count, sum(balances)
    invariant = total
    for _ in range(100):
        product = invariant
        for balance in balances:
            product *= invariant / (balance * count)
        top = (ann * total + product * count) * invariant
        invariant = top / ((ann - 1) * invariant + (count + 1) * product)
    return invariant


def stable_form(
    balances: list[float], at_in: int, at_out: int, amplification: float, fee: float
) -> Give:
    invariant = stable_invariant(balances, amplification)
    count = len(balances)
    ann = amplification * count

    def give(amount: float) -> float:
        held = list(balances)
        held[at_in] += amount * (1 - fee)
        rest = [balance for at, balance in enumerate(held) if at != at_out]
        tail = invariant
        for balance in rest:
            tail *= invariant / (balance * count)
        tail *= invariant / (ann * count)
        slope = sum(rest) + invariant / ann
        new = balances[at_out]
        for _ in range(60):
            new = (new * new + tail) / (2 * new + slope - invariant)
        return max(0.0, balances[at_out] - new)

    return give


class Instance:
    """The example, as our snapshots and as plain formulas."""

    def __init__(self) -> None:
        read: dict[str, Any] = msgspec.json.decode(INSTANCE.read_bytes())
        self.decimals = {name: token["decimals"] for name, token in read["tokens"].items()}
        wei = {name: token["wei_per_unit"] for name, token in read["tokens"].items()}
        eth_usd = 1e12 / wei["USDC"]
        self.usd: dict[str, float] = {
            name: price * 10 ** (self.decimals[name] - 18) * eth_usd
            for name, price in wei.items()
            if price is not None
        }
        self.pools: list[dict[str, Any]] = read["pools"]
        self.ways: list[Way] = []

    def start_rank(self, asset: str) -> int:
        return START_ORDER.index(asset) if asset in START_ORDER else len(START_ORDER)

    def snapshots(self) -> list[PoolSnapshot]:
        return [self._snapshot(pool) for pool in self.pools]

    def move(self, number: int, ratio: float) -> PoolSnapshot:
        """Let the first asset of a pair become scarcer by a ratio, as after a swap without fee."""
        pool = self.pools[number]
        (first, had), (second, paid) = pool["balances"].items()
        pool["balances"] = {first: str(int(int(had) / ratio)), second: str(int(int(paid) * ratio))}
        return self._snapshot(pool)

    def _snapshot(self, pool: dict[str, Any]) -> PoolSnapshot:
        names, balances = list(pool["balances"]), tuple(pool["balances"].values())
        row: AnyRow
        if pool["form"] == "pair":
            protocol = Protocol.UNISWAP_V2
            row = PairRow(reserve0_raw=balances[0], reserve1_raw=balances[1])
        elif pool["form"] == "weighted":
            protocol = Protocol.BALANCER_WEIGHTED
            weights = tuple(str(int(Decimal(one) * 10**18)) for one in pool["weights"].values())
            row = WeightedRow(balances_raw=balances, weights_e18=weights, has_shortcuts=True)
        else:
            protocol = Protocol.BALANCER_STABLE
            rates = (str(10**18),) * len(names)
            row = StableRow(
                balances_raw=balances,
                rates_e18=rates,
                amp=pool["amplification"] * 1000,
                invariant_form=InvariantForm.ROUND_DOWN,
            )
        return PoolSnapshot(
            pool=Pool(
                chain="ethereum",
                protocol=protocol,
                address=f"0x{pool['number']:040x}",
                tokens=tuple((AssetCode(name), self.decimals[name]) for name in names),
                fee_ratio=Decimal(pool["fee"]),
                gas_units=GAS_UNITS[pool["form"]],
            ),
            row=row,
        )

    def _ways(self, pool: dict[str, Any], number: int) -> Iterator[Way]:
        names, fee = list(pool["balances"]), float(pool["fee"])
        held = [float(raw) / 10 ** self.decimals[name] for name, raw in pool["balances"].items()]
        for at_in, source in enumerate(names):
            for at_out, target in enumerate(names):
                if at_in == at_out:
                    continue
                give: Give
                if pool["form"] == "pair":
                    give = pair_form(held[at_in], held[at_out], fee)
                elif pool["form"] == "weighted":
                    weights = pool["weights"]
                    power = float(weights[source]) / float(weights[target])
                    give = weighted_form(held[at_in], held[at_out], power, fee)
                else:
                    give = stable_form(held, at_in, at_out, pool["amplification"], fee)
                gas_units = GAS_UNITS[pool["form"]]
                yield Way(number, source, target, gas_units, held[at_in], give)

    def profits_usd(self, *, through: int | None = None) -> dict[int, list[float]]:
        """What every paying route gains net of gas, by the number of legs, best first.

        Args:
            through: number of a pool; only routes through it, all of them if None.
        """
        found: dict[int, list[float]] = {}
        self.ways = [
            way for number, pool in enumerate(self.pools) for way in self._ways(pool, number)
        ]
        for cycle in self._cycles(through):
            profit_usd = self._profit_usd(cycle)
            if profit_usd > 0:
                found.setdefault(len(cycle), []).append(profit_usd)
        return {legs: sorted(usd, reverse=True) for legs, usd in found.items()}

    def _cycles(self, through: int | None) -> Iterator[tuple[Way, ...]]:
        by_source: dict[str, list[tuple[Way, float]]] = {}
        for way in self.ways:
            by_source.setdefault(way.source, []).append((way, way.rate))
        ranks = {name: at for at, name in enumerate(sorted(by_source))}

        def extend(path: tuple[Way, ...], rate: float) -> Iterator[tuple[Way, ...]]:
            start = path[0].source
            for way, its_rate in by_source[path[-1].target]:
                if any(way.pool == held.pool for held in path):
                    continue
                if way.target == start:
                    if rate * its_rate > 1:
                        yield (*path, way)
                elif (
                    len(path) + 1 < LEGS_MAX
                    and (through is not None or ranks[way.target] > ranks[start])
                    and all(way.target != held.source for held in path)
                ):
                    yield from extend((*path, way), rate * its_rate)

        # Each cycle has one asset that comes first, and the pool that it goes through once.
        for way, rate in itertools.chain.from_iterable(by_source.values()):
            is_first = ranks[way.target] > ranks[way.source]
            if is_first if through is None else way.pool == through:
                yield from extend((way,), rate)

    def _profit_usd(self, cycle: tuple[Way, ...]) -> float:
        starts = [way.source for way in cycle]
        at = min(range(len(cycle)), key=lambda n: self.start_rank(starts[n]))
        cycle = cycle[at:] + cycle[:at]
        start_usd = self.usd.get(cycle[0].source, 0.0)
        gas_usd = sum(way.gas_units for way in cycle) * GWEI * 1e-9 * self.usd["ETH"]

        def gain(amount: float) -> float:
            got = amount
            for way in cycle:
                got = way.give(got)
            return got - amount

        most = cycle[0].reserve_in * 3
        # Of a concave gain from zero no point between two steps is above the lower one's by more
        # than their ratio: most cycles end here.
        tried = max(gain(most * STEP ** -float(power)) for power in range(STEPS))
        if tried * STEP * start_usd < gas_usd:
            return 0.0
        low, high = 0.0, most
        for _ in range(GOLDEN_ROUNDS):
            left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            if gain(left) < gain(right):
                low = left
            else:
                high = right
        return gain((low + high) / 2) * start_usd - gas_usd


def open_profits_usd(world: World, instance: Instance) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for episode in world.detector.open_episodes:
        hops = episode.first.hops
        usd = episode.profit_quote * instance.usd[hops[0].source]
        found.setdefault(len(hops), []).append(usd)
    return {legs: sorted(usd, reverse=True) for legs, usd in found.items()}


def test_nothing_pays_in_the_market_as_it_is() -> None:
    assert Instance().profits_usd() == {}


# The moved pool, and by how much its first asset becomes scarcer.
@pytest.mark.parametrize(
    ("number", "ratio"),
    [(21, 1.03), (21, 0.985), (11, 1.02), (27, 1.05), (22, 0.97), (7, 1.01), (26, 1.04)],
)
def test_all_that_pays_after_a_deep_pool_moved_is_open(number: int, ratio: float) -> None:
    instance = Instance()
    world = World(
        Setup(
            instruments=[],
            pools=instance.snapshots(),
            gas_price_gwei=str(GWEI),
            edge_bps_min="0",
            legs_max=LEGS_MAX,
        )
    )
    known = set(world.graph.assets)
    world.graph.set_values({AssetCode(a): usd for a, usd in instance.usd.items() if a in known})
    while world.graph.settle():
        pass
    while world.detector.pools_waiting:
        world.detector.screen_starts(world.now_ns)
    assert open_profits_usd(world, instance) == {}

    world.detector.on_pools({number: prepare_pool(instance.move(number, ratio))}, world.now_ns)

    # What does not go through the pool gains what it gained before.
    opened, paying = open_profits_usd(world, instance), instance.profits_usd(through=number)
    assert opened.keys() == paying.keys()
    assert world.detector.screens.unsized == 0
    for legs, wanted in paying.items():
        slots = OPEN_MAX_BY_LEGS[legs]
        assert opened[legs] == pytest.approx(wanted[:slots], rel=1e-4)
    left_out = sum(max(0, len(wanted) - OPEN_MAX_BY_LEGS[legs]) for legs, wanted in paying.items())
    assert world.detector.crowded_out == left_out
