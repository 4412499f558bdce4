"""Joins what is seen of components: histories, incidents, what is kept, and what is told.

It is told what was seen and when, and asks nobody. A disk that takes no history loses that, which
is shown, and nothing else.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from engine.bus.health_reports import (
    ComponentLine,
    HealthReport,
    IncidentReport,
    IncidentsReport,
    RoleEnd,
    summary_of,
)
from engine.bus.notices import IncidentEnded, IncidentOpened, Notice
from engine.bus.report import Unknown
from engine.domain.errors import SyndicateError
from engine.domain.health import Health, Incident, Sight
from engine.domain.modes import Basis
from engine.domain.recovery import ROLE_RESTART, Recovery, Tallied
from engine.domain.units import NS_PER_DAY, NS_PER_MS, NS_PER_S
from engine.health.component_list import in_order, is_known, kind_of
from engine.health.history import KEPT_NS, WINDOWS, Changed, Histories
from engine.health.incidents import SETTLED_NS, Change, Changes, Incidents, copied
from engine.health.keeping import Kept
from engine.health.tallies import Tallies
from engine.health.uses import Uses

TOLD_AFTER_NS: Final = 30 * NS_PER_S
"""An incident of one component that no other notice tells of is told after so long."""

UNSEEN_AFTER_NS: Final = 15 * NS_PER_S
"""A break of the looks as long as this one was a time in which nothing was seen."""

LOST_AFTER_NS: Final = 60 * NS_PER_S
"""A component that whoever sees it does not name for so long is not there any more."""

OWN: Final = "role/ledger"
"""Who looks."""

log = logging.getLogger(__name__)


class Watch:
    """The health of an installation; obeys `bus.health_reports.HealthDesk`.

    Attributes:
        uses: what was used of venues and providers.

    Args:
        kept: where it is kept; None if it cannot be, and `trouble` says why.
        retention_days: what is older goes.
        tell: takes a notice.
    """

    def __init__(
        self,
        kept: Kept | None,
        *,
        basis: Basis,
        now_ns: int,
        retention_days: int,
        tell: Callable[[Notice], None],
        trouble: str = "",
        settled_ns: int = SETTLED_NS,
    ) -> None:
        self._kept = kept
        self._basis = basis
        self._now_ns = self._watched_since_ns = now_ns
        self._retention_ns = retention_days * NS_PER_DAY
        self._tell = tell
        self._trouble = trouble
        self._histories = Histories()
        self._named_at_ns: dict[str, int] = {}
        self._opened = 0
        self._ended: list[Incident] = []
        self._restarts: dict[str, Recovery] = {}
        self._heard = 0
        self._settled_ns = settled_ns
        self._incidents = Incidents(settled_ns=settled_ns)
        self._tallies = Tallies()
        self.uses = Uses()
        self._keep(self._restore)

    # ---- what is told to it ------------------------------------------------------------------

    def take(self, sights: Iterable[Sight], *, at_ns: int) -> None:
        """Take in what was seen at an instant."""
        for sight in sights:
            if not is_known(sight.component):
                log.error("a component of no known kind was seen: %s", sight.component)
                continue
            self._named_at_ns[sight.component] = at_ns
            changed = self._histories.take(sight, at_ns=at_ns)
            if changed is not None:
                self._changed(sight.component, changed)

    def ended(self, end: RoleEnd) -> None:
        """See `HealthDesk.ended`.

        It is a failure whatever was seen of the role: that it was never well, or is well again.
        """
        if end.number <= self._heard:
            return
        self._heard = end.number
        component = f"role/{end.role}"
        is_news = not self._histories.was_down(component, since_ns=end.at_ns)
        before = self._histories.now(component)
        if is_news:
            why = f"it ended: {end.why}"
            self._take_back(Sight(component=component, health=Health.DOWN, why=why), end.at_ns)
        if end.restarts:
            self._restarts.setdefault(component, Recovery(ROLE_RESTART, of=component)).failed()
            text = f"restart {end.restarts} by the supervisor"
            self.tried(component, text, at_ns=end.at_ns)
        seen_ns = self._named_at_ns.setdefault(component, end.at_ns)
        again_ns = max(end.at_ns, self._watched_since_ns)
        if is_news and before is not None and seen_ns > again_ns:
            back = Sight(component=component, health=before.health, why=before.why)
            self._take_back(back, again_ns)

    def tried(self, component: str, text: str, *, at_ns: int) -> None:
        """Take in what was tried for a component."""
        self._carry_out(self._incidents.tried(component, text, at_ns=at_ns))

    def take_tally(self, role: str, tallied: Iterable[Tallied], *, at_ns: int) -> None:
        """Take in what a role counts of its recoveries; what it tried stands in timelines."""
        for grown in self._tallies.take(role, tallied):
            if grown.of and grown.policy != ROLE_RESTART.name:  # that is told with each restart
                self.tried(grown.of, f"{grown.policy}, {grown.attempts} times", at_ns=at_ns)

    def looked(self, *, at_ns: int, everything: bool) -> None:
        """Take in that a round of looks is over.

        Args:
            at_ns: when it was.
            everything: all who see anything answered, so that what none of them named is gone.
        """
        self._now_ns = at_ns
        for component, recovery in self._restarts.items():
            if self._is_well(component):
                recovery.works()
        if everything:
            for component in list(self._histories):
                if at_ns - self._named_at_ns.get(component, 0) >= LOST_AFTER_NS:
                    self._forget(component, at_ns)
        self._carry_out(self._incidents.tick(at_ns=at_ns))
        for incident in self._incidents.open:
            if not incident.is_told and self._is_to_be_told(incident):
                self._tell_opened(incident)
        self._keep(self._keep_look)

    def prune(self, *, at_ns: int) -> None:
        """Delete what is old."""
        self._keep(lambda kept: kept.prune(old_at_ns=at_ns - self._retention_ns))
        days = self.uses.prune(at_ns=at_ns)
        self._keep(lambda kept: kept.forget_days(days))

    # ---- what it answers ---------------------------------------------------------------------

    def health(self) -> HealthReport:
        """See `HealthDesk.health`."""
        return HealthReport(
            basis=self._basis,
            at_ns=self._now_ns,
            components=[self._line(name) for name in in_order(self._histories)],
            open_incidents=[one.number for one in self._incidents.open],
            incidents=self._opened,
            failures=self._incidents.failures,
            watched_since_ns=self._watched_since_ns,
            trouble=self._trouble,
            recoveries=self._tallies.lines(),
        )

    def incidents(self, most: int) -> IncidentsReport:
        """See `HealthDesk.incidents`."""
        found = self._all(max(1, min(most, 100)))
        return IncidentsReport(
            basis=self._basis, at_ns=self._now_ns, incidents=[summary_of(one) for one in found]
        )

    def incident(self, number: int) -> IncidentReport | Unknown:
        """See `HealthDesk.incident`."""
        found = self._find(number)
        if found is None:
            return Unknown(what=f"no incident has the number {number}" if number else "no incident")
        return IncidentReport(basis=self._basis, at_ns=self._now_ns, incident=copied(found))

    # ---- inside ------------------------------------------------------------------------------

    def _is_well(self, component: str) -> bool:
        now = self._histories.now(component)
        return now is not None and now.health is Health.WELL

    def _line(self, name: str) -> ComponentLine:
        now = self._histories.now(name)
        assert now is not None
        told = {
            window: share
            for window, window_ns in WINDOWS.items()
            if (
                share := self._histories.availability(
                    name, now_ns=self._now_ns, window_ns=window_ns
                )
            )
            is not None
        }
        since_ns = self._now_ns - NS_PER_DAY
        return ComponentLine(
            name=name,
            says=kind_of(name).says,
            health=now.health,
            why=now.why,
            since_ns=now.at_ns,
            available=told,
            changes=[
                (max(one.at_ns, since_ns), one.health)
                for one in self._histories.changes(name, since_ns=since_ns)
            ],
        )

    def _changed(self, component: str, changed: Changed) -> None:
        changes = self._incidents.seen(
            component, changed.health, why=changed.why, at_ns=changed.at_ns
        )
        incidents = [incident for _, incident in changes]
        self._keep(lambda kept: kept.change(component, changed, incidents))
        self._carry_out(changes)

    def _forget(self, component: str, at_ns: int) -> None:
        gone = Changed(at_ns, Health.UNSEEN, "not there any more")
        self._keep(lambda kept: kept.change(component, gone))
        self._histories.forget(component)
        self._carry_out(self._incidents.gone(component, at_ns=at_ns))

    def _carry_out(self, changes: Changes) -> None:
        for change, incident in changes:
            if change is Change.OPENED:
                self._opened += 1
            elif change is Change.ENDED:
                self._ended = [incident, *self._ended][:100]
                if incident.is_told:
                    self._tell_ended(incident)
            is_news = change in {Change.OPENED, Change.GREW}
            if is_news and (incident.is_told or self._is_to_be_told(incident)):
                self._tell_opened(incident)
            self._keep_incident(incident)

    def _is_to_be_told(self, incident: Incident) -> bool:
        if len(incident.members) > 1:
            return True
        (name,) = incident.members
        lasts_ns = self._now_ns - incident.opened_at_ns
        is_failing = incident.members[name].well_at_ns == 0
        return not kind_of(name).has_own_notice and is_failing and lasts_ns >= TOLD_AFTER_NS

    def _tell_opened(self, incident: Incident) -> None:
        incident.is_told = True
        self._keep_incident(incident)
        self._tell(
            IncidentOpened(
                at_ns=max(self._now_ns, incident.opened_at_ns),
                basis=self._basis,
                number=incident.number,
                opened_at_ns=incident.opened_at_ns,
                cause=incident.cause,
                weight=incident.weight,
                components=tuple(in_order(incident.members)),
            )
        )

    def _tell_ended(self, incident: Incident) -> None:
        self._tell(
            IncidentEnded(
                at_ns=self._now_ns,
                basis=self._basis,
                number=incident.number,
                cause=incident.cause,
                components=tuple(in_order(incident.members)),
                lasted_ms=max(0, incident.ended_at_ns - incident.opened_at_ns) // NS_PER_MS,
            )
        )

    def _all(self, most: int) -> Sequence[Incident]:
        if self._kept is not None:
            try:
                return self._kept.incidents(most=most)
            except SyndicateError as error:
                self._lose(error)
        return [*reversed(self._incidents.open), *self._ended][:most]

    def _find(self, number: int) -> Incident | None:
        held = [*reversed(self._incidents.open), *self._ended]
        if number == 0:
            return next(iter(self._all(1)), None)
        for one in held:
            if one.number == number:
                return one
        if self._kept is None:
            return None
        try:
            return self._kept.find_incident(number)
        except SyndicateError as error:
            self._lose(error)
            return None

    def _restore(self, kept: Kept) -> None:
        """Go on where the process before ended; what was not seen since is no failure."""
        now_ns = self._now_ns
        looked_ns, was_closed = kept.take_mark()
        self._tallies, self.uses = kept.tallies(), kept.uses()
        for component, changed in kept.changes(since_ns=now_ns - KEPT_NS):
            self._histories.put(component, changed)
        self._incidents = Incidents(
            next_number=kept.next_number(),
            open_ones=kept.open_incidents(),
            settled_ns=self._settled_ns,
        )
        for component in list(self._histories):
            self._named_at_ns[component] = now_ns
            last = self._histories.now(component)
            if last is not None and last.why == "not there any more":
                self._histories.forget(component)
        if not was_closed:
            why = "it ended, and nobody looked until it was there again"
            down = Sight(component=OWN, health=Health.DOWN, why=why)
            self._take_back(down, looked_ns or now_ns)
            self._named_at_ns[OWN] = now_ns
        if looked_ns and now_ns - looked_ns >= UNSEEN_AFTER_NS:
            for component in list(self._histories):
                if component != OWN or was_closed:
                    unseen = Sight(component=component, health=Health.UNSEEN, why="nobody looked")
                    self._take_back(unseen, looked_ns)

    def _take_back(self, sight: Sight, at_ns: int) -> None:
        changed = self._histories.take(sight, at_ns=at_ns)
        if changed is not None:
            self._changed(sight.component, changed)

    def _keep_look(self, kept: Kept) -> None:
        kept.looked(self._now_ns)
        kept.tallied(self._tallies)
        kept.used(self.uses)

    def _keep_incident(self, incident: Incident) -> None:
        self._keep(lambda kept: kept.incident(incident))

    def _keep(self, work: Callable[[Kept], None]) -> None:
        """Have something kept; a disk that does not take it is shown, and not tried again."""
        if self._kept is None:
            return
        try:
            work(self._kept)
        except SyndicateError as error:
            self._lose(error)

    def _lose(self, error: SyndicateError) -> None:
        log.error("the history of health is not kept any more: %s", error)
        self._trouble, self._kept = str(error), None
