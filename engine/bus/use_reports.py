"""What is reported of resources beside processes: venues, providers, disk, bounds."""

from typing import Protocol

import msgspec

from engine.bus.report import Report
from engine.domain.errors import TransientError
from engine.domain.modes import Basis


class UseLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was used of one venue or provider, in all processes together.

    Attributes:
        units_day, mb_day: of this UTC day; `units_month` and `mb_month` of this UTC month.
        connections: that are open now.
    """

    name: str
    requests_day: int
    units_day: float
    mb_day: float
    units_month: float
    mb_month: float
    connections: int


class BudgetLine(msgspec.Struct, frozen=True, kw_only=True):
    """One budget of the settings.

    Attributes:
        name: of the venue or host.
        unit: ``units`` or ``MB``.
        period: ``day`` or ``month``.
        forecast: what it comes to at the end of the period at the present pace; None while nobody
            can say.
        is_short: four fifths of it are used, or it will not last.
    """

    name: str
    unit: str
    period: str
    used: float
    most: float
    forecast: float | None
    is_short: bool


class KeptLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one kind of thing on the disk.

    Attributes:
        keeps: for how long, or how much, and who sees to that.
    """

    what: str
    mb: float
    files: int
    keeps: str


class BoundLine(msgspec.Struct, frozen=True, kw_only=True):
    """How near something is to its bound.

    Attributes:
        ratio: of the bound now.
        per_h: how that grows in an hour, None while nobody can say.
        points: (at_ns, ratio), oldest first, of a day.
    """

    name: str
    ratio: float
    per_h: float | None
    points: list[tuple[int, float]]


class RunsLine(msgspec.Struct, frozen=True, kw_only=True):
    """How many background runs the load of the machine leaves room for.

    Attributes:
        running: that are under way.
        room: that may be, as the role said last; `room_why` why no more.
        points: (at_ns, running, room), oldest first, of a day.
    """

    running: int
    room: int
    room_why: str
    points: list[tuple[int, int, int]]


class UseReport(Report, frozen=True, kw_only=True):
    """What is used of venues, providers, disk and machine.

    Attributes:
        full_in_h: when the disk is full at the present pace; None if it does not fill, as far as
            anybody can say.
        kept: what is kept on the disk, the most first.
        bounds: the one that is nearest to its bound first.
        short: what will be full or spent, in sentences.
        runs: of background work; None where none is done, or its role does not say.
    """

    basis: Basis
    at_ns: int
    uses: list[UseLine]
    budgets: list[BudgetLine]
    free_mb: float
    total_mb: float
    full_in_h: float | None
    kept: list[KeptLine]
    bounds: list[BoundLine]
    short: list[str]
    runs: RunsLine | None = None


class UseDesk(Protocol):
    """What is answered of resources."""

    def use(self) -> UseReport:
        """Return what is used."""
        ...


class NotMeasured:
    """Where nobody measures; obeys `UseDesk`."""

    def use(self) -> UseReport:
        """Raise `TransientError`."""
        raise TransientError("nobody measures here: that is done beside a ledger with a process")
