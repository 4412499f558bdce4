"""Adds up by UTC day what the roles used of venues and providers, and holds it against budgets."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from engine.bus.use_reports import BudgetLine, UseLine
from engine.domain.traffic import Used
from engine.domain.units import NS_PER_S

MB: Final = 1_048_576
DAYS_KEPT: Final = 70
NAMES_MAX: Final = 500
SHORT_RATIO: Final = 0.8
"""With so much of a budget used you are told."""

PACE_S_MIN: Final = 3_600.0
"""After so long something can be said of how it goes on."""

PACE_DAYS: Final = 7
DAY_S: Final = 86_400.0

DayKey = tuple[str, str]
"""UTC day, as 2026-11-30, and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What there is of a venue or provider in a period.

    Attributes:
        name: of the venue, or the end of the provider's host.
        unit: ``units`` or ``MB``.
        period: ``day`` or ``month``.
    """

    name: str
    unit: str
    period: str
    most: float

    def is_of(self, name: str) -> bool:
        """Say whether what was used under a name is of it."""
        kind, _, place = name.partition("/")
        if kind == "venue":
            return place == self.name
        return place == self.name or place.endswith(f".{self.name}")


class Uses:
    """What was used, by day and name.

    Attributes:
        days: sums of all roles.
        seen: as each role counted at the look before.
        changed: days and names of which something changed since they were kept.
    """

    def __init__(
        self,
        days: Mapping[DayKey, Used] | None = None,
        seen: Mapping[tuple[str, str], Used] | None = None,
    ) -> None:
        self.days: dict[DayKey, Used] = dict(days or {})
        self.seen: dict[tuple[str, str], Used] = dict(seen or {})
        self.changed: set[DayKey] = set()

    def take(self, role: str, used: Iterable[Used], *, at_ns: int) -> None:
        """Take what a role counts now; it is of the day on which that is seen."""
        day = day_of(at_ns)
        for one in used:
            key = (role, one.name)
            before = self.seen.get(key)
            if before is None or _is_less(one, before):
                before = Used(name=one.name)  # its process is new, and counts from its start
            self.seen[key] = one
            grown = _less(one, before)
            if grown != Used(name=one.name):
                self._add(day, grown)

    def forget(self, role: str) -> None:
        """Forget the connections of a role that is not there."""
        for key, one in self.seen.items():
            if key[0] == role:
                self.seen[key] = replace(one, connections=0)

    def prune(self, *, at_ns: int) -> list[str]:
        """Forget what is old; return its days."""
        oldest = day_of(at_ns - round(DAYS_KEPT * DAY_S) * NS_PER_S)
        old = sorted({day for day, _ in self.days if day < oldest})
        self.days = {key: one for key, one in self.days.items() if key[0] >= oldest}
        return old

    def lines(self, *, at_ns: int) -> list[UseLine]:
        """Return all that was used in this month."""
        day = day_of(at_ns)
        names = sorted({name for _, name in self.days} | {name for _, name in self.seen})
        return [self._line(name, day) for name in names]

    def budgets(self, budgets: Sequence[Budget], *, at_ns: int) -> list[BudgetLine]:
        """Hold budgets against what was used."""
        return [self._budget(one, at_ns) for one in budgets]

    def _add(self, day: str, grown: Used) -> None:
        key = (day, grown.name)
        if key not in self.days and sum(one == day for one, _ in self.days) >= NAMES_MAX:
            key = (day, "others")
        total = self.days.get(key) or Used(name=key[1])
        self.days[key] = replace(
            total,
            requests=total.requests + grown.requests,
            units=total.units + grown.units,
            received_bytes=total.received_bytes + grown.received_bytes,
            sent_bytes=total.sent_bytes + grown.sent_bytes,
        )
        self.changed.add(key)

    def _line(self, name: str, day: str) -> UseLine:
        today = self.days.get((day, name)) or Used(name=name)
        month = [one for (of, own), one in self.days.items() if own == name and of[:7] == day[:7]]
        return UseLine(
            name=name,
            requests_day=today.requests,
            units_day=today.units,
            mb_day=_mb(today),
            units_month=sum(one.units for one in month),
            mb_month=sum(map(_mb, month)),
            connections=sum(one.connections for (_, own), one in self.seen.items() if own == name),
        )

    def _budget(self, budget: Budget, at_ns: int) -> BudgetLine:
        begun_s, lasts_s = _period(budget.period, at_ns)
        now_s = at_ns / NS_PER_S
        used = self._sum(budget, since_s=begun_s)
        pace_begun_s = begun_s
        if budget.period == "month":
            pace_begun_s = max(begun_s, now_s - now_s % DAY_S - PACE_DAYS * DAY_S)
        measured_s = now_s - max(pace_begun_s, self._first_s(budget))
        forecast = None
        if measured_s >= PACE_S_MIN:
            pace = self._sum(budget, since_s=pace_begun_s) / measured_s
            forecast = used + pace * max(begun_s + lasts_s - now_s, 0.0)
        is_short = used >= SHORT_RATIO * budget.most or (forecast or 0.0) > budget.most
        return BudgetLine(
            name=budget.name,
            unit=budget.unit,
            period=budget.period,
            used=used,
            most=budget.most,
            forecast=forecast,
            is_short=is_short,
        )

    def _sum(self, budget: Budget, *, since_s: float) -> float:
        first = day_of(round(since_s) * NS_PER_S)
        found = [
            one for (day, name), one in self.days.items() if day >= first and budget.is_of(name)
        ]
        return sum(one.units if budget.unit == "units" else _mb(one) for one in found)

    def _first_s(self, budget: Budget) -> float:
        """Return since when anything was counted of what a budget is of."""
        days = [day for day, name in self.days if budget.is_of(name)]
        if not days:
            return float("inf")
        return dt.datetime.fromisoformat(f"{min(days)}T00:00:00+00:00").timestamp()


def day_of(at_ns: int) -> str:
    """Return the UTC day of an instant."""
    return f"{dt.datetime.fromtimestamp(at_ns / NS_PER_S, dt.UTC):%Y-%m-%d}"


def _period(period: str, at_ns: int) -> tuple[float, float]:
    """Return when a period began, and how long it lasts, in seconds."""
    now = dt.datetime.fromtimestamp(at_ns / NS_PER_S, dt.UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day.timestamp(), DAY_S
    first = day.replace(day=1)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    return first.timestamp(), (following - first).total_seconds()


def _mb(used: Used) -> float:
    return (used.received_bytes + used.sent_bytes) / MB


def _is_less(now: Used, before: Used) -> bool:
    return (
        now.requests < before.requests
        or now.received_bytes < before.received_bytes
        or now.sent_bytes < before.sent_bytes
    )


def _less(now: Used, before: Used) -> Used:
    return Used(
        name=now.name,
        requests=now.requests - before.requests,
        units=max(now.units - before.units, 0.0),
        received_bytes=now.received_bytes - before.received_bytes,
        sent_bytes=now.sent_bytes - before.sent_bytes,
    )
