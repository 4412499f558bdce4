"""Values of assets as floats, for ranking and for gas: what `Valuation` gives, many at a time.

Money is counted by `Valuation`; nothing here reaches a plan.
"""

from collections.abc import Iterable
from statistics import median

from engine.domain.assets import AssetCode
from engine.kernels.layout import ASK, BID, COUNT, KEY, PRICE_DECIMALS
from engine.market.board import Board
from engine.market.valuation import USD, Beside, Step, find_steps, nothing_beside


class Estimates:
    """Values assets by the mid prices of fresh spot books, in the order that `Valuation` has.

    An asset's first live way into USD is looked for once, however many ways lead through it: all
    assets together take two looks at each book. `beside` is as that of `Valuation`.
    """

    def __init__(self, board: Board, *, age_ns_max: int, beside: Beside = nothing_beside) -> None:
        self._board = board
        self._age_ns_max = age_ns_max
        self._direct: dict[AssetCode, list[Step]] = {}
        self._through: dict[AssetCode, list[tuple[Step, AssetCode]]] = {}
        self._valued: set[AssetCode] = set()
        self.beside = beside
        self.take_rows()

    def take_rows(self) -> None:
        """Find all steps over the rows that are there."""
        self._direct, self._through = {}, {}
        for asset, steps in find_steps(self._board).items():
            self._direct[asset] = [step for step, end in steps if end == USD]
            self._through[asset] = [(step, end) for step, end in steps if end != USD]
        # What has a way to USD is worth what that says, or nothing: see `Valuation`.
        leading = {asset for asset, steps in self._direct.items() if steps}
        self._valued = leading.union(
            asset
            for asset, steps in self._through.items()
            if any(between in leading for _, between in steps)
        )

    def usd_per(self, assets: Iterable[AssetCode], at_ns: int) -> dict[AssetCode, float]:
        """Return the value of one unit of each asset in USD, of those that fresh books value."""
        direct: dict[AssetCode, float | None] = {USD: 1.0}
        values: dict[AssetCode, float] = {}
        for asset in assets:
            value = self._usd_of(asset, direct, at_ns)
            if value is None and asset not in self._valued:
                value = self._usd_beside(asset, direct, at_ns)
            if value is not None:
                values[asset] = value
        return values

    def _usd_beside(
        self, asset: AssetCode, direct: dict[AssetCode, float | None], at_ns: int
    ) -> float | None:
        found = [
            float(rate) * usd
            for other, rate in self.beside(asset)
            if (usd := self._usd_of(other, direct, at_ns)) is not None
        ]
        return median(found) if found else None

    def _usd_of(
        self, asset: AssetCode, direct: dict[AssetCode, float | None], at_ns: int
    ) -> float | None:
        value = self._direct_of(asset, direct, at_ns)
        if value is not None:
            return value
        for step, between in self._through.get(asset, ()):
            value = self._direct_of(between, direct, at_ns)
            if value is not None:
                rate = self._rate(step, at_ns)
                if rate is not None:
                    return rate * value
        return None

    def _direct_of(
        self, asset: AssetCode, direct: dict[AssetCode, float | None], at_ns: int
    ) -> float | None:
        if asset not in direct:
            direct[asset] = None
            for step in self._direct.get(asset, ()):
                direct[asset] = self._rate(step, at_ns)
                if direct[asset] is not None:
                    break
        return direct[asset]

    def _rate(self, step: Step, at_ns: int) -> float | None:
        """Return what a step gives per unit, None if its book is not fresh or shows no price."""
        book, is_inverse = step
        if not self._board.is_fresh(book, at_ns=at_ns, age_ns_max=self._age_ns_max):
            return None
        state, levels = self._board.state, self._board.levels
        bid = levels.item(2 * book + BID, state.item(book, COUNT + BID) - 1, KEY)
        ask = -levels.item(2 * book + ASK, state.item(book, COUNT + ASK) - 1, KEY)
        mid = (bid + ask) / (2 * 10 ** state.item(book, PRICE_DECIMALS))
        if not mid > 0.0:
            return None
        return 1.0 / mid if is_inverse else float(mid)
