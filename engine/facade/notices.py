"""Notices that a front-end may receive."""

from engine.bus.notices import (
    REFUSED,
    Killed,
    LimitHit,
    ModeChanged,
    Notice,
    OpportunitySeen,
    PaperTraded,
    RecordsDropped,
    RoleRestarted,
    StampedNotice,
    Started,
    Unkilled,
    VenueBack,
    VenueLost,
)

__all__ = [
    "REFUSED",
    "Killed",
    "LimitHit",
    "ModeChanged",
    "Notice",
    "OpportunitySeen",
    "PaperTraded",
    "RecordsDropped",
    "RoleRestarted",
    "StampedNotice",
    "Started",
    "Unkilled",
    "VenueBack",
    "VenueLost",
]
