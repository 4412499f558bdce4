"""What the tokens of the live graph are worth: for ranking routes, for gas, and for potentials."""

import math
from collections.abc import Mapping
from itertools import islice
from typing import Final

import numpy as np

from engine.detect.graph.gas_prices import GasPrices
from engine.detect.graph.market_graph import MarketGraph
from engine.detect.graph.start_sweep import StartSweep
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.kernels.screen_layout import ASSET, ASSET_COLUMNS

POTENTIAL_OFF_MAX: Final = 1.0
"""How far a token's potential may be from the log of its value: weights stay near zero."""

SETTLED_COLUMNS_MAX: Final = 2 * 512**2
"""Of all potentials that `settle` sets at a time, the squares of the core's columns: what one takes
grows with them, up to 0.15 ms at 1,024."""


class TokenValues:
    """Values of tokens, and the sweep through what could not be costed without them.

    Attributes:
        tokens: float64 (tokens, TOKEN_COLUMNS) of `kernels.screen_layout`.
        sweep: of the routes that start in tokens which were first valued.
    """

    def __init__(self, graph: MarketGraph, gas: GasPrices) -> None:
        """Begin without values."""
        self.tokens = np.zeros((graph.token_max, ASSET_COLUMNS))
        self.sweep = StartSweep(graph.arrays[2], graph.arrays[3], self.tokens)
        self._graph = graph
        self._gas = gas
        self._unsettled: dict[int, None] = {}

    def set(self, usd_by_asset: Mapping[AssetCode, float]) -> None:
        """Take what a unit of each asset is worth; see `LiveGraph.set_values`.

        Raises:
            BadValueError: an asset is unknown or its value is none.
        """
        for asset, value_usd in usd_by_asset.items():
            token = self._graph.token(asset)
            if not (value_usd > 0.0 and math.isfinite(value_usd)):
                raise BadValueError(f"value of {asset} is {value_usd} USD; it must be above 0")
            is_first = not self.tokens[token, ASSET.VALUE_USD]
            self.tokens[token, ASSET.VALUE_USD] = value_usd
            if is_first:
                self._take_first(token, value_usd)
            if self._gas.set_native(asset, value_usd):
                self.sweep.add_all()

    def settle(self) -> bool:
        """Give some of the tokens whose first value was a surprise their potentials.

        Scans find the same before, only slower.

        Returns:
            Whether there are more.
        """
        count = max(SETTLED_COLUMNS_MAX // self._graph.core_size**2, 1)
        for token in list(islice(self._unsettled, count)):
            del self._unsettled[token]
            self._graph.set_potential(token, math.log(self.tokens[token, ASSET.VALUE_USD]))
        return self.is_unsettled

    @property
    def is_unsettled(self) -> bool:
        """Whether a token waits for its potential."""
        return bool(self._unsettled)

    def forget(self, token: int) -> None:
        """Forget a token that is no more."""
        self.tokens[token] = 0.0
        self._unsettled.pop(token, None)

    def _take_first(self, token: int, value_usd: float) -> None:
        if abs(math.log(value_usd) - self._graph.potential(token)) > POTENTIAL_OFF_MAX:
            self._unsettled[token] = None
        # Without a price of gas nothing that costs any can be costed yet.
        if self._gas.can_cost:
            self.sweep.add(token)
