"""Replies about venues and pairs that can be switched off."""

import msgspec

from engine.bus.reports import Report
from engine.domain.modes import Basis
from engine.domain.switched_off import PlaceKind


class PlaceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One venue or pair.

    Attributes:
        off_since_ns: when it was switched off; None while it is on.
    """

    name: str
    off_since_ns: int | None = None


class PlacesReport(Report, frozen=True, kw_only=True):
    """All venues, or all pairs, of a run: what is off first."""

    basis: Basis
    market_note: str
    kind: PlaceKind
    places: list[PlaceLine]
