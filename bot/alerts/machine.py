"""The alerts of a chat: notices and acts go in, what is to be said comes out. Time is given.

What is told is asked for one by one, so that whoever delivers slowly gets what is so by then.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Final

from bot.alerts import acts, chain, flaps, network
from bot.alerts.alert import Alert, Severity, State
from bot.alerts.daily import Day
from bot.alerts.hiding import join, why_hidden
from bot.alerts.storm import MINUTE_NS, NEW_MAX, Rate, Storm
from bot.alerts.table import Row, Until, Way, row_of
from bot.alerts.terms import Terms
from engine.bus.notices import AlertAct, StampedNotice
from engine.domain.units import NS_PER_S

GROUP_WAIT_NS: Final = 2 * NS_PER_S
"""What comes this soon after an alert's firing is told with it; the critical waits for nothing."""

EDIT_NS: Final = 10 * NS_PER_S
"""A message is edited no sooner after it was last written."""

KEPT_NS: Final = 24 * 3_600 * NS_PER_S
"""What is over is remembered this long, for its flips and its number."""

STORM: Final = "storm"
DAY: Final = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What is to be said next.

    Attributes:
        what: the fingerprint of an alert, `STORM` or `DAY`.
        edits: message that is replaced; None for a new one.
        mark: what it stands for, given back with `told`.
    """

    what: str
    edits: int | None = None
    is_urgent: bool = False
    is_silent: bool = False
    mark: tuple[int, int, int] = (0, 0, 0)


@dataclass(slots=True, kw_only=True)
class AlertMachine:
    """All alerts of one chat.

    Attributes:
        zone: the operator's, of quiet hours and the daily digest.
        group_wait_ns, edit_ns: the paces.
        alerts: by fingerprint, in the order in which they first fired.
        storm: the message that counts what gets none of its own, if there is one.
        day: what is counted for the next daily digest.
    """

    zone: dt.tzinfo
    started_at_ns: int
    group_wait_ns: int = GROUP_WAIT_NS
    edit_ns: int = EDIT_NS
    alerts: dict[str, Alert] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    storm: Storm | None = None
    day: Day = field(init=False)
    _rate: Rate = field(default_factory=Rate)

    def __post_init__(self) -> None:
        self.day = Day(since_ns=self.started_at_ns)

    def take(self, stamped: StampedNotice, *, now_ns: int, is_own: bool = False) -> None:
        """Take a notice in; `is_own` says that this chat asked for what it tells."""
        notice = stamped.notice
        if isinstance(notice, AlertAct):
            acts.apply(notice, self.alerts, self.terms)
            return
        row = row_of(notice)
        for name in row.ends(notice):
            self._end(name, stamped, row, now_ns=now_ns)
        if row.way is Way.ALERT:
            self._fire(stamped, row, now_ns=now_ns, is_own=is_own)
        if row.kind == "venue" and row.way in {Way.ALERT, Way.END}:
            for derived in network.find_changes(self.alerts):
                self.take(StampedNotice(seq=stamped.seq, notice=derived), now_ns=now_ns)

    def tick(self, *, now_ns: int) -> None:
        """Let time pass."""
        self.terms.forget_past(now_ns)
        for name, alert in list(self.alerts.items()):
            self._age(alert, now_ns=now_ns)
            is_old = now_ns - alert.seen_at_ns >= KEPT_NS
            if alert.is_over and alert.is_told and is_old and not self._wants_edit(alert):
                del self.alerts[name]
        storm = self.storm
        if storm is not None and now_ns - storm.last_at_ns >= MINUTE_NS:
            self.storm = None if storm.told_version == storm.version else storm

    def next_critical(self, *, now_ns: int) -> Say | None:
        """Return what is to be said next of what is critical."""
        for alert in self.alerts.values():
            if alert.is_critical and (say := self._say(alert, now_ns=now_ns)) is not None:
                return say
        return None

    def next_ordinary(self, *, now_ns: int) -> Say | None:
        """Return what is to be said next of all else."""
        ordinary = [alert for alert in self.alerts.values() if not alert.is_critical]
        says = [say for one in ordinary if (say := self._say(one, now_ns=now_ns)) is not None]
        new = [say for say in says if say.edits is None and self._may_be_left_out(say.what)]
        if new and (self._is_storm(now_ns) or len(new) > NEW_MAX):
            for say in new:
                self._leave_out(self.alerts[say.what], now_ns=now_ns)
            says = [say for say in says if say not in new]
        says.sort(key=lambda say: say.edits is not None)
        if says:
            return says[0]
        storm = self.storm
        is_quiet = self.terms.is_quiet(now_ns, self.zone)
        if storm is not None and storm.version > storm.told_version:
            if self._is_due(storm, now_ns=now_ns):
                mark = (storm.version, 0, 0)
                return Say(what=STORM, edits=storm.message_id, is_silent=is_quiet, mark=mark)
        elif self.day.is_due(now_ns, self.zone):
            if self.day.told:
                return Say(what=DAY, is_silent=True)
            self.day = Day(since_ns=now_ns)
        return None

    def told(self, say: Say, *, message_id: int | None, now_ns: int) -> None:
        """Take in that something was said; what changed meanwhile is still to be said."""
        if say.what == DAY:
            self.day = Day(since_ns=now_ns)
        elif say.what == STORM:
            if self.storm is not None:
                self.storm.told_version, _, _ = say.mark
                self.storm.told_at_ns, self.storm.message_id = now_ns, message_id
        elif (alert := self.alerts.get(say.what)) is not None:
            version, episode, repeats = say.mark
            if alert.episode != episode:
                return
            alert.is_told = True
            alert.told_version, alert.told_at_ns = version, now_ns
            alert.told_state = alert.state if version == alert.version else alert.told_state
            alert.message_id = message_id
            if say.edits is None and alert.repeats == repeats:
                alert.wants_message = False

    def pages(self) -> list[Alert]:
        """Return the alerts that are to go out by other ways than the chat."""
        return [one for one in self.alerts.values() if one.pages_due > one.pages_sent]

    def paged(self, fingerprint: str, *, pages: int) -> None:
        """Take in that an alert went out so often."""
        alert = self.alerts.get(fingerprint)
        if alert is not None:
            alert.pages_sent = max(alert.pages_sent, pages)

    def _fire(self, stamped: StampedNotice, row: Row, *, now_ns: int, is_own: bool) -> None:
        notice = stamped.notice
        name = row.fingerprint(notice)
        before = self.alerts.get(name)
        is_new = before is None or (before.is_over and before.is_told)
        self.day.count(row.topic, is_new=is_new)
        if before is not None and not is_new:
            self._fire_on(before, stamped, row, now_ns=now_ns)
            return
        alert = Alert(
            fingerprint=name,
            kind=row.kind,
            severity=row.severity(notice),
            episode=1 if before is None else before.episode + 1,
            since_ns=notice.at_ns,
            last_at_ns=notice.at_ns,
            newest=stamped,
            fired_at_ns=now_ns,
            seen_at_ns=now_ns,
        )
        if before is not None:
            alert.flips, alert.snoozed_until_ns = before.flips, before.snoozed_until_ns
        if row.until is Until.NOTICE and not alert.is_critical:
            flaps.count_firing(alert, now_ns=now_ns)
        if alert.is_flapping and before is not None:
            alert.message_id, alert.is_told = before.message_id, before.message_id is not None
            alert.told_at_ns = before.told_at_ns
        if row.until is Until.TOLD:
            alert.state, alert.resolved_at_ns = State.RESOLVED, now_ns
        if is_own and alert.is_critical:
            alert.state, alert.acked_at_ns = State.ACKED, now_ns
        if not (alert.is_told or alert.is_critical or row.is_alone):
            self._rate.count(now_ns)
        self.alerts.pop(name, None)
        self.alerts[name] = alert
        join(alert, self.alerts)

    def _fire_on(self, alert: Alert, stamped: StampedNotice, row: Row, *, now_ns: int) -> None:
        """Take in that an alert is still so, or is so again before its end was told."""
        notice = stamped.notice
        alert.count += 1
        alert.newest = stamped
        alert.last_at_ns = max(alert.last_at_ns, notice.at_ns)
        alert.seen_at_ns = now_ns
        alert.severity = min(alert.severity, row.severity(notice))
        if alert.is_flapping:
            flaps.fire_again(alert, now_ns=now_ns)
        elif alert.is_over and row.until is not Until.TOLD:
            alert.state, alert.resolved_at_ns = State.FIRING, 0
            if not alert.is_critical:
                flaps.count_firing(alert, now_ns=now_ns)
        join(alert, self.alerts)
        alert.change()

    def _end(self, name: str, stamped: StampedNotice, row: Row, *, now_ns: int) -> None:
        alert = self.alerts.get(name)
        if alert is None and row.way is Way.END:
            notice = stamped.notice
            self.alerts[name] = Alert(
                fingerprint=name,
                kind=row.kind,
                severity=Severity.P3,
                episode=1,
                since_ns=notice.at_ns,
                last_at_ns=notice.at_ns,
                newest=stamped,
                fired_at_ns=now_ns,
                seen_at_ns=now_ns,
                count=0,
                state=State.RESOLVED,
                resolved_at_ns=now_ns,
            )
            self._rate.count(now_ns)
        elif alert is not None and not alert.is_over:
            if alert.is_flapping:
                flaps.end(alert, now_ns=now_ns)
                return
            self._leave_unsaid(alert, now_ns=now_ns)
            if row.way is Way.END:
                alert.newest = stamped
            self._resolve(alert, now_ns=now_ns)

    def _resolve(self, alert: Alert, *, now_ns: int) -> None:
        alert.state, alert.resolved_at_ns = State.RESOLVED, now_ns
        alert.is_flapping, alert.wants_message = False, False
        alert.pages_due += 1 if alert.pages_due else 0
        alert.change()

    def _age(self, alert: Alert, *, now_ns: int) -> None:
        if alert.is_over:
            self._leave_unsaid(alert, now_ns=now_ns)
            return
        row = row_of(alert.newest.notice)
        if flaps.is_calm(alert, now_ns=now_ns):
            self._resolve(alert, now_ns=now_ns)
            return
        if row.until is Until.CALM and now_ns - alert.seen_at_ns >= row.calm_s * NS_PER_S:
            # That nothing more happened is no news.
            alert.state, alert.resolved_at_ns = State.RESOLVED, now_ns
            alert.told_state, alert.wants_message = State.RESOLVED, False
            return
        if alert.state is State.ACKED and row.ack_s is not None:
            if now_ns - alert.acked_at_ns >= row.ack_s * NS_PER_S:
                alert.state, alert.wants_message = State.FIRING, True
                chain.restart(alert, now_ns=now_ns)
                alert.change()
            return
        chain.step(alert, now_ns=now_ns)

    def _leave_unsaid(self, alert: Alert, *, now_ns: int) -> None:
        """Have an alert that is over, or about to be, and was hidden to its end never be told."""
        is_hidden = why_hidden(alert, self.alerts, self.terms, now_ns=now_ns) is not None
        if is_hidden and not alert.is_told:
            alert.is_told, alert.told_state = True, State.RESOLVED
            self.day.count_unshown(row_of(alert.newest.notice).topic)

    def _say(self, alert: Alert, *, now_ns: int) -> Say | None:
        say = Say(
            what=alert.fingerprint,
            is_urgent=alert.is_critical,
            is_silent=not alert.is_critical
            and (
                alert.severity >= Severity.P3
                or (alert.is_over and row_of(alert.newest.notice).until is not Until.TOLD)
                or self.terms.is_quiet(now_ns, self.zone)
            ),
            mark=(alert.version, alert.episode, alert.repeats),
        )
        if not alert.is_told or alert.wants_message:
            is_hidden = why_hidden(alert, self.alerts, self.terms, now_ns=now_ns) is not None
            wait_ns = 0 if alert.is_critical else self.group_wait_ns
            if not is_hidden and now_ns - alert.fired_at_ns >= wait_ns:
                return say
            if not alert.is_told:
                return None
        if not self._wants_edit(alert) or now_ns - alert.told_at_ns < self.edit_ns:
            return None
        return replace(say, edits=alert.message_id, is_silent=True)

    def _may_be_left_out(self, name: str) -> bool:
        alert = self.alerts[name]
        return not alert.is_told and not row_of(alert.newest.notice).is_alone

    def _is_storm(self, now_ns: int) -> bool:
        """Say whether what is new gets no message of its own; a restart ends no storm."""
        storm = self.storm
        is_fresh = storm is not None and now_ns - storm.since_ns < MINUTE_NS
        return is_fresh or self._rate.is_high(now_ns)

    def _is_due(self, storm: Storm, *, now_ns: int) -> bool:
        """Say whether a storm may be told anew; what cannot be edited is, once it is over."""
        if storm.told_version == 0:
            return True
        if storm.message_id is None:
            return now_ns - storm.last_at_ns >= MINUTE_NS
        return now_ns - storm.told_at_ns >= self.edit_ns

    def _wants_edit(self, alert: Alert) -> bool:
        """Say whether its message is out of date; what cannot be edited is told once it is over."""
        if alert.message_id is not None:
            return alert.version > alert.told_version
        is_end_told = alert.told_state is State.RESOLVED
        return alert.is_told and alert.is_over and not is_end_told and not alert.is_in_storm

    def _leave_out(self, alert: Alert, *, now_ns: int) -> None:
        """Have an alert counted by the storm's message."""
        if self.storm is None:
            self.storm = Storm(since_ns=now_ns, last_at_ns=now_ns)
        topic = row_of(alert.newest.notice).topic
        self.storm.add(topic=topic, fingerprint=alert.fingerprint, now_ns=now_ns)
        self.day.count_unshown(topic)
        alert.is_told, alert.is_in_storm = True, True
        alert.told_version, alert.told_at_ns = alert.version, now_ns
