"""What a unit of gas costs on each chain, where the kernels read it."""

from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import BadValueError
from engine.kernels.screen_layout import CHAINS_MAX, COST

GWEI_PER_NATIVE: Final = 1e9


class GasPrices:
    """Prices by the numbers that chains have in the graph.

    On a chain that is unknown or has no price of gas nothing can be costed.
    """

    def __init__(self, costs: NDArray[np.float64], gas_prices_gwei: dict[str, Decimal]) -> None:
        """Begin without chains; `costs` are those of `kernels.screen_layout`, and stay in place.

        The prices are shared with whoever else costs gas: `set_price` changes them for all.
        """
        self._costs = costs
        self._costs[COST.GAS_UNIT_USD + 1 : COST.CHAIN_UNTIL_NS] = -1.0
        self._gwei = gas_prices_gwei
        self._numbers: dict[str, int] = {}
        self._usd: dict[AssetCode, float] = {}

    def number(self, chain: str) -> int:
        """Return the number of a chain, from 1 on; a new one gets the next.

        Raises:
            BadValueError: there is no room for another chain.
        """
        found = self._numbers.get(chain)
        if found is None:
            found = len(self._numbers) + 1
            if found > CHAINS_MAX:
                raise BadValueError(f"{chain} is one chain more than {CHAINS_MAX}")
            self._numbers[chain] = found
            self._set(chain)
        return found

    def set_price(self, chain: str, gwei: Decimal) -> None:
        """Take what a unit of gas costs on a chain from now on.

        Raises:
            BadValueError: it is no price.
        """
        if not (gwei.is_finite() and gwei >= 0):
            raise BadValueError(f"gas price of {chain} is {gwei} gwei; it must not be negative")
        self._gwei[chain] = gwei
        if chain in self._numbers:
            self._set(chain)

    def set_native(self, asset: AssetCode, usd: float) -> bool:
        """Take what an asset is worth; say whether gas can be costed that could not be before."""
        paid_in = [chain for chain in self._numbers if NATIVE_ASSETS.get(chain) == asset]
        self._usd[asset] = usd
        firsts = [self._set(chain) for chain in paid_in]
        return any(firsts)

    @property
    def can_cost(self) -> bool:
        """Whether some route may be costed now: gas of some chain, or none is awaited."""
        prices = self._costs[COST.GAS_UNIT_USD + 1 :][: len(self._numbers)]
        is_awaited = any(chain in self._gwei for chain in self._numbers)
        return not is_awaited or bool((prices >= 0.0).any())

    def _set(self, chain: str) -> bool:
        """Set the price of a chain; say whether it is its first."""
        gwei, usd = self._gwei.get(chain), self._usd.get(NATIVE_ASSETS.get(chain, AssetCode("")))
        entry = COST.GAS_UNIT_USD + self._numbers[chain]
        was_known = self._costs[entry] >= 0.0
        if gwei == 0:
            self._costs[entry] = 0.0
        elif gwei is not None and usd is not None:
            self._costs[entry] = float(gwei) / GWEI_PER_NATIVE * usd
        return not was_known and bool(self._costs[entry] >= 0.0)
