"""Places of live money that no longer cover what is drawn on them."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """The least that something draws on a place.

    Attributes:
        what: draws on it, in words: ``sell BTC-USD``; empty for the floor that the operator set.
        needed: in the place's asset.
    """

    what: str
    needed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTurn:
    """A place ran low, or is enough again.

    Attributes:
        free: what is there and not reserved, in `asset`.
        needed: the least amount at which nothing is stopped.
        stops: what draws on the place and is not covered, in words; empty if it is enough again, or
            only below the floor.
        is_below_floor: it is less than the operator's setting for this asset.
    """

    venue: VenueId
    asset: AssetCode
    is_low: bool
    free: Decimal
    needed: Decimal
    stops: tuple[str, ...]
    is_below_floor: bool
