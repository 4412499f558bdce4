"""What an operator does about alerts, as rules on their state. Each act may come more than once."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.alerts.alert import Alert, State
from bot.alerts.table import Until, kinds, row_of
from bot.alerts.terms import HOURS_A_DAY, Terms
from engine.bus.notices import AlertAct
from engine.domain.recovery import ALERT_CHAIN, TALLY
from engine.domain.units import NS_PER_S

_HOURS: Final = re.compile(r"(\d{1,2})-(\d{1,2})\Z", re.ASCII)


class Act(StrEnum):
    """The acts."""

    ACK = "ack"
    SNOOZE = "snooze"
    MUTE = "mute"
    UNMUTE = "unmute"
    THRESHOLD = "threshold"
    QUIET = "quiet"


def read_hours(text: str) -> tuple[int, int] | None:
    """Read quiet hours, as 23-07; None where they are none."""
    match = _HOURS.match(text)
    hours = (int(match[1]), int(match[2])) if match else (HOURS_A_DAY, HOURS_A_DAY)
    return hours if max(hours) < HOURS_A_DAY and hours[0] != hours[1] else None


def why_not(act: AlertAct, alerts: Mapping[str, Alert]) -> str | None:
    """Return why an act cannot be done, None where it can."""
    match Act(act.act):
        case Act.ACK | Act.SNOOZE:
            return _why_not_about(act, alerts.get(act.target))
        case Act.MUTE | Act.UNMUTE | Act.THRESHOLD:
            known = kinds()
            is_known = act.target in known
            return None if is_known else f"no kind is named {act.target}: {', '.join(known)}"
        case Act.QUIET:
            is_readable = not act.target or read_hours(act.target) is not None
            return None if is_readable else "hours are written as 23-07"


def _why_not_about(act: AlertAct, alert: Alert | None) -> str | None:
    if alert is None:
        return f"no alert is named {act.target}"
    if act.episode and act.episode != alert.episode:
        return "that one is over; it fired anew since, under another message"
    if alert.is_over:
        return "it is over already"
    if act.act == Act.SNOOZE and alert.is_critical:
        return "what is critical is never silenced; acknowledge it"
    return None


def apply(act: AlertAct, alerts: Mapping[str, Alert], terms: Terms) -> None:
    """Carry an act out, as far as it can be."""
    if why_not(act, alerts) is not None:
        return
    match Act(act.act):
        case Act.ACK:
            _acknowledge(act, alerts[act.target])
        case Act.SNOOZE:
            _snooze(act, alerts[act.target])
        case Act.MUTE:
            terms.mutes[act.target] = act.until_ns
        case Act.UNMUTE:
            terms.mutes.pop(act.target, None)
            terms.thresholds.pop(act.target, None)
        case Act.THRESHOLD:
            terms.thresholds[act.target] = act.number
        case Act.QUIET:
            terms.quiet_from_h, terms.quiet_to_h = read_hours(act.target) or (0, 0)


def _acknowledge(act: AlertAct, alert: Alert) -> None:
    if act.at_ns < alert.fired_at_ns or act.at_ns <= alert.acked_at_ns:
        return  # it was of an earlier firing, or is known
    if alert.repeats:
        after_s = (act.at_ns - alert.fired_at_ns) / NS_PER_S
        TALLY.recovered(ALERT_CHAIN, after_s=after_s)
    alert.acked_at_ns = act.at_ns
    alert.acked_by = act.by
    alert.wants_message = False
    alert.pages_due = alert.pages_sent
    until = row_of(alert.newest.notice).until
    if until in {Until.ACK, Until.CALM}:
        alert.state = State.RESOLVED
        alert.resolved_at_ns = act.at_ns
        alert.is_flapping = False
    else:
        alert.state = State.ACKED
    alert.change()


def _snooze(act: AlertAct, alert: Alert) -> None:
    if alert.snoozed_until_ns == act.until_ns:
        return
    alert.snoozed_until_ns = act.until_ns
    alert.wants_message = alert.is_told
    alert.change()
