"""Which failures belong together: a rule over what was seen, without a clock of its own.

Fed with the same events in the same order it makes the same incidents, so that a history can be
played again under another rule. A failure is a component's turning `DOWN`; it joins the oldest open
incident to which it is related, and begins one of its own if there is none:

- its component is in the incident already (it flaps, or was not well for long enough),
- it needs a component that is in there and not well, or one that is not well in there needs it,
- it shares a need with one that failed in there within `TOGETHER_NS`: more likely that than each.

An incident is over once all of its components have been well for `SETTLED_NS`; it then ended when
the last of them became so.
"""

from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Final

import msgspec

from engine.domain.health import (
    Health,
    Incident,
    IncidentLine,
    Member,
    Said,
    Weight,
)
from engine.domain.units import NS_PER_S
from engine.health.component_list import common_needs, depends, is_vital

TOGETHER_NS: Final = 30 * NS_PER_S
SETTLED_NS: Final = 120 * NS_PER_S
LINES_MAX: Final = 200
FIRST_LINES: Final = 60
"""Lines of a long timeline's beginning that stay."""

FAILURES_MAX: Final = 50
"""Instants of a component's failures that are kept; all are counted."""


class Change(Enum):
    """What became of an incident."""

    OPENED = auto()
    GREW = auto()
    """Another component joined it."""
    NOTED = auto()
    ENDED = auto()


Changes = list[tuple[Change, Incident]]


class Incidents:
    """The open incidents of an installation.

    Attributes:
        open: the oldest first.
        failures: of components, since the rule began.
    """

    def __init__(
        self,
        *,
        next_number: int = 1,
        open_ones: Iterable[Incident] = (),
        settled_ns: int = SETTLED_NS,
    ) -> None:
        self.open: list[Incident] = sorted(open_ones, key=lambda one: one.number)
        self.failures = 0
        self._next_number = max([next_number, *(one.number + 1 for one in self.open)])
        self._settled_ns = settled_ns

    def seen(self, component: str, health: Health, *, why: str, at_ns: int) -> Changes:
        """Take in that a component stands otherwise than before; why, in words."""
        if health is Health.DOWN:
            self.failures += 1
            return [self._failed(component, why, at_ns)]
        held = self._with(component)
        if held is None:
            return []
        held.members[component].well_at_ns = at_ns if health is Health.WELL else 0
        text = f"{health}: {why}" if why else str(health)
        _note(held, at_ns, component, Said.SEEN, text)
        return [(Change.NOTED, held)]

    def tried(self, component: str, text: str, *, at_ns: int) -> Changes:
        """Take in what was tried for a component; nothing if it is in no incident."""
        held = self._with(component)
        if held is None:
            return []
        _note(held, at_ns, component, Said.TRIED, text)
        return [(Change.NOTED, held)]

    def gone(self, component: str, *, at_ns: int) -> Changes:
        """Take in that there is no such component any more."""
        held = self._with(component)
        if held is None or held.members[component].well_at_ns:
            return []
        held.members[component].well_at_ns = at_ns
        _note(held, at_ns, component, Said.SEEN, "not there any more")
        return [(Change.NOTED, held)]

    def tick(self, *, at_ns: int) -> Changes:
        """Let time pass; return the incidents that are over."""
        ended: Changes = []
        for one in list(self.open):
            well = [member.well_at_ns for member in one.members.values()]
            if all(well) and at_ns - max(well) >= self._settled_ns:
                one.ended_at_ns = max(well)
                self.open.remove(one)
                ended.append((Change.ENDED, one))
        return ended

    def _failed(self, component: str, why: str, at_ns: int) -> tuple[Change, Incident]:
        text = f"down: {why}" if why else "down"
        related = self._related(component, at_ns)
        if related is None:
            line = IncidentLine(at_ns=at_ns, component=component, said=Said.SEEN, text=text)
            opened = Incident(
                number=self._next_number,
                opened_at_ns=at_ns,
                cause=component,
                weight=_weight([component]),
                members={component: Member(failed_at_ns=[at_ns])},
                lines=[line],
            )
            self._next_number += 1
            self.open.append(opened)
            return Change.OPENED, opened
        is_new = component not in related.members
        if is_new:
            related.members[component] = Member(failed_at_ns=[at_ns])
        else:
            member = related.members[component]
            member.failed_at_ns = [*member.failed_at_ns, at_ns][-FAILURES_MAX:]
            member.failures += 1
            member.well_at_ns = 0
        related.opened_at_ns = min(related.opened_at_ns, at_ns)
        related.cause = cause_of(related)
        related.weight = _weight(related.members)
        _note(related, at_ns, component, Said.SEEN, text)
        return (Change.GREW if is_new else Change.NOTED), related

    def _with(self, component: str) -> Incident | None:
        """Return the open incident that a component is in: one at most."""
        return next((one for one in self.open if component in one.members), None)

    def _related(self, component: str, at_ns: int) -> Incident | None:
        own = self._with(component)
        if own is not None:
            return own
        return next((one for one in self.open if _is_related(one, component, at_ns)), None)


def cause_of(incident: Incident) -> str:
    """Return what an incident most likely comes of: what all others need, or all have in common."""
    members = list(incident.members)
    for one in members:
        if all(other == one or depends(other, one) for other in members):
            return one
    return next(iter(common_needs(members)), members[0])


def replay(events: Iterable[tuple[int, str, Health, str]]) -> Iterator[Incident]:
    """Return the incidents that events make, those that are over at their end first.

    Args:
        events: instant, component, how it stands from then on, and why.
    """
    rule = Incidents()
    for at_ns, component, health, why in events:
        for change, incident in rule.tick(at_ns=at_ns):
            if change is Change.ENDED:
                yield incident
        rule.seen(component, health, why=why, at_ns=at_ns)
    yield from rule.open


def _is_related(incident: Incident, component: str, at_ns: int) -> bool:
    for name, member in incident.members.items():
        is_failing = member.well_at_ns == 0
        if is_failing and (depends(component, name) or depends(name, component)):
            return True
        if abs(at_ns - member.failed_at_ns[-1]) <= TOGETHER_NS and (
            common_needs((component, name)) or depends(component, name) or depends(name, component)
        ):
            return True
    return False


def _weight(components: Iterable[str]) -> Weight:
    names = list(components)
    if any(is_vital(name) for name in names):
        return Weight.CRITICAL
    return Weight.MAJOR if len(names) > 1 else Weight.MINOR


def _note(incident: Incident, at_ns: int, component: str, said: Said, text: str) -> None:
    incident.lines.append(IncidentLine(at_ns=at_ns, component=component, said=said, text=text))
    if len(incident.lines) > LINES_MAX:
        del incident.lines[FIRST_LINES]
        incident.left_out += 1


def copied(incident: Incident) -> Incident:
    """Return an incident that does not change with the one that the rule goes on with."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(incident), type=Incident)
