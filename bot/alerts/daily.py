"""The daily digest: what there was in a day, what was never told by itself included."""

import datetime as dt
from typing import Final

import msgspec

from engine.domain.units import NS_PER_S

DUE_H: Final = 8
"""Hour of the operator's day at which it is told."""


class Day(msgspec.Struct, kw_only=True):
    """What is counted until the next digest, kept over restarts.

    Attributes:
        fired: alerts by topic.
        told: how often they were told to be so, by topic.
        unshown: alerts that no message told of by itself, by topic.
    """

    since_ns: int
    fired: dict[str, int] = {}
    told: dict[str, int] = {}
    unshown: dict[str, int] = {}

    def count(self, topic: str, *, is_new: bool) -> None:
        """Count an occurrence."""
        self.told[topic] = self.told.get(topic, 0) + 1
        if is_new:
            self.fired[topic] = self.fired.get(topic, 0) + 1

    def count_unshown(self, topic: str) -> None:
        """Count an alert that ended, or was counted by a storm, without a message of its own."""
        self.unshown[topic] = self.unshown.get(topic, 0) + 1

    def is_due(self, now_ns: int, zone: dt.tzinfo) -> bool:
        """Say whether the hour of the digest has come since the last one."""
        now = dt.datetime.fromtimestamp(now_ns // NS_PER_S, zone)
        since = dt.datetime.fromtimestamp(self.since_ns // NS_PER_S, zone)
        due = now.replace(hour=DUE_H, minute=0, second=0, microsecond=0)
        if now < due:
            due -= dt.timedelta(days=1)
        return since < due
