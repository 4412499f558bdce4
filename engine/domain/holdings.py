"""Holdings: what is owned of an asset at a venue, as a sum over deposits and fills."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.assets import Amount, AssetCode
from engine.domain.instruments import VenueId

Place = tuple[VenueId, AssetCode]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capital:
    """Paper money that a place is to start with, at the first price that its asset has."""

    venue: VenueId
    asset: AssetCode
    usd: Decimal

    @property
    def place(self) -> Place:
        """Where it is to be."""
        return self.venue, self.asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """What sets a place to its start; as it is a difference, the order of records is no matter.

    Attributes:
        added: what is put in, negative if taken out.
        started: what the place holds then.
        started_usd: what that is worth at the time.
    """

    venue: VenueId
    added: Amount
    started: Amount
    started_usd: Decimal

    @property
    def place(self) -> Place:
        """Where it was put in."""
        return self.venue, self.added.asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An asset at a venue.

    Attributes:
        held: what is there now; negative if an unwinding cost more than there was.
        started: what the last deposit set it to, 0 before the first.
        started_usd: what that was worth then.
    """

    venue: VenueId
    held: Amount
    started: Amount
    started_usd: Decimal

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.venue, self.held.asset
