"""What can be done about an alert, in one tap under its message."""

from bot.alerts.alert import Alert, State
from bot.alerts.table import Until, row_of
from bot.answer import Button
from bot.notice_buttons import Row, buttons_of

ALL_ALERTS: tuple[Row, ...] = ((Button(label="Alerts", line="/alerts"),),)


def act_buttons(alert: Alert, *, number: int | None = None) -> Row:
    """Return the acts that change anything now; `number` is that of a line in a list."""
    is_single = row_of(alert.newest.notice).until is Until.CALM and alert.count == 1
    if alert.is_over or is_single:
        return ()  # what happened once and is past needs nothing
    name, episode = alert.fingerprint, alert.episode
    of = "" if number is None else f" {number}"
    ack = Button(label=f"Ack{of}", line=f"/ack {name} {episode}")
    if alert.is_critical:
        return () if alert.state is State.ACKED else (ack,)
    snoozes = tuple(
        Button(label=f"{hours} h{of}", line=f"/hush {name} {hours}h {episode}") for hours in (1, 4)
    )
    return snoozes if alert.state is State.ACKED else (ack, *snoozes)


def buttons_of_alert(alert: Alert) -> tuple[Row, ...]:
    """Return the buttons under an alert's message."""
    acts = act_buttons(alert)
    return ((acts,) if acts else ()) + buttons_of(alert.newest.notice)
