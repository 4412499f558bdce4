"""How well the tip of the next block is foretold, on recorded prices: `make gas-backtest`."""

import csv
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median_low
from typing import Final, NamedTuple

from engine.chains.gas.fee_history import BLOCKS, tip_forecast_wei

PRICES: Final = Path(__file__).parents[2] / "data" / "chains" / "polygon_gas_price.csv.xz"
"""Gas prices of Polygon by the minute, 2023-08-14 to 17: zelos-alpha/demeter (737d4360), MIT."""

Forecast = Callable[[Sequence[int]], int]


class Errors(NamedTuple):
    """How far off forecasts were, in basis points of what came."""

    p50: float
    p90: float
    p99: float


def ours(before: Sequence[int]) -> int:
    """Foretell as the engine does."""
    return tip_forecast_wei(before)


def naive(before: Sequence[int]) -> int:
    """Say that nothing changes."""
    return before[-1]


def median(before: Sequence[int]) -> int:
    """Say the middle of the last five."""
    return median_low(before[-5:])


def errors_bps(prices: Sequence[int], forecast: Forecast) -> Errors:
    """Foretell each price by those before it."""
    off = sorted(
        abs(forecast(prices[at - BLOCKS : at]) - prices[at]) / prices[at] * 10_000
        for at in range(BLOCKS, len(prices))
    )
    return Errors(*(off[int(len(off) * share)] for share in (0.5, 0.9, 0.99)))


def main() -> None:
    """Print a line for each way."""
    with lzma.open(PRICES, "rt") as file:
        prices = [round(float(row["gas_price"]) * 10**9) for row in csv.DictReader(file)]
    for name, way in (("forecast", ours), ("last price", naive), ("median of 5", median)):
        found = errors_bps(prices, way)
        print(f"{name:12} p50 {found.p50:.0f} bps, p90 {found.p90:.0f}, p99 {found.p99:.0f}")


if __name__ == "__main__":
    main()
