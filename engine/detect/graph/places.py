"""Places as an edge of the market graph knows them: one direction of a book, a pool or a bridge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import HopKind

POOL_PLACE: Final = 1 << 20
"""Places of pools have numbers from here on in the graph; below are the rows of the board."""

BRIDGE_PLACE: Final = 1 << 21
"""Places of bridges have numbers from here on."""

PLACES_FROM: Final = {HopKind.BOOK: 0, HopKind.POOL: POOL_PLACE, HopKind.BRIDGE: BRIDGE_PLACE}


@dataclass(frozen=True, slots=True)
class Place:
    """One direction of a place.

    Attributes:
        name: at its venue, such as ``BTC-USD``.
        row: row of the book on the board, or number of the pool or bridge in the run.
        chain: of a pool.
    """

    kind: HopKind
    venue: VenueId
    name: str
    row: int
    source: AssetCode
    target: AssetCode
    chain: str = ""

    @property
    def number(self) -> int:
        """Its number in the graph."""
        return self.row + PLACES_FROM[self.kind]


def is_on_one_chain(legs: Sequence[Sequence[Place]]) -> bool:
    """Say whether all places are pools of one chain, so that a flash loan can pay for the route."""
    places = [place for leg in legs for place in leg]
    return (
        all(place.kind is HopKind.POOL for place in places)
        and len({place.chain for place in places}) == 1
    )


def venue_changes(legs: Sequence[Sequence[Place]]) -> int:
    """Count the seams between legs, the last to the first among them, that may cost a transfer.

    A seam counts as a whole unless both of its legs are at one and the same venue: no part of the
    amount changes its venue there more than once, so that it is never counted too low.
    """
    venues = [{place.venue for place in leg} for leg in legs]
    return sum(len(a | b) > 1 for a, b in zip(venues, [*venues[1:], venues[0]], strict=True))
