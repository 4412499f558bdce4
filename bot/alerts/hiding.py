"""Why an alert is not told although it fires. Of a critical one there is never a reason."""

from collections.abc import Mapping
from enum import StrEnum

from bot.alerts.alert import Alert, Severity, State
from bot.alerts.table import INCIDENT, row_of
from bot.alerts.terms import Terms


class Hidden(StrEnum):
    """A reason."""

    DIGEST = "in the daily digest only"
    MUTED = "muted"
    SNOOZED = "snoozed"
    FEW = "below its threshold"
    FOLLOWS = "follows from another"


def why_hidden(
    alert: Alert, alerts: Mapping[str, Alert], terms: Terms, *, now_ns: int
) -> Hidden | None:
    """Return why no message tells of an alert now."""
    if alert.is_critical:
        return None
    if alert.severity is Severity.P4:
        return Hidden.DIGEST
    if terms.is_muted(alert.kind, now_ns=now_ns):
        return Hidden.MUTED
    if alert.snoozed_until_ns > now_ns:
        return Hidden.SNOOZED
    if alert.count < terms.thresholds.get(alert.kind, 0):
        return Hidden.FEW
    return Hidden.FOLLOWS if parent_of(alert, alerts) is not None else None


def parent_of(alert: Alert, alerts: Mapping[str, Alert]) -> str | None:
    """Return what fires, and an alert follows from."""
    notice = alert.newest.notice
    for name in row_of(notice).under(notice):
        parent = alerts.get(name)
        if parent is not None and not parent.is_over and name != alert.fingerprint:
            return name
    whole = alerts.get(alert.whole)
    return alert.whole if whole is not None and not whole.is_over else None


def join(alert: Alert, alerts: Mapping[str, Alert]) -> None:
    """Join an alert that fires with what it is a part of, and its own parts with it."""
    hides = row_of(alert.newest.notice).hides(alert.newest.notice)
    for name in hides:
        if name in alerts:
            alerts[name].whole = alert.fingerprint
    for name, other in alerts.items():
        if other.kind != INCIDENT or other.is_over:
            continue
        if alert.fingerprint in row_of(other.newest.notice).hides(other.newest.notice):
            alert.whole = name


def shown_state(alert: Alert, terms: Terms, *, now_ns: int) -> State:
    """Return how an alert stands for the operator."""
    is_silenced = not alert.is_critical and (
        alert.snoozed_until_ns > now_ns or terms.is_muted(alert.kind, now_ns=now_ns)
    )
    return State.SILENCED if is_silenced and not alert.is_over else alert.state
