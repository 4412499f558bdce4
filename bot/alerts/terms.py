"""What the operator set about alerts from the phone: mutes, thresholds and quiet hours."""

import datetime as dt
from typing import Final

import msgspec

from engine.domain.units import NS_PER_S

HOURS_A_DAY: Final = 24


class Terms(msgspec.Struct, kw_only=True):
    """The operator's terms; none of them touches what is critical.

    Attributes:
        mutes: by kind, until when nothing of it is told.
        thresholds: by kind, from which number on it is told: dollars of an opportunity, else how
            often an alert was told to be so.
        quiet_from_h, quiet_to_h: hours of the operator's day without a sound; equal for none.
    """

    mutes: dict[str, int] = {}
    thresholds: dict[str, int] = {}
    quiet_from_h: int = 0
    quiet_to_h: int = 0

    @property
    def has_quiet(self) -> bool:
        """Say whether quiet hours are set."""
        return self.quiet_from_h != self.quiet_to_h

    def is_muted(self, kind: str, *, now_ns: int) -> bool:
        """Say whether a kind is muted now."""
        return self.mutes.get(kind, 0) > now_ns

    def is_quiet(self, now_ns: int, zone: dt.tzinfo) -> bool:
        """Say whether it is a quiet hour in the operator's zone."""
        if not self.has_quiet:
            return False
        hour = dt.datetime.fromtimestamp(now_ns // NS_PER_S, zone).hour
        since_h = (hour - self.quiet_from_h) % HOURS_A_DAY
        return since_h < (self.quiet_to_h - self.quiet_from_h) % HOURS_A_DAY

    def forget_past(self, now_ns: int) -> None:
        """Drop mutes that ended."""
        for kind in [kind for kind, until_ns in self.mutes.items() if until_ns <= now_ns]:
            del self.mutes[kind]
