"""Notices that a front-end may receive."""

from engine.bus.notices import (
    REFUSED,
    ClockCorrected,
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
    "ClockCorrected",
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
