"""What a unit of gas, and a swap's bytes, cost on each chain, where the kernels read it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.edge_table import EdgeTable
from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import BadValueError
from engine.domain.gas import GasPrice
from engine.domain.units import NATIVE_DECIMALS
from engine.kernels.screen_layout import CHAINS_MAX, COST, LEG
from engine.market.gas_book import GasBook

GWEI_PER_NATIVE: Final = 1e9

LEGS_RECKONED: Final = 2
"""Each leg carries its share of the bytes of a route of so many; a decision takes all exactly."""

NOTABLE_RATIO: Final = 1e-3
"""By how much what bytes are worth has to change to be written to all legs of a chain anew."""


class GasPrices:
    """Prices by the numbers that chains have in the graph.

    On a chain that is unknown or has no price of gas nothing can be costed.
    """

    def __init__(self, costs: NDArray[np.float64], book: GasBook, edges: EdgeTable) -> None:
        """Begin without chains; `costs` are those of `kernels.screen_layout`, and stay in place.

        The book is shared with whoever else costs gas: `set_price` changes it for all.
        """
        self._costs = costs
        self._costs[COST.GAS_UNIT_USD + 1 : COST.CHAIN_UNTIL_NS] = -1.0
        self._book = book
        self._edges = edges
        self._numbers: dict[str, int] = {}
        self._usd: dict[AssetCode, float] = {}
        self._data_usd: dict[int, float] = {}

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

    def data_usd(self, number: int) -> float:
        """Return what a swap's bytes cost on a chain."""
        return self._data_usd.get(number, 0.0)

    def set_price(self, chain: str, price: GasPrice, at_ns: int) -> None:
        """Take what a transaction costs on a chain from now on."""
        self._book.take(chain, price, at_ns)
        if chain in self._numbers:
            self._set(chain)

    def advise(self, tips: Mapping[str, Decimal], ratios: Mapping[str, Decimal]) -> Sequence[str]:
        """Reckon with other tips and dearer gas; see `GasBook.advise`."""
        changed = self._book.advise(tips, ratios)
        for chain in changed:
            if chain in self._numbers:
                self._set(chain)
        return changed

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
        is_awaited = any(self._book.price(chain) is not None for chain in self._numbers)
        return not is_awaited or bool((prices >= 0.0).any())

    def _set(self, chain: str) -> bool:
        """Set the price of a chain; say whether it is its first."""
        price, number = self._book.price(chain), self._numbers[chain]
        usd = self._usd.get(NATIVE_ASSETS.get(chain, AssetCode("")))
        entry = COST.GAS_UNIT_USD + number
        was_known = self._costs[entry] >= 0.0
        if price is None:
            return False
        is_free = price.gwei == 0 and not price.data_raw(LEGS_RECKONED)
        if is_free:
            self._costs[entry] = 0.0
            self._set_data(number, 0.0)
        elif usd is not None:
            self._costs[entry] = float(price.gwei) / GWEI_PER_NATIVE * usd
            leg_raw = Decimal(price.data_raw(LEGS_RECKONED)) / LEGS_RECKONED
            self._set_data(number, float(leg_raw.scaleb(-NATIVE_DECIMALS)) * usd)
        return not was_known and bool(self._costs[entry] >= 0.0)

    def _set_data(self, number: int, leg_usd: float) -> None:
        """Have all swaps of a chain cost so much for their bytes."""
        held = self.data_usd(number)
        if abs(leg_usd - held) <= NOTABLE_RATIO * held:
            return
        self._data_usd[number] = leg_usd
        legs = self._edges.legs[: self._edges.market.edges_used]
        legs[legs[:, LEG.CHAIN] == number, LEG.FIXED_USD] = leg_usd
