"""The truth book: what a correct client must hold, in whole steps, scaled from a recording.

Recorded prices are multiplied by a constant and rounded to the venue's tick, bids down and asks
up, so that a book that was not crossed stays uncrossed. Recorded levels that fall on one tick add
up; the change that is reported is always the new absolute size of the tick.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from engine.sandbox.levels import Change, RawLevel, Side, same_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a recording's numbers become a venue's numbers.

    Attributes:
        price_factor, size_factor: constant multipliers of price and size, exact.
        tick_steps, lot_steps: the venue's tick and lot as counts of the least wire steps.
        price_decimals, size_decimals: decimals of wire prices and sizes.
    """

    price_factor: Fraction
    size_factor: Fraction
    tick_steps: int
    lot_steps: int
    price_decimals: int
    size_decimals: int

    _per_unit: tuple[int, int] = field(init=False)
    _lots_per_unit: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        ticks = self.price_factor * 10**self.price_decimals / self.tick_steps
        lots = self.size_factor * 10**self.size_decimals / self.lot_steps
        object.__setattr__(self, "_per_unit", ticks.as_integer_ratio())
        object.__setattr__(self, "_lots_per_unit", lots.as_integer_ratio())

    def price_steps(self, side: Side, price: str) -> int:
        """Scale a recorded price and round it to the tick: bids down, asks up."""
        units, per_one = _read_decimal(price)
        ticks, per_units = self._per_unit
        above, below = units * ticks, per_units * per_one
        return (above // below if side is Side.BID else -(-above // below)) * self.tick_steps

    def size_steps(self, size: str) -> int:
        """Scale a recorded size; what was not zero stays at least one lot."""
        units, per_one = _read_decimal(size)
        if not units:
            return 0
        lots, per_units = self._lots_per_unit
        below = per_units * per_one
        whole, rest = divmod(units * lots, below)
        if 2 * rest > below or (2 * rest == below and whole % 2):
            whole += 1
        return max(whole, 1) * self.lot_steps


def _read_decimal(text: str) -> tuple[int, int]:
    """Return a decimal number, as venues write it, as a ratio: 0.25 as 25 of 100."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction), 10 ** len(fraction)


Levels = dict[int, int]

_TEXTS_MAX: Final = 4_096
"""So many texts of prices, and of sizes, are remembered with their steps: most come again."""


class TruthBook:
    """A full-depth book: price steps to size steps, per side."""

    def __init__(
        self,
        scale: Scale,
        start: tuple[RawLevel, ...],
        *,
        padding_levels: int,
        now: Sequence[RawLevel] | None = None,
    ) -> None:
        """Begin with the levels `now` instead of the start book, if given."""
        self.scale = scale
        self.sides: tuple[Levels, Levels] = ({}, {})
        self._start = start
        self._padding_levels = padding_levels
        self._recorded: dict[tuple[Side, str], int] = {}
        self._price = lru_cache(_TEXTS_MAX)(self._read_price)
        self._size = lru_cache(_TEXTS_MAX)(self._read_size)
        self._pad()
        self.apply(start if now is None else now)

    def apply(self, levels: Sequence[RawLevel]) -> list[Change]:
        """Apply recorded level changes; return the changes of ticks, without repeats."""
        touched: dict[tuple[Side, int], None] = {}
        for side, price_text, size_text in levels:
            self._set(side, price_text, size_text, touched)
        return [(side, price, self.sides[side].get(price, 0)) for side, price in touched]

    def restart(self, scale: Scale | None = None) -> list[Change]:
        """Go back to the start book; return the changes that lead there, removals first.

        Args:
            scale: by which all is scaled from now on, if that changes.
        """
        if scale is not None and scale != self.scale:
            self.scale = scale
            self._price.cache_clear()
            self._size.cache_clear()
        before = self.sides
        self.sides = ({}, {})
        self._recorded = {}
        self._pad()
        self.apply(self._start)
        changes: list[Change] = []
        for side in Side:
            old, new = before[side], self.sides[side]
            changes.extend((side, price, 0) for price in old if price not in new)
        for side in Side:
            old, new = before[side], self.sides[side]
            changes.extend(
                (side, price, size) for price, size in new.items() if old.get(price) != size
            )
        return changes

    def levels(self, side: Side, limit: int | None = None) -> list[tuple[int, int]]:
        """Return levels as (price_steps, size_steps), best first."""
        ordered = sorted(self.sides[side].items(), reverse=side is Side.BID)
        return ordered if limit is None else ordered[:limit]

    def best(self, side: Side) -> int | None:
        """Return the best price of a side in steps, or None when the side is empty."""
        prices = self.sides[side]
        if not prices:
            return None
        return max(prices) if side is Side.BID else min(prices)

    def size(self, side: Side, price_steps: int) -> int:
        """Return the size at a price in steps, 0 when there is no level."""
        return self.sides[side].get(price_steps, 0)

    def _set(
        self, side: Side, price_text: str, size_text: str, touched: dict[tuple[Side, int], None]
    ) -> None:
        key, tick = self._price(side, price_text)
        if tick <= 0:
            return
        new_size = self._size(size_text)
        old_size = self._recorded.get(key, 0)
        if new_size:
            self._recorded[key] = new_size
        else:
            self._recorded.pop(key, None)
        total = self.sides[side].get(tick, 0) + new_size - old_size
        if total:
            self.sides[side][tick] = total
        else:
            self.sides[side].pop(tick, None)
        touched[side, tick] = None

    def _read_price(self, side: Side, text: str) -> tuple[tuple[Side, str], int]:
        """Return what names a recorded price however it is written, and its tick."""
        return (side, same_price(text)), self.scale.price_steps(side, text)

    def _read_size(self, text: str) -> int:
        return self.scale.size_steps(text)

    def _pad(self) -> None:
        """Add still levels far from the touch, for snapshots as large as a deep venue's."""
        if not self._padding_levels:
            return
        scale = self.scale
        prices = [Decimal(price) for side, price, _ in self._start if side is Side.BID]
        low = scale.price_steps(Side.BID, f"{max(prices) / 2:f}")
        high = scale.price_steps(Side.ASK, f"{max(prices) * 2:f}")
        for index in range(self._padding_levels):
            bid = low - index * scale.tick_steps
            if bid > 0:
                self.sides[Side.BID][bid] = (index + 1) * scale.lot_steps
            self.sides[Side.ASK][high + index * scale.tick_steps] = (index + 1) * scale.lot_steps
