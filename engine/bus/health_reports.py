"""What is reported of components' health and of incidents."""

from typing import Protocol

import msgspec

from engine.bus.report import Report, Unknown
from engine.domain.errors import TransientError
from engine.domain.health import Health, Incident, Sight, Weight
from engine.domain.modes import Basis
from engine.domain.recovery import Strategy, Tallied
from engine.domain.traffic import Used


class ComponentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One component at a glance.

    Attributes:
        name: its kind and what it is of.
        since_ns: since when it stands so.
        available: by time that was looked back ("1 h"): the share in which it worked, of the time
            in which it was seen; what was not seen at all is missing.
        changes: of the last day, oldest first: instant and how it stood from then on.
    """

    name: str
    says: str
    health: Health
    why: str
    since_ns: int
    available: dict[str, float]
    changes: list[tuple[int, Health]]


class RecoveryLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy came to, over all restarts since it is counted, in all roles together.

    Attributes:
        does: what is done about what.
        attempts: how often something was tried.
        successes: how often what had failed worked again; others are under way, or ended otherwise.
        given_up: how often it was not tried any further.
        recover_s_mean, recover_s_max: from the first failure until it worked again.
        roles: attempts by role.
    """

    policy: str
    strategy: Strategy
    does: str
    attempts: int = 0
    successes: int = 0
    given_up: int = 0
    recover_s_mean: float = 0.0
    recover_s_max: float = 0.0
    roles: dict[str, int] = {}


class IncidentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One incident at a glance; `ended_at_ns` is 0 while it is open."""

    number: int
    opened_at_ns: int
    ended_at_ns: int
    cause: str
    weight: Weight
    components: tuple[str, ...]
    failures: int


class HealthReport(Report, frozen=True, kw_only=True):
    """How all components stand.

    Attributes:
        components: in the order in which they are shown.
        open_incidents: numbers of the incidents that are not over.
        incidents, failures: how many there were since this began to be watched.
        watched_since_ns: since when it is watched, without a break.
        trouble: why none of this is kept over a restart; empty if it is.
        recoveries: all policies, in the order of their list.
    """

    basis: Basis
    at_ns: int
    components: list[ComponentLine]
    open_incidents: list[int]
    incidents: int
    failures: int
    watched_since_ns: int
    trouble: str = ""
    recoveries: list[RecoveryLine] = msgspec.field(default_factory=list)


class IncidentsReport(Report, frozen=True, kw_only=True):
    """The newest incidents, those that are open first."""

    basis: Basis
    at_ns: int
    incidents: list[IncidentSummary]


class IncidentReport(Report, frozen=True, kw_only=True):
    """One incident with its timeline."""

    basis: Basis
    at_ns: int
    incident: Incident


class RoleEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a role's process that nobody asked for, as its supervisor saw it.

    Attributes:
        number: by which it is known again when it is told twice; later ones have higher numbers.
        restarts: how often the role was started again, this time included; 0 where it is not.
    """

    number: int
    at_ns: int
    role: str
    why: str
    restarts: int = 0


class EndsHeard(Report, frozen=True, kw_only=True):
    """The ends of roles up to this number were heard and need not be told again."""

    number: int


class SightsReport(Report, frozen=True, kw_only=True):
    """What a role sees of the components that are its business.

    Attributes:
        tallied: what its process recovered from, and others have told it; by role.
        used: what its process used of venues and providers.
    """

    sights: list[Sight]
    tallied: dict[str, list[Tallied]] = msgspec.field(default_factory=dict)
    used: list[Used] = msgspec.field(default_factory=list)


def summary_of(incident: Incident) -> IncidentSummary:
    """Return an incident without its timeline."""
    return IncidentSummary(
        number=incident.number,
        opened_at_ns=incident.opened_at_ns,
        ended_at_ns=incident.ended_at_ns,
        cause=incident.cause,
        weight=incident.weight,
        components=tuple(incident.members),
        failures=sum(member.failures for member in incident.members.values()),
    )


class HealthDesk(Protocol):
    """What is answered of health, and who hears what the supervisor tells."""

    def ended(self, end: RoleEnd) -> None:
        """Take in that a process ended, perhaps long ago; the same one twice changes nothing."""
        ...

    def health(self) -> HealthReport:
        """Return how all components stand."""
        ...

    def incidents(self, most: int) -> IncidentsReport:
        """Return the newest incidents."""
        ...

    def incident(self, number: int) -> IncidentReport | Unknown:
        """Return one incident; the newest if the number is 0."""
        ...


class NotWatched:
    """Where nobody watches; obeys `HealthDesk`."""

    def ended(self, end: RoleEnd) -> None:
        """Raise `TransientError`."""
        del end
        raise TransientError(_WHY)

    def health(self) -> HealthReport:
        """Raise `TransientError`."""
        raise TransientError(_WHY)

    def incidents(self, most: int) -> IncidentsReport:
        """Raise `TransientError`."""
        del most
        raise TransientError(_WHY)

    def incident(self, number: int) -> IncidentReport | Unknown:
        """Raise `TransientError`."""
        del number
        raise TransientError(_WHY)


_WHY = "nobody watches components here: that is done beside a ledger with a process of its own"
