"""Who trades on a local chain, and how often: all from a seed and from what things are worth."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from engine.pools.integers import PIPS
from engine.sandbox.world.states import Standing, Swap
from engine.sandbox.world.values import Made, WorldPool

NOISE_PER_S: Final = 0.5
"""Small swaps of people who follow nothing."""

NOISE_USD: Final = 1_000.0
NOISE_SPREAD: Final = 1.0
"""Of the logarithm of a noise trade's worth around `NOISE_USD`."""

FOLLOWED_S: Final = 15.0
"""After so long on average a pool is brought near to where the books stand."""

MISS_FEES: Final = 0.25
"""What each token is worth they mistake by about so much of the pool's fee."""

WHALE_EVERY_S: Final = 20.0
WHALE_IMPACT: Final = (0.003, 0.015)
"""So much dearer a whale makes what it buys, whatever the pool is: what real ones leave behind."""

PEGGED_SHARE: Final = 0.1
"""Of that, where both tokens are worth the same."""

PEGGED_WITHIN: Final = 0.01
WHALE_HELD_MAX: Final = 0.1
"""Nobody sells more than so much of what a pool holds: a flat curve hardly moves for all of it."""

COIN_CHANCE: Final = 0.7
"""That a whale trades the coin, as most do: what it leaves is a gap between its pool and the books
until somebody follows, and between its pool and others."""

FLOW_CHANCE: Final = 0.4
"""That one which trades the coin does so at all of its pools at once, as through an aggregator: it
leaves a gap between the chain and the books, and at first none among the chain's pools."""

SWAPS_MAX: Final = 20
"""In one block."""


class Crowd:
    """Decides what is traded in the next block."""

    def __init__(self, made: Made, *, seed: int) -> None:
        self._made = made
        self._rng = random.Random(seed)  # noqa: S311 - makes a market, guards nothing
        self._coins = {made.coin.address, made.contracts["wrapped"]}
        self._coin_pools = [one for one in made.pools if self._coins.intersection(one.tokens)]
        self._decimals = {one.address: one.decimals for one in (*made.tokens, made.coin)}
        self._is_beside = False

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
        """Return the pools that somebody brings to their price now.

        Those of the coin that a large trade moved together are brought back together: who brings
        one back alone would only leave what the others give for him.
        """
        chance = min(1.0, seconds / FOLLOWED_S)
        if not self._is_beside:
            return [one for one in self._made.pools if self._rng.random() < chance]
        others = [one for one in self._made.pools if one not in self._coin_pools]
        found = [one for one in others if self._rng.random() < chance]
        if self.chance(chance):
            self._is_beside = False
            found += self._coin_pools
        return found

    def followers(self, usd: Mapping[str, float], at: Sequence[Standing]) -> list[Swap]:
        """Return swaps that bring pools near to what their tokens are worth."""
        swaps = []
        for standing in at:
            miss = MISS_FEES * standing.pool.fee_pips / PIPS
            tokens = standing.pool.tokens
            wanted = [
                self._usd_raw(token, usd) * (1.0 + self._rng.gauss(0.0, miss)) for token in tokens
            ]
            swap = standing.to_worths(wanted)
            if swap is not None:
                swaps.append(swap)
        return swaps

    def whale_at(self, seconds: float) -> Sequence[WorldPool]:
        """Return where somebody makes a large swap: nowhere, at a pool, or at all of the coin."""
        if self._rng.random() >= seconds / WHALE_EVERY_S:
            return ()
        if not self.chance(COIN_CHANCE):
            return (self.pick(self._made.pools),)
        return self._coin_pools if self.chance(FLOW_CHANCE) else (self.pick(self._coin_pools),)

    def whales(self, at: Sequence[Standing], usd: Mapping[str, float]) -> list[Swap]:
        """Return what is swapped where somebody makes a large swap."""
        if len(at) == 1:
            swap = self.whale(at[0], usd)
            return [] if swap is None else [swap]
        return self._flow(at, usd)

    def _flow(self, at: Sequence[Standing], usd: Mapping[str, float]) -> list[Swap]:
        """Return swaps that leave the coin as dear, or as cheap, at each of its pools."""
        self._is_beside = True
        impact = self._rng.uniform(*WHALE_IMPACT)
        ratio = 1.0 + impact if self.chance(0.5) else 1.0 / (1.0 + impact)
        swaps = []
        for one in at:
            wanted = [
                self._usd_raw(token, usd) * (ratio if token in self._coins else 1.0)
                for token in one.pool.tokens
            ]
            swap = one.to_worths(wanted)
            if swap is not None:
                swaps.append(swap)
        return swaps

    def whale(self, at: Standing, usd: Mapping[str, float]) -> Swap | None:
        """Return a swap that is large for the pool as it stands."""
        tokens = at.pool.tokens
        token_in, token_out = self._rng.sample(range(len(tokens)), 2)
        impact = self._rng.uniform(*WHALE_IMPACT)
        if abs(usd[tokens[token_in]] / usd[tokens[token_out]] - 1.0) < PEGGED_WITHIN:
            impact *= PEGGED_SHARE
        return at.moved(token_in, token_out, 1.0 / (1.0 + impact), share_max=WHALE_HELD_MAX)

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
        return max(int(worth_usd / self._usd_raw(token, usd)), 1)

    def _usd_raw(self, token: str, usd: Mapping[str, float]) -> float:
        return usd[token] / 10.0 ** self._decimals[token]


def _poisson(rng: random.Random, mean: float) -> int:
    """Return how many of many rare things happen; the mean is small."""
    count, left = 0, mean
    while (left := left - rng.expovariate(1.0)) > 0.0:
        count += 1
    return count
