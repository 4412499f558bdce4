"""What the tokens of a chain are worth now: as the sandbox's books say, else by chance."""

import math
import random
from collections.abc import Mapping
from typing import Final

from engine.sandbox.world.plan import ChainPlan
from engine.sandbox.world.values import Made

DRIFT_PER_ROOT_S: Final = 0.0002
"""By about so much of itself a price moves in a second that no book says."""

_DOLLARS: Final = frozenset({"USDC", "USDT", "DAI"})


class Worth:
    """Dollars for each token of a chain."""

    def __init__(self, plan: ChainPlan, made: Made, *, seed: int) -> None:
        self._usd = {asset: float(price) for asset, price in plan.prices_usd.items()}
        self._said: set[str] = set()
        self._rng = random.Random(seed)  # noqa: S311 - makes a market, guards nothing
        self._assets = {
            token.address: planned.asset
            for planned, token in zip(plan.tokens, made.tokens, strict=True)
        }
        coin = next(one.asset for one in plan.tokens if one.is_wrapped)
        self._assets[made.coin.address] = coin

    def take(self, said: Mapping[str, float]) -> None:
        """Take what the books say of some assets."""
        for asset, price in said.items():
            if price > 0.0 and math.isfinite(price):
                self._usd[asset] = price
                self._said.add(asset)

    def let_pass(self, seconds: float) -> None:
        """Move prices that no book says."""
        spread = DRIFT_PER_ROOT_S * math.sqrt(seconds)
        for asset in self._usd.keys() - self._said - _DOLLARS:
            self._usd[asset] *= math.exp(self._rng.gauss(0.0, spread))

    def by_address(self) -> dict[str, float]:
        """Return what each token is worth, by its address."""
        return {address: self._usd[asset] for address, asset in self._assets.items()}
