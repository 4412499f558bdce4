"""What is kept of each time that background work was pushed aside."""

from collections import Counter, deque
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

KEPT: Final = 100
"""So many of the newest switches are kept one by one."""

EDGES_US: Final = (5, 10, 20, 50, 100, 250, 500, 1_000, 2_000, 5_000)
"""Upper ends of the classes in which times of signals and of resuming are counted."""

EDGES_MS: Final = (10, 20, 30, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""The same of how long work was held."""

_NS_PER_US: Final = 1_000
_NS_PER_MS: Final = 1_000_000


class Trigger(IntEnum):
    """What pushes background work aside."""

    OPPORTUNITY = 1
    KILL = 2
    APPROVAL = 3
    IMPACT = 4
    """A trade on a chain that moves, or will move, its price far."""
    WEBHOOK = 5


class Ended(StrEnum):
    """Why a hold ended."""

    QUIET = "quiet"
    LONGEST = "longest"
    """The path was not quiet, and background work was due its share of time."""
    CLOSED = "closed"
    HOLDER_DEAD = "holder_dead"
    OVERDUE = "overdue"
    """Its holder lives and did not end it."""
    ABSURD = "absurd"
    """No holder writes such times."""


class Switch(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Background work was pushed aside, and let go again.

    Attributes:
        holder: who did it, such as ``engine-main``.
        trigger: what came first.
        others: what else came while it was held, by its kind's bit.
        triggers: how many came in all.
        triggered_at_ns: when, nanoseconds since 1970.
        signal_ns: from the trigger to the end of the call that stops.
        held_ns: from the trigger to the decision to let go.
        resume_ns: from there until work may go on.
        subject: which opportunity or the like it was for; empty if nobody said.
        led_to: what became of that.
    """

    holder: str
    trigger: Trigger
    others: int
    triggers: int
    triggered_at_ns: int
    signal_ns: int
    held_ns: int
    resume_ns: int
    ended: Ended
    subject: str = ""
    led_to: str = ""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How a time was spread over all switches.

    Attributes:
        edges: upper ends of classes; one more class is above the last.
        counts: of each class.
    """

    unit: str
    count: int
    mean: float
    max: float
    edges: tuple[int, ...]
    counts: tuple[int, ...]

    def below(self, ratio: float) -> float:
        """Return the upper end of the class below which this share of all is."""
        wanted, sum_ = ratio * self.count, 0
        for edge, count in zip(self.edges, self.counts, strict=False):
            sum_ += count
            if sum_ >= wanted:
                return min(float(edge), self.max)
        return self.max


class SwitchReport(msgspec.Struct, frozen=True, kw_only=True):
    """All switches since the role began.

    Attributes:
        by_trigger, by_end: how many, by what began and what ended them.
        lost: how many came faster than they were read.
        damaged: how many records could not be read.
        unstopped: how many processes were found running while all were to be stopped.
        forced: how many of them were ended, as they did not stop when told again.
        newest: the last ones, the newest first.
    """

    count: int
    triggers: int
    by_trigger: dict[str, int]
    by_end: dict[str, int]
    signal: Spread
    held: Spread
    resume: Spread
    lost: int
    damaged: int
    unstopped: int
    forced: int
    newest: tuple[Switch, ...]


class Switches:
    """Counts switches, in bounded memory.

    Attributes:
        lost, damaged, unstopped, forced: see `SwitchReport`.
    """

    def __init__(self) -> None:
        self.lost = self.damaged = self.unstopped = self.forced = 0
        self._count = self._triggers = 0
        self._by_trigger: Counter[str] = Counter()
        self._by_end: Counter[str] = Counter()
        self._signal = _Classes("us", EDGES_US, _NS_PER_US)
        self._held = _Classes("ms", EDGES_MS, _NS_PER_MS)
        self._resume = _Classes("us", EDGES_US, _NS_PER_US)
        self._newest: deque[Switch] = deque(maxlen=KEPT)

    def add(self, switch: Switch) -> None:
        """Count one."""
        self._count += 1
        self._triggers += switch.triggers
        self._by_trigger[switch.trigger.name.lower()] += 1
        self._by_end[switch.ended] += 1
        self._signal.add(switch.signal_ns)
        self._held.add(switch.held_ns)
        self._resume.add(switch.resume_ns)
        self._newest.appendleft(switch)

    def report(self) -> SwitchReport:
        """Return how things stand."""
        return SwitchReport(
            count=self._count,
            triggers=self._triggers,
            by_trigger=dict(self._by_trigger),
            by_end=dict(self._by_end),
            signal=self._signal.spread(),
            held=self._held.spread(),
            resume=self._resume.spread(),
            lost=self.lost,
            damaged=self.damaged,
            unstopped=self.unstopped,
            forced=self.forced,
            newest=tuple(self._newest),
        )


class _Classes:
    def __init__(self, unit: str, edges: tuple[int, ...], ns_per_unit: int) -> None:
        self._unit, self._edges, self._ns_per_unit = unit, edges, ns_per_unit
        self._counts = [0] * (len(edges) + 1)
        self._sum_ns = self._max_ns = 0

    def add(self, duration_ns: int) -> None:
        place = sum(duration_ns > edge * self._ns_per_unit for edge in self._edges)
        self._counts[place] += 1
        self._sum_ns += duration_ns
        self._max_ns = max(self._max_ns, duration_ns)

    def spread(self) -> Spread:
        count = sum(self._counts)
        return Spread(
            unit=self._unit,
            count=count,
            mean=self._sum_ns / max(count, 1) / self._ns_per_unit,
            max=self._max_ns / self._ns_per_unit,
            edges=self._edges,
            counts=tuple(self._counts),
        )
