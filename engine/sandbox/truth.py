"""The truth book: what a correct client must hold, in whole steps, scaled from a recording.

Recorded prices are multiplied by a constant and rounded to the venue's tick, bids down and asks
up, so that a book that was not crossed stays uncrossed. Recorded levels that fall on one tick add
up; the change that is reported is always the new absolute size of the tick.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from engine.sandbox.levels import Change, RawLevel, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a recording's numbers become a venue's numbers.

    Attributes:
        price_factor, size_factor: constant multipliers of price and size.
        tick_steps, lot_steps: the venue's tick and lot as counts of the least wire steps.
        price_decimals, size_decimals: decimals of wire prices and sizes.
    """

    price_factor: Decimal
    size_factor: Decimal
    tick_steps: int
    lot_steps: int
    price_decimals: int
    size_decimals: int

    def price_steps(self, side: Side, price: Decimal) -> int:
        """Scale a recorded price and round it to the tick: bids down, asks up."""
        ticks = (price * self.price_factor).scaleb(self.price_decimals) / self.tick_steps
        rounding = ROUND_FLOOR if side is Side.BID else ROUND_CEILING
        return int(ticks.to_integral_value(rounding)) * self.tick_steps

    def size_steps(self, size: Decimal) -> int:
        """Scale a recorded size; what was not zero stays at least one lot."""
        if not size:
            return 0
        lots = (size * self.size_factor).scaleb(self.size_decimals) / self.lot_steps
        return max(int(lots.to_integral_value(ROUND_HALF_EVEN)), 1) * self.lot_steps


Levels = dict[int, int]


class TruthBook:
    """A full-depth book: price steps to size steps, per side."""

    def __init__(self, scale: Scale, start: tuple[RawLevel, ...], *, padding_levels: int) -> None:
        self.scale = scale
        self.sides: tuple[Levels, Levels] = ({}, {})
        self._start = start
        self._padding_levels = padding_levels
        self._recorded: dict[tuple[Side, Decimal], tuple[int, int]] = {}
        self.restart()

    def apply(self, levels: list[RawLevel]) -> list[Change]:
        """Apply recorded level changes; return the changes of ticks, without repeats."""
        touched: dict[tuple[Side, int], None] = {}
        for side, price_text, size_text in levels:
            self._set(side, Decimal(price_text), Decimal(size_text), touched)
        return [(side, price, self.sides[side].get(price, 0)) for side, price in touched]

    def restart(self, scale: Scale | None = None) -> list[Change]:
        """Go back to the start book; return the changes that lead there, removals first.

        Args:
            scale: by which all is scaled from now on, if that changes.
        """
        self.scale = scale or self.scale
        before = self.sides
        self.sides = ({}, {})
        self._recorded = {}
        self._pad()
        self.apply(list(self._start))
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
        self,
        side: Side,
        price: Decimal,
        size: Decimal,
        touched: dict[tuple[Side, int], None],
    ) -> None:
        key = (side, price)
        held = self._recorded.get(key)
        tick = self.scale.price_steps(side, price) if held is None else held[0]
        if tick <= 0:
            return
        new_size = self.scale.size_steps(size)
        old_size = 0 if held is None else held[1]
        if new_size:
            self._recorded[key] = (tick, new_size)
        elif held is not None:
            del self._recorded[key]
        total = self.sides[side].get(tick, 0) + new_size - old_size
        if total:
            self.sides[side][tick] = total
        else:
            self.sides[side].pop(tick, None)
        touched[side, tick] = None

    def _pad(self) -> None:
        """Add still levels far from the touch, for snapshots as large as a deep venue's."""
        if not self._padding_levels:
            return
        scale = self.scale
        prices = [Decimal(price) for side, price, _ in self._start if side is Side.BID]
        low = scale.price_steps(Side.BID, max(prices) / 2)
        high = scale.price_steps(Side.ASK, max(prices) * 2)
        for index in range(self._padding_levels):
            bid = low - index * scale.tick_steps
            if bid > 0:
                self.sides[Side.BID][bid] = (index + 1) * scale.lot_steps
            self.sides[Side.ASK][high + index * scale.tick_steps] = (index + 1) * scale.lot_steps
