"""Slow twin of the price matrix: a dictionary in one process, exact fractions, nothing shared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

Level = tuple[int, int]
"""Price and size in steps."""

ABSENT = {
    "is_live": False, "bid": 0.0, "ask": math.inf, "bid_size_base": 0.0, "ask_size_base": 0.0,
    "bid_band_base": 0.0, "ask_band_base": 0.0, "rate_forward": 0.0, "rate_backward": 0.0,
    "reserve_base": 0.0, "reserve_quote": 0.0,
}  # fmt: skip


@dataclass
class Twin:
    """Rows by number; `version` counts publications from the first one on."""

    version: int
    rows: dict[int, dict[str, float | bool]] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)

    def publish(self, row: int, values: dict[str, float | bool]) -> None:
        self.version += 1
        self.rows[row] = values
        self.versions[row] = self.version

    def changed_since(self, version: int) -> list[int]:
        return sorted(row for row, held in self.versions.items() if held > version)


def band(levels: Sequence[Level], ratio: Fraction, levels_max: int) -> int:
    """Size in steps within the ratio of the first level's price, of so many levels at most."""
    best = levels[0][0]
    return sum(
        size for price, size in levels[:levels_max] if abs(price - best) <= ratio * abs(best)
    )


def book_row(
    bids: Sequence[Level],
    asks: Sequence[Level],
    decimals: tuple[int, int],
    ratio: Fraction,
    levels_max: int,
) -> dict[str, float | bool]:
    """Return a book's row, levels best first; each figure is rounded once where it can be."""
    if not bids or not asks:
        return dict(ABSENT)
    price_unit, size_unit = Fraction(1, 10 ** decimals[0]), Fraction(1, 10 ** decimals[1])
    bid, ask = float(bids[0][0] * price_unit), float(asks[0][0] * price_unit)
    return {
        "is_live": True,
        "bid": bid,
        "ask": ask,
        "bid_size_base": float(bids[0][1] * size_unit),
        "ask_size_base": float(asks[0][1] * size_unit),
        "bid_band_base": float(band(bids, ratio, levels_max) * size_unit),
        "ask_band_base": float(band(asks, ratio, levels_max) * size_unit),
        "rate_forward": bid,
        "rate_backward": float(1 / Fraction(ask)),
    }
