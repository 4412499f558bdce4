"""How each component stood when: only changes are kept, and availability is worked out of them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from engine.domain.health import Health, Sight
from engine.domain.units import NS_PER_DAY, NS_PER_HOUR

KEPT_NS: Final = 8 * NS_PER_DAY
"""Changes that are held in memory: a little more than the longest time that is shown."""

CHANGES_MAX: Final = 4_000
"""Changes of one component that are held; of more, the oldest are forgotten."""

WINDOWS: Final[Mapping[str, int]] = {
    "1 h": NS_PER_HOUR,
    "24 h": NS_PER_DAY,
    "7 d": 7 * NS_PER_DAY,
}
"""Over which availability is told."""


class Changed(NamedTuple):
    """A component stands so from an instant on."""

    at_ns: int
    health: Health
    why: str


class Histories:
    """The histories of all components."""

    def __init__(self) -> None:
        self._changes: dict[str, list[Changed]] = {}

    def __iter__(self) -> Iterator[str]:
        """Name the components that were ever seen, and are still there."""
        return iter(self._changes)

    def now(self, component: str) -> Changed | None:
        """Return how a component stands; None if it was never seen."""
        changes = self._changes.get(component)
        return changes[-1] if changes else None

    def changes(self, component: str, *, since_ns: int) -> list[Changed]:
        """Return the changes since an instant, and the one that was in force then."""
        changes = self._changes.get(component, [])
        first = bisect_right(changes, since_ns, key=lambda one: one.at_ns)
        return changes[max(first - 1, 0) :]

    def was_down(self, component: str, *, since_ns: int) -> bool:
        """Say whether a component was down at an instant, or was ever after it."""
        changes = self.changes(component, since_ns=since_ns)
        return any(one.health is Health.DOWN for one in changes)

    def take(self, sight: Sight, *, at_ns: int) -> Changed | None:
        """Take in how a component was seen; return what changed, None if nothing did.

        A change is never before the last one, whatever the clock or whoever looked says.
        """
        last = self.now(sight.component)
        if last is not None and last.health is sight.health:
            return None
        begun_ns = min(sight.since_ns or at_ns, at_ns)
        if last is not None:
            begun_ns = max(begun_ns, last.at_ns)
        changed = Changed(begun_ns, sight.health, sight.why)
        self.put(sight.component, changed)
        return changed

    def put(self, component: str, changed: Changed) -> None:
        """Add a change to the end of a history."""
        changes = self._changes.setdefault(component, [])
        changes.append(changed)
        oldest_ns = changed.at_ns - KEPT_NS
        while len(changes) > CHANGES_MAX or (len(changes) > 1 and changes[1].at_ns < oldest_ns):
            del changes[0]

    def forget(self, component: str) -> None:
        """Forget a component that is not there any more."""
        self._changes.pop(component, None)

    def availability(self, component: str, *, now_ns: int, window_ns: int) -> float | None:
        """Return the share of the time in which it worked, of that in which it was seen at all.

        None if it was not seen in all that time.
        """
        return availability(
            self.changes(component, since_ns=now_ns - window_ns),
            since_ns=now_ns - window_ns,
            until_ns=now_ns,
        )


def availability(changes: Iterable[Changed], *, since_ns: int, until_ns: int) -> float | None:
    """Return the share of the seen time in which a component worked, degraded or not."""
    up_ns = seen_ns = 0
    spans = list(changes)
    for number, one in enumerate(spans):
        end_ns = spans[number + 1].at_ns if number + 1 < len(spans) else until_ns
        lasted_ns = min(end_ns, until_ns) - max(one.at_ns, since_ns)
        if lasted_ns <= 0 or one.health is Health.UNSEEN:
            continue
        seen_ns += lasted_ns
        up_ns += 0 if one.health is Health.DOWN else lasted_ns
    return up_ns / seen_ns if seen_ns else None
