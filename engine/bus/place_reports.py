"""Replies about venues and pairs that can be switched off, and about fees."""

from decimal import Decimal

import msgspec

from engine.bus.reports import Report
from engine.domain.instruments import VenueId
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


class FeeLine(msgspec.Struct, frozen=True, kw_only=True):
    """The taker fee of one venue.

    Attributes:
        bps: that is in force.
        since_ns: when the operator set it; None where the settings' holds.
        word_bps: what the operator set then; less than `bps` if the settings say more by now.
        told_bps: taker fee of our tier as the venue told it; None if it did not in this run.
        told_at_ns: when that was read there; `is_old` if too long ago to lower a fee.
    """

    venue: VenueId
    bps: Decimal
    by_settings: Decimal
    since_ns: int | None = None
    word_bps: Decimal | None = None
    told_bps: Decimal | None = None
    told_at_ns: int = 0
    is_old: bool = False


class FeesReport(Report, frozen=True, kw_only=True):
    """All fees that are reckoned with.

    Attributes:
        started_at_ns: since when those of the settings hold.
    """

    basis: Basis
    market_note: str
    started_at_ns: int
    fees: list[FeeLine]
