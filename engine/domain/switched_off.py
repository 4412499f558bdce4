"""Venues and pairs that the operator has switched off: followed and shown, but not traded."""

from enum import StrEnum

import msgspec

from engine.domain.assets import AssetCode


class PlaceKind(StrEnum):
    """What can be switched off."""

    VENUE = "venue"
    PAIR = "pair"


class Off(msgspec.Struct, frozen=True, kw_only=True):
    """A venue or a pair that is off.

    Attributes:
        name: of the venue, or of the pair as its books or pools have it.
        assets: of a pair: the two, which no leg turns into each other; none for a venue.
    """

    name: str
    since_ns: int
    assets: tuple[AssetCode, ...] = ()

    @property
    def kind(self) -> PlaceKind:
        """Whether it is a venue or a pair."""
        return PlaceKind.PAIR if self.assets else PlaceKind.VENUE

    @property
    def key(self) -> tuple[PlaceKind, str]:
        """What it is, whenever it was switched off."""
        return self.kind, self.name
