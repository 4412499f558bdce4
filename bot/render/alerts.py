"""Alerts as screens: one of them, a storm of them, a day of them, and all that fire now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.alerts.alert import Alert, Severity, State
from bot.alerts.chain import due_at_ns, is_running
from bot.alerts.daily import Day
from bot.alerts.hiding import parent_of, shown_state
from bot.alerts.storm import Storm
from bot.alerts.table import ACK_S, Until, row_of
from bot.alerts.terms import Terms
from bot.render import words
from bot.render.notices import render_notice
from bot.render.screen import Facts, Lines, Mark, Screen, Table, Text
from engine.domain.units import NS_PER_S

_TIMES = "\N{MULTIPLICATION SIGN}"
LISTED = 5
"""Alerts that a list shows; it counts the others."""

_SIGNS = {State.FIRING: "!", State.ACKED: "a", State.SILENCED: "z", State.RESOLVED: " "}
_TOPICS = 6


def render_alert(alert: Alert, *, now_ns: int) -> Screen:
    """Show one alert as it stands."""
    screen = render_notice(alert.newest)
    row = row_of(alert.newest.notice)
    is_end_shown = not alert.count or row.fingerprint(alert.newest.notice) != alert.fingerprint
    lines = [*screen.blocks, *(Text(line) for line in _state_lines(alert, now_ns=now_ns))]
    if alert.is_over and row.until in {Until.NOTICE, Until.ACK} and not is_end_shown:
        screen = replace(screen, title=f"Over: {screen.title}", mark=Mark.GOOD)
    return replace(screen, blocks=tuple(lines))


def _state_lines(alert: Alert, *, now_ns: int) -> Iterable[str]:
    if alert.count > 1:
        yield f"{_TIMES}{words.count(alert.count)}, last {words.clock(alert.last_at_ns)}"
    if alert.is_flapping:
        yield "It comes and goes: told no more until it has been calm for 10 minutes."
    if alert.acked_at_ns >= alert.fired_at_ns:
        whose = f" by {alert.acked_by}" if alert.acked_by else ""
        yield f"Acknowledged {words.clock(alert.acked_at_ns)}{whose}"
    if alert.snoozed_until_ns > now_ns and not alert.is_over:
        yield f"Silent until {words.clock_zone(alert.snoozed_until_ns)}"
    if is_running(alert):
        yield f"Told again {words.clock(due_at_ns(alert))} unless acknowledged"


def render_storm(storm: Storm) -> Screen:
    """Show how many alerts got no message of their own."""
    lasted = words.duration((storm.last_at_ns - storm.since_ns) / NS_PER_S)
    return Screen(
        title=f"Too many alerts: {words.count(storm.count)} more in {lasted}",
        mark=Mark.WARN,
        blocks=(
            Facts(_counts(storm.left_out)),
            Text(f"Newest: {', '.join(storm.newest)}"),
            Text("/alerts lists what fires. What is critical is told by itself."),
        ),
        note=f"{words.clock(storm.since_ns)} to {words.clock_zone(storm.last_at_ns)}",
    )


def render_day(day: Day, *, now_ns: int) -> Screen:
    """Show what there was since the last digest."""
    unshown = sum(day.unshown.values())
    shown = [topic for topic, _ in _most(day.told)[:_TOPICS]]
    fired = {topic: day.fired.get(topic, 0) for topic in shown}
    rest = sum(day.fired.values()) - sum(fired.values())
    rows = tuple(
        (topic, words.count(fired.get(topic, rest)), words.count(number))
        for topic, number in _most(day.told)
    )
    blocks: list[Table | Text] = [Table(("", "new", "told"), rows)]
    if unshown:
        blocks.append(Text(f"{words.count(unshown)} of them had no message of their own."))
    return Screen(
        title="Alerts since the last digest",
        blocks=tuple(blocks),
        note=f"{words.day_clock(day.since_ns)} to {words.day_clock_zone(now_ns)}",
    )


def _counts(by_topic: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple((topic, words.count(number)) for topic, number in _most(by_topic))


def _most(by_topic: Mapping[str, int]) -> list[tuple[str, int]]:
    rows = sorted(by_topic.items(), key=lambda item: -item[1])
    rest = sum(number for _, number in rows[_TOPICS:])
    return [*rows[:_TOPICS], *([("Others", rest)] if rest else [])]


def firing(alerts: Mapping[str, Alert]) -> list[Alert]:
    """Return what is not over, the gravest and newest first."""
    return sorted(
        (one for one in alerts.values() if not one.is_over),
        key=lambda one: (one.severity, one.state is State.ACKED, -one.last_at_ns),
    )


def render_alerts(alerts: Mapping[str, Alert], terms: Terms, *, now_ns: int) -> Screen:
    """Show what fires now, since when and how often, and what the operator set."""
    shown = firing(alerts)
    blocks: list[Lines | Text] = []
    if shown:
        lines = [
            line
            for number, one in enumerate(shown[:LISTED], 1)
            for line in _alert_lines(number, one, alerts, terms, now_ns=now_ns)
        ]
        blocks.append(Lines(tuple(lines)))
    if len(shown) > LISTED:
        blocks.append(Text(f"{words.count(len(shown) - LISTED)} more fire."))
    blocks += [Text(line) for line in terms_lines(terms)]
    critical = sum(one.severity is Severity.P1 for one in shown)
    return Screen(
        title=f"Alerts: {len(shown)} firing" if shown else "No alert fires",
        mark=Mark.BAD if critical else Mark.WARN if shown else Mark.GOOD,
        blocks=tuple(blocks),
        note=f"{words.clock_zone(now_ns)}; a acknowledged, z silent",
    )


def _alert_lines(
    number: int, alert: Alert, alerts: Mapping[str, Alert], terms: Terms, *, now_ns: int
) -> tuple[str, str]:
    sign = _SIGNS[shown_state(alert, terms, now_ns=now_ns)]
    since = words.duration(max(0, now_ns - alert.since_ns) / NS_PER_S)
    parent = parent_of(alert, alerts)
    follows = f", by {parent}" if parent is not None and not alert.is_critical else ""
    return (
        f"{number}{sign} {alert.fingerprint}",
        f"   {alert.severity.name} {since} {_TIMES}{words.count(alert.count)}{follows}",
    )


def terms_lines(terms: Terms) -> list[str]:
    """Say what the operator set, nothing where nothing is set."""
    lines = []
    if terms.mutes:
        mutes = (f"{kind} until {words.clock(at_ns)}" for kind, at_ns in terms.mutes.items())
        lines.append(f"Muted: {', '.join(mutes)}")
    if terms.thresholds:
        least = (f"{kind} from {number} on" for kind, number in terms.thresholds.items())
        lines.append(f"Told: {', '.join(least)}")
    if terms.has_quiet:
        lines.append(f"Quiet {terms.quiet_from_h:02}-{terms.quiet_to_h:02} {words.zone_name()}")
    return lines


def render_done(title: str, lines: Sequence[str], *, is_stored: bool) -> Screen:
    """Say what was done about alerts, and where it is only known here yet."""
    away = ("The ledger is away: this holds here, and is stored once it is back.",)
    said = [*lines, *(() if is_stored else away)]
    return Screen(
        title=title,
        mark=Mark.GOOD if is_stored else Mark.WARN,
        blocks=tuple(Text(line) for line in said),
    )


def render_ways_out(took: Sequence[str], refused: Sequence[str]) -> Screen:
    """Say which services took a trial."""
    if not took and not refused:
        none = (
            "Set SYNDICATE_ALERT_URLS or a pager bot, so that alerts reach you when this chat "
            "does not."
        )
        return Screen(title="No other way out is set", mark=Mark.WARN, blocks=(Text(none),))
    lines = [
        *([f"Taken by {', '.join(took)}: see whether it arrived."] if took else []),
        *([f"NOT taken by {', '.join(refused)}."] if refused else []),
    ]
    return Screen(
        title="A trial was sent out",
        mark=Mark.BAD if refused else Mark.GOOD,
        blocks=tuple(Text(line) for line in lines),
    )


def acknowledged_line(alert: Alert) -> str:
    """Say how long an acknowledgement lasts."""
    row = row_of(alert.newest.notice)
    if alert.is_over:
        return "It is over with that."
    if row.ack_s is None:
        return "It stays so until it is cleared."
    return f"If it is still so in {ACK_S // 60} minutes it fires anew."
