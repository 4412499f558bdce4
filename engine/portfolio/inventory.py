"""Inventory: what we own where, as a fold of all fills over what we started with.

Trades draw on it: a buy pays quote at its venue, a sell delivers base at its own. Nothing is moved
between venues here; the cost of moving it back is counted in each plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.orders import Order

Place = tuple[VenueId, AssetCode]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An asset at a venue.

    Attributes:
        started: what we had before the first fill, as the settings say.
        held: what we have now; negative if trades drew more than there was.
    """

    venue: VenueId
    started: Amount
    held: Amount

    @property
    def change(self) -> Amount:
        """What trades have changed."""
        return self.held - self.started


class Inventory:
    """Holdings by venue and asset.

    Args:
        started: balances before the first fill; a place that is not named starts with nothing.
    """

    def __init__(self, started: Mapping[Place, Decimal] | None = None) -> None:
        self._started = dict(started or {})
        self._changes: dict[Place, Decimal] = {}

    def restore(self, changes: Iterable[tuple[VenueId, AssetCode, Decimal]]) -> None:
        """Take over what the fills of earlier runs changed."""
        for venue, asset, change in changes:
            self._change((venue, asset), change)

    def add(self, orders: Iterable[Order]) -> None:
        """Fold the fills of finished orders in."""
        for order in orders:
            self.restore(order.changes)

    def held(self, venue: VenueId, asset: AssetCode) -> Decimal:
        """Return what we own of an asset at a venue."""
        place = (venue, asset)
        zero = Decimal(0)
        return exact_sum((self._started.get(place, zero), self._changes.get(place, zero)))

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """All places that have or had something, by venue and asset."""
        return tuple(
            Holding(
                venue=venue,
                started=Amount(self._started.get((venue, asset), Decimal(0)), asset),
                held=Amount(self.held(venue, asset), asset),
            )
            for venue, asset in sorted(self._started.keys() | self._changes.keys())
        )

    def _change(self, place: Place, change: Decimal) -> None:
        self._changes[place] = exact_sum((self._changes.get(place, Decimal(0)), change))
