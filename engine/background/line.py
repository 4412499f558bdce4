"""Who is next: tasks that are due stand in line until there is room.

The rule: the higher priority goes first, and among equals who waits longer. Each `LIFT_S` of
waiting lifts a task by one priority, up to the highest; so the lowest stands beside the highest
after three times that, and before whatever came later: nothing waits for ever. Nobody passes who
is first and only waits for memory.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from engine.background.ports import Priority
from engine.domain.runs import Trigger

LIFT_S: Final = 300.0
"""So much waiting weighs as much as one priority."""


@dataclass(slots=True, kw_only=True)
class Place:
    """A task in line; it stands there once, however often it is due.

    Attributes:
        since_s: when it was due, on the steady clock.
        not_before_s: when it may be tried again, after something that it wants was not to be had.
        why: what it waits for, beside room.
    """

    name: str
    priority: Priority
    memory_mb: int
    trigger: Trigger
    since_s: float
    not_before_s: float = 0.0
    why: str = ""


class Line:
    """Tasks that wait for their run."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def put(self, place: Place) -> None:
        """Let a task stand in line; one that stands there already keeps its place.

        Who is asked for by a person waits for nothing but room.
        """
        standing = self._places.get(place.name)
        if standing is None:
            self._places[place.name] = place
        elif place.trigger is Trigger.ASKED:
            standing.trigger, standing.priority = Trigger.ASKED, place.priority
            standing.not_before_s = place.not_before_s
        elif standing.trigger is Trigger.MORE:  # it is due by now
            standing.trigger, standing.priority = place.trigger, place.priority

    def get(self, name: str) -> Place | None:
        """Return the place of a task."""
        return self._places.get(name)

    def leave(self, name: str) -> None:
        """Take a task out of the line."""
        self._places.pop(name, None)

    def in_order(self, now_s: float) -> list[Place]:
        """Return all places, the first one first."""
        return sorted(self._places.values(), key=lambda one: _rank(one, now_s))

    def next(
        self, now_s: float, *, memory_mb_left: int, why_not: Callable[[Place], str]
    ) -> Place | None:
        """Return who begins now; None if nobody may, or the first one needs more memory."""
        for place in self.in_order(now_s):
            if place.not_before_s > now_s:
                continue
            if why := why_not(place):
                place.why = why
                continue
            if place.memory_mb > memory_mb_left:
                place.why = f"{place.memory_mb} MB of memory are not free yet"
                return None
            return place
        return None

    def waiting(self, now_s: float, why_not: Callable[[Place], str]) -> int:
        """Return how many could begin if there were room."""
        return sum(
            place.not_before_s <= now_s and not why_not(place) for place in self._places.values()
        )

    def names(self) -> Iterable[str]:
        """Return who stands in line."""
        return self._places.keys()


def _rank(place: Place, now_s: float) -> tuple[float, float, str]:
    lifted = place.priority + max(now_s - place.since_s, 0.0) // LIFT_S
    return -min(lifted, Priority.CRITICAL), place.since_s, place.name
