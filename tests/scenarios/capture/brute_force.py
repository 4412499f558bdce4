"""What could be earned in a block: every cycle of two and three pools, at its best size.

It knows nothing of how the engine searches: each cycle is tried by the exact forms alone. A pool's
rate only falls with the size, so that a cycle which loses at a small size gains at none.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from engine.detect.sizing.exact import PoolLeg, leg_of
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.snapshot_rows import PoolState

PROBE_USD: Final = 10.0
"""Size at which a cycle has to gain."""

SIZE_USD_MAX: Final = 10_000_000.0
LEGS: Final = (2, 3)
STEPS: Final = 48
"""Of the search for the best size: by then it is known to a thousandth."""

_GOLDEN: Final = (5**0.5 - 1) / 2


class Swap(NamedTuple):
    """One direction of a pool; tokens are numbered as the pool has them."""

    pool: Pool
    token_in: int
    token_out: int

    @property
    def source(self) -> AssetCode:
        """What it takes."""
        return self.pool.tokens[self.token_in][0]

    @property
    def target(self) -> AssetCode:
        """What it gives."""
        return self.pool.tokens[self.token_out][0]


class Chance(NamedTuple):
    """A cycle that earns something in a block.

    Attributes:
        paid_usd: what its first pool takes.
        gain_usd: before gas.
        gas_usd: as expected.
    """

    swaps: tuple[Swap, ...]
    paid_usd: float
    gain_usd: float
    gas_usd: float

    @property
    def net_usd(self) -> float:
        """What is left."""
        return self.gain_usd - self.gas_usd

    @property
    def addresses(self) -> frozenset[str]:
        """Of its pools."""
        return frozenset(one.pool.address for one in self.swaps)


class Cycles:
    """All cycles of some pools, each once, whichever asset it begins with."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self._swaps = [
            Swap(pool, one, other)
            for pool in pools
            for one in range(len(pool.tokens))
            for other in range(len(pool.tokens))
            if pool.tokens[one][0] != pool.tokens[other][0]
        ]
        by_source: dict[AssetCode, list[int]] = defaultdict(list)
        for number, swap in enumerate(self._swaps):
            by_source[swap.source].append(number)
        self.all = [
            cycle
            for legs in LEGS
            for first in range(len(self._swaps))
            for cycle in self._from((first,), legs, by_source)
        ]

    def _from(
        self, cycle: tuple[int, ...], legs: int, by_source: Mapping[AssetCode, list[int]]
    ) -> Iterator[tuple[int, ...]]:
        swaps = [self._swaps[number] for number in cycle]
        if len(cycle) == legs:
            # The one that begins with its first asset stands for all of its turns.
            begins = swaps[0].source == min(one.source for one in swaps)
            if begins and swaps[-1].target == swaps[0].source:
                yield cycle
            return
        seen = {one.pool.address for one in swaps}
        passed = {one.source for one in swaps}
        for number in by_source[swaps[-1].target]:
            one = self._swaps[number]
            is_last = len(cycle) == legs - 1
            if one.pool.address not in seen and (is_last or one.target not in passed):
                yield from self._from((*cycle, number), legs, by_source)

    def chances(
        self,
        states: Mapping[str, PoolState],
        usd: Mapping[AssetCode, float],
        *,
        gas_unit_usd: float,
    ) -> list[Chance]:
        """Return what can be earned, the best first, and none that shares a pool with a better one.

        Args:
            states: of pools, by address; others are left out.
            usd: what a whole token is worth.
            gas_unit_usd: what a unit of gas costs.
        """
        legs: dict[int, PoolLeg] = {}
        rates: dict[int, float] = {}
        for number, swap in enumerate(self._swaps):
            state = states.get(swap.pool.address)
            if state is None or swap.source not in usd or swap.target not in usd:
                continue
            leg = leg_of(state, token_in=swap.token_in, token_out=swap.token_out)
            probe_raw = _raw(swap.pool, swap.token_in, PROBE_USD / usd[swap.source])
            try:
                given = leg.amount_out(probe_raw)
            except BadValueError:
                continue
            worth_usd = _whole(swap.pool, swap.token_out, given) * usd[swap.target]
            legs[number], rates[number] = leg, worth_usd / PROBE_USD
        found = []
        for cycle in self.all:
            product = 1.0
            for number in cycle:
                product *= rates.get(number, 0.0)
            if product > 1.0:
                found.append(self._best(cycle, legs, usd, gas_unit_usd))
        found = sorted((one for one in found if one.net_usd > 0), key=lambda one: -one.net_usd)
        taken: set[str] = set()
        apart = []
        for one in found:
            if not taken & one.addresses:
                apart.append(one)
                taken |= one.addresses
        return apart

    def _best(
        self,
        cycle: tuple[int, ...],
        legs: Mapping[int, PoolLeg],
        usd: Mapping[AssetCode, float],
        gas_unit_usd: float,
    ) -> Chance:
        """Search the best size of a cycle between the ends of all sizes, in a golden section."""
        swaps = tuple(self._swaps[number] for number in cycle)
        first = swaps[0]
        price = usd[first.source]

        def gain_usd(paid_usd: float) -> float:
            amount_raw = paid_raw = _raw(first.pool, first.token_in, paid_usd / price)
            try:
                for number in cycle:
                    amount_raw = legs[number].amount_out(amount_raw)
            except BadValueError:
                return -paid_usd
            return _whole(first.pool, first.token_in, amount_raw - paid_raw) * price

        low, high = PROBE_USD, SIZE_USD_MAX
        for _ in range(STEPS):
            # By ratios: sizes differ by orders of magnitude.
            ratio = (high / low) ** (1 - _GOLDEN)
            one, other = low * ratio, high / ratio
            if gain_usd(one) < gain_usd(other):
                low = one
            else:
                high = other
        units = sum(swap.pool.gas_units for swap in swaps)
        return Chance(swaps, low, gain_usd(low), units * gas_unit_usd)


def _raw(pool: Pool, token: int, whole: float) -> int:
    return max(int(whole * 10 ** pool.tokens[token][1]), 1)


def _whole(pool: Pool, token: int, raw: int) -> float:
    return float(raw / 10 ** pool.tokens[token][1])
