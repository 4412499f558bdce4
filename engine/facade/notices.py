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
    RecordingStopped,
    RecordsDropped,
    RetentionHeld,
    RoleRestarted,
    StampedNotice,
    Started,
    Unkilled,
    VenueBack,
    VenueLost,
)
from engine.domain.opportunities import Reason

__all__ = [
    "REFUSED",
    "ClockCorrected",
    "Killed",
    "LimitHit",
    "ModeChanged",
    "Notice",
    "OpportunitySeen",
    "PaperTraded",
    "Reason",
    "RecordingStopped",
    "RecordsDropped",
    "RetentionHeld",
    "RoleRestarted",
    "StampedNotice",
    "Started",
    "Unkilled",
    "VenueBack",
    "VenueLost",
]
