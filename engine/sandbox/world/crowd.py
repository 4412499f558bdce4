"""Who trades on a local chain, and how often: all from a seed and from what things are worth."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from engine.sandbox.world.states import Standing, Swap
from engine.sandbox.world.values import Made, WorldPool

NOISE_PER_S: Final = 0.5
"""Small swaps of people who follow nothing."""

NOISE_USD: Final = 3_000.0
NOISE_SPREAD: Final = 1.0
"""Of the logarithm of a noise trade's worth around `NOISE_USD`."""

FOLLOWED_S: Final = 15.0
"""After so long on average a pool is brought near to where the books stand."""

MISS_RATIO: Final = 0.001
"""By about so much of the price it then ends beside it."""

WHALE_EVERY_S: Final = 20.0
WHALE_USD: Final = (60_000.0, 250_000.0)
COIN_CHANCE: Final = 0.7
"""That a whale trades the coin, as most do: what it leaves is a gap between its pool and the books
until somebody follows, and between its pool and others."""

SWAPS_MAX: Final = 20
"""In one block."""


class Crowd:
    """Decides what is traded in the next block."""

    def __init__(self, made: Made, *, seed: int) -> None:
        self._made = made
        self._rng = random.Random(seed)  # noqa: S311 - makes a market, guards nothing
        coins = {made.coin.address, made.contracts["wrapped"]}
        self._coin_pools = [one for one in made.pools if coins.intersection(one.tokens)]
        self._decimals = {one.address: one.decimals for one in (*made.tokens, made.coin)}

    def noise(self, seconds: float, usd: Mapping[str, float]) -> list[Swap]:
        """Return small swaps at pools by chance.

        Args:
            seconds: how long the block takes.
            usd: what each token is worth, by address.
        """
        rng = self._rng
        swaps = []
        for _ in range(min(_poisson(rng, NOISE_PER_S * seconds), SWAPS_MAX)):
            worth = NOISE_USD * rng.lognormvariate(0.0, NOISE_SPREAD)
            swaps.append(self._swap(rng.choice(self._made.pools), worth, usd))
        return swaps

    def followed(self, seconds: float) -> list[WorldPool]:
        """Return the pools that somebody brings to their price now."""
        chance = min(1.0, seconds / FOLLOWED_S)
        return [one for one in self._made.pools if self._rng.random() < chance]

    def followers(self, usd: Mapping[str, float], at: Sequence[Standing]) -> list[Swap]:
        """Return swaps that bring pools near to what their tokens are worth."""
        rng = self._rng
        swaps = []
        for standing in at:
            t0, t1 = standing.pool.tokens
            scale = 10.0 ** (self._decimals[t1] - self._decimals[t0])
            price = usd[t0] / usd[t1] * scale * (1.0 + rng.gauss(0.0, MISS_RATIO))
            swap = standing.to_price(price)
            if swap is not None:
                swaps.append(swap)
        return swaps

    def whale(self, seconds: float, usd: Mapping[str, float]) -> Swap | None:
        """Return a large swap, now and then."""
        if self._rng.random() >= seconds / WHALE_EVERY_S:
            return None
        is_coin = self.chance(COIN_CHANCE)
        pool = self.pick(self._coin_pools if is_coin else self._made.pools)
        return self._swap(pool, self._rng.uniform(*WHALE_USD), usd)

    def chance(self, probability: float) -> bool:
        """Say by chance whether something happens."""
        return self._rng.random() < probability

    def pick(self, pools: Sequence[WorldPool]) -> WorldPool:
        """Return one of some pools by chance."""
        return self._rng.choice(pools)

    def number(self, low: int, high: int) -> int:
        """Return a whole number by chance, both ends included."""
        return self._rng.randint(low, high)

    def _swap(self, pool: WorldPool, worth_usd: float, usd: Mapping[str, float]) -> Swap:
        token_in = self._rng.choice(pool.tokens)
        return Swap(pool, token_in, self.raw(token_in, worth_usd, usd))

    def raw(self, token: str, worth_usd: float, usd: Mapping[str, float]) -> int:
        """Return how much of a token is worth so many dollars."""
        return max(int(worth_usd / usd[token] * 10 ** self._decimals[token]), 1)


def _poisson(rng: random.Random, mean: float) -> int:
    """Return how many of many rare things happen; the mean is small."""
    count, left = 0, mean
    while (left := left - rng.expovariate(1.0)) > 0.0:
        count += 1
    return count
