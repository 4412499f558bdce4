"""Inventory: what is owned where, as a sum of deposits and of all fills.

Trades draw on it: a buy pays quote at its venue, a sell delivers base at its own. Nothing is moved
between venues here; the cost of moving it back is counted in each plan.

Each place is set to its capital at the first price that its asset has, and again when the operator
asks for it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Protocol

from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_sum
from engine.domain.holdings import Capital, Deposit, Holding, Place
from engine.domain.instruments import VenueId
from engine.portfolio.costs import EXACT, QUOTE_STEP
from engine.portfolio.leftovers import UsdPer

ZERO = Decimal(0)


class Changing(Protocol):
    """An order, a transaction or an execution."""

    @property
    def changes(self) -> Iterable[tuple[VenueId, AssetCode, Decimal]]:
        """What it changed: venue, asset and amount."""
        ...


class Inventory:
    """Holdings by venue and asset.

    Args:
        capital: what each place is to start with.
        holdings: what earlier runs left.
    """

    def __init__(self, capital: Iterable[Capital] = (), holdings: Sequence[Holding] = ()) -> None:
        self._capital_usd = {one.place: one.usd for one in capital}
        self._held = {one.place: one.held.value for one in holdings}
        self._starts: dict[Place, Holding | Deposit] = {
            one.place: one for one in holdings if one.started_usd
        }
        self._waiting = deque(
            place for place, usd in self._capital_usd.items() if usd and place not in self._starts
        )

    def add(self, parts: Iterable[Changing]) -> None:
        """Book what executions, or parts of them, changed."""
        for part in parts:
            for venue, asset, change in part.changes:
                self._add((venue, asset), change)

    def take(self, deposit: Deposit) -> None:
        """Book a deposit that was found, as what its place has started with now."""
        self._add(deposit.place, deposit.added.value)
        self._starts[deposit.place] = deposit

    def held(self, place: Place) -> Decimal:
        """Return what is owned of an asset at a venue."""
        return self._held.get(place, ZERO)

    @property
    def waiting(self) -> int:
        """Number of places that are yet to be set to their capital."""
        return len(self._waiting)

    def set_capital(self, venue: VenueId, capital: Iterable[Capital]) -> None:
        """Take what the places at a venue are to start with now; new ones wait for it.

        What has started stays what it is until `reset`, other places of the venue are dropped.
        """
        wanted = {one.place: one.usd for one in capital}
        gone = [place for place in self._capital_usd if place[0] == venue and place not in wanted]
        new = [place for place in wanted if place not in self._capital_usd]
        for place in gone:
            del self._capital_usd[place]
            if place in self._waiting:
                self._waiting.remove(place)
        self._capital_usd.update(wanted)
        self._waiting.extend(place for place in new if wanted[place] and place not in self._starts)

    def reset(self) -> None:
        """Let every place be set to its capital anew; until then it holds what it holds."""
        self._waiting = deque(self._capital_usd)

    def fund(self, usd_per: UsdPer, *, most: int) -> list[Deposit]:
        """Set waiting places to their capital; what has no price waits on.

        Args:
            usd_per: values an asset.
            most: places that are looked at.
        """
        made = []
        for _ in range(min(most, len(self._waiting))):
            place = self._waiting.popleft()
            deposit = self._deposit(place, usd_per)
            if deposit is None:
                self._waiting.append(place)
            else:
                made.append(deposit)
        return made

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """All places that have or had something, by venue and asset."""
        return tuple(
            Holding(
                venue=place[0],
                held=Amount(held, place[1]),
                started=self._starts[place].started if place in self._starts else _none(place),
                started_usd=self._starts[place].started_usd if place in self._starts else ZERO,
            )
            for place, held in sorted(self._held.items())
        )

    def _deposit(self, place: Place, usd_per: UsdPer) -> Deposit | None:
        venue, asset = place
        usd = self._capital_usd[place]
        price_usd = usd_per(asset)
        if price_usd is None:
            return None
        started = EXACT.divide(usd, price_usd).quantize(QUOTE_STEP, ROUND_FLOOR, EXACT)
        added = exact_sum((started, -self.held(place)))
        self._add(place, added)
        deposit = Deposit(
            venue=venue,
            added=Amount(added, asset),
            started=Amount(started, asset),
            started_usd=usd,
        )
        self._starts[place] = deposit
        return deposit

    def _add(self, place: Place, change: Decimal) -> None:
        self._held[place] = exact_sum((self.held(place), change))


def _none(place: Place) -> Amount:
    return Amount(ZERO, place[1])
