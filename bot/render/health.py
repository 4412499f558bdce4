"""Screens of health: how each component stands and stood, and incidents with their timelines."""

from collections.abc import Iterator
from typing import Final

from bot.answer import Strips
from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Text, wrapped
from engine.bus.health_reports import (
    ComponentLine,
    HealthReport,
    IncidentReport,
    IncidentsReport,
    IncidentSummary,
    RecoveryLine,
    SightsReport,
)
from engine.bus.notices import IncidentEnded, IncidentOpened, ResourceShort
from engine.domain.health import MACHINE, NETWORK, Health, Said, Sight, Weight
from engine.domain.units import NS_PER_DAY, NS_PER_MS, NS_PER_S

HEALTH_NOTICES: Final = (IncidentOpened, IncidentEnded, ResourceShort)

STRIPS_MAX: Final = 26
"""Of more components, those that were always well are not drawn."""

_MARKS: Final = {Weight.MINOR: Mark.WARN, Weight.MAJOR: Mark.WARN, Weight.CRITICAL: Mark.BAD}
_STATES: Final = {
    Health.WELL: "good",
    Health.DEGRADED: "worse",
    Health.DOWN: "bad",
    Health.UNSEEN: "unseen",
}
_CAUSES: Final = {NETWORK: "the network, more likely than each", MACHINE: "the machine"}
_COMPONENTS_SHOWN: Final = 6
_PERFECT: Final = 0.9995
TELEGRAM: Final = "telegram"
_SENTENCE_LIMIT: Final = 300
OLD_LOOK_NS: Final = 60 * NS_PER_S


def called(component: str) -> str:
    """Return a component's name as a person says it."""
    return component.replace("/", " ", 1)


def render_health(report: HealthReport, *, now_ns: int) -> Screen:
    """Show what is not well first, with since when; then how many are, and how available."""
    bad = [one for one in report.components if one.health is Health.DOWN]
    worse = [one for one in report.components if one.health is Health.DEGRADED]
    unseen = [one for one in report.components if one.health is Health.UNSEEN]
    well = len(report.components) - len(bad) - len(worse) - len(unseen)
    title = f"Health: {well} of {len(report.components)} well"
    if bad:
        title += f", {len(bad)} down"
    rows = [row for one in (*bad, *worse, *unseen) for row in _component_rows(one, now_ns)]
    facts = [("Incidents", _open_words(report))]
    if lowest := _lowest(report):
        facts.append(("Least", lowest))
    facts.append(("Watched", f"{_ago(report.watched_since_ns, now_ns)} on end"))
    if now_ns - report.at_ns > OLD_LOOK_NS:
        facts.append(("LOOKED", f"{_ago(report.at_ns, now_ns)} ago: the watch stands"))
    if report.trouble:
        facts.append(("NOT KEPT", report.trouble))
    is_bad = bad or report.trouble
    return Screen(
        title=title,
        mark=Mark.BAD if is_bad else Mark.WARN if worse or not report.components else Mark.GOOD,
        blocks=(Facts(tuple(facts)), *((wrapped(rows),) if rows else ())),
        note=words.BASIS_WORDS[report.basis],
    )


def render_seen(report: SightsReport, *, why: str, now_ns: int) -> Screen:
    """Show what the engine sees by itself, where whoever watches all of it is away."""
    seen = [one for one in report.sights if one.component != TELEGRAM]  # who reads this is reached
    bad = [one for one in seen if one.health is not Health.WELL]
    rows = [row for one in bad for row in _sight_rows(one, now_ns)]
    well = len(seen) - len(bad)
    return Screen(
        title="Health: the history is away",
        mark=Mark.BAD,
        blocks=(
            Text(why[:_SENTENCE_LIMIT]),
            Text(f"Of what the engine sees itself {well} of {len(seen)} are well."),
            *((wrapped(rows),) if rows else ()),
            Text("Other parts, availability and incidents are known there: ask again."),
        ),
    )


def _sight_rows(one: Sight, now_ns: int) -> Iterator[str]:
    since = f" {_ago(one.since_ns, now_ns)}" if one.since_ns else ""
    yield f"{called(one.component)} {one.health}{since}"
    if one.why:
        yield f"  {one.why}"


def render_policies(report: HealthReport) -> Screen:
    """Show each policy of recovery that was tried: how often, how often it helped, how soon."""
    used = [one for one in report.recoveries if one.attempts or one.successes]
    rows = [row for one in used for row in _policy_rows(one)]
    unused = len(report.recoveries) - len(used)
    said = f"{words.count(unused)} others were never needed." if unused else ""
    gave_up = sum(one.given_up for one in used)
    return Screen(
        title=f"Recovery: {len(used)} of {len(report.recoveries)} policies used",
        mark=Mark.WARN if gave_up else Mark.GOOD,
        blocks=(
            *((wrapped(rows),) if rows else (Text("Nothing has failed so far."),)),
            *((Text(said),) if said and rows else ()),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def make_strips(report: HealthReport) -> Strips | None:
    """Draw how each component stood over a day; those that were not always well come first."""
    shown = sorted(report.components, key=lambda one: not _was_bad(one))[:STRIPS_MAX]
    names = {one.name for one in shown}
    rows = tuple(
        (
            called(one.name),
            _share(one.available.get("24 h")),
            tuple((at_ns, _STATES[health]) for at_ns, health in one.changes),
        )
        for one in report.components
        if one.name in names and one.changes
    )
    if not rows:
        return None
    since_ns = max(report.at_ns - NS_PER_DAY, min(states[0][0] for _, _, states in rows))
    return Strips(
        name="health",
        title="How all stood",
        rows=rows,
        since_ns=since_ns,
        until_ns=max(report.at_ns, since_ns + NS_PER_S),
        hint="green: well, red: down, grey: degraded, a line: not seen; at the end: of 24 h",
        basis_note=words.BASIS_WORDS[report.basis],
    )


def render_incidents(report: IncidentsReport) -> Screen:
    """List incidents, those that are open first."""
    open_ones = sum(one.ended_at_ns == 0 for one in report.incidents)
    if not report.incidents:
        return Screen(
            title="No incident so far",
            mark=Mark.GOOD,
            note=words.BASIS_WORDS[report.basis],
        )
    rows = [row for one in report.incidents for row in _summary_rows(one, report.at_ns)]
    return Screen(
        title=f"Incidents: {open_ones} open" if open_ones else "Incidents: all are over",
        mark=Mark.WARN if open_ones else Mark.GOOD,
        blocks=(wrapped(rows, keys=tuple(str(one.number) for one in report.incidents)),),
        note=words.BASIS_WORDS[report.basis],
    )


def render_incident(report: IncidentReport) -> Screen:
    """Show one incident: of what it most likely came, and its timeline."""
    one = report.incident
    lasted_ns = (one.ended_at_ns or report.at_ns) - one.opened_at_ns
    lasted = words.duration(max(0, lasted_ns) / NS_PER_S)
    failures = sum(member.failures for member in one.members.values())
    facts = [
        ("Began", words.day_clock_zone(one.opened_at_ns)),
        ("Lasted" if one.ended_at_ns else "Lasts", lasted),
        ("Cause", _cause(one.cause)),
        ("Failures", f"{words.count(failures)} of {len(one.members)} components"),
    ]
    rows = [
        f"{words.clock(line.at_ns)} {called(line.component)}"
        f" {'tried: ' if line.said is Said.TRIED else ''}{line.text}"
        for line in one.lines
    ]
    if one.left_out:
        rows.append(f"{words.count(one.left_out)} lines of its middle are not kept")
    is_open = one.ended_at_ns == 0
    return Screen(
        title=f"Incident {one.number}: {'open' if is_open else 'over'}",
        mark=_MARKS[one.weight] if is_open else Mark.GOOD,
        blocks=(Facts(tuple(facts)), wrapped(rows)),
        note=words.BASIS_WORDS[report.basis],
    )


def health_content(
    notice: IncidentOpened | IncidentEnded | ResourceShort,
) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of a notice."""
    if isinstance(notice, ResourceShort):
        lines = [f"{notice.sentence}.", "/resources use has all."]
        return Mark.WARN, "Soon full or spent", lines
    shown = [called(one) for one in notice.components[:_COMPONENTS_SHOWN]]
    more = len(notice.components) - len(shown)
    listed = ", ".join(shown) + (f" and {more} more" if more else "")
    if isinstance(notice, IncidentEnded):
        lasted = words.duration(notice.lasted_ms * NS_PER_MS / NS_PER_S)
        return (
            Mark.GOOD,
            f"Incident {notice.number} is over",
            [
                f"It lasted {lasted}: {_cause(notice.cause)}.",
                f"All are well: {listed}.",
            ],
        )
    began = words.clock(notice.opened_at_ns)
    return (
        _MARKS[notice.weight],
        f"Incident {notice.number}: {called(notice.cause)}",
        [
            f"Since {began}, not well: {listed}.",
            f"Most likely: {_cause(notice.cause)}.",
        ],
    )


def _cause(cause: str) -> str:
    return _CAUSES.get(cause, called(cause))


def _component_rows(one: ComponentLine, now_ns: int) -> Iterator[str]:
    yield f"{called(one.name)} {one.health} {_ago(one.since_ns, now_ns)}"
    if one.why:
        yield f"  {one.why}"


def _policy_rows(one: RecoveryLine) -> Iterator[str]:
    yield f"{one.policy} ({one.strategy}) {words.count(one.attempts)} tries"
    helped = f"  helped {words.count(one.successes)} times"
    if one.successes:
        mean, longest = words.duration(one.recover_s_mean), words.duration(one.recover_s_max)
        helped += f", after {mean}, at most {longest}"
    yield helped
    if one.given_up:
        yield f"  given up {words.count(one.given_up)} times"


def _summary_rows(one: IncidentSummary, now_ns: int) -> Iterator[str]:
    lasted = words.duration(max(0, (one.ended_at_ns or now_ns) - one.opened_at_ns) / NS_PER_S)
    ends = f"lasted {lasted}" if one.ended_at_ns else f"OPEN, {lasted}"
    yield f"{one.number} {words.day_clock(one.opened_at_ns)} {ends}"
    yield f"  {_cause(one.cause)}: {len(one.components)} not well"


def _open_words(report: HealthReport) -> str:
    if report.open_incidents:
        return "open: " + ", ".join(f"/incident {number}" for number in report.open_incidents[:3])
    return f"none open, {words.count(report.incidents)} since the start"


def _lowest(report: HealthReport) -> str:
    """Name the component that was least available in a week."""
    told = [
        (one.available["7 d"], one.name) for one in report.components if one.available.get("7 d")
    ]
    if not told:
        return ""
    share, name = min(told)
    return "" if share >= _PERFECT else f"{called(name)} {_share(share)} of 7 d"


def _was_bad(one: ComponentLine) -> bool:
    return any(health in (Health.DOWN, Health.DEGRADED) for _, health in one.changes)


def _share(share: float | None) -> str:
    if share is None:
        return "-"
    return "100%" if share == 1.0 else f"{min(share, 0.9999):.2%}"


def _ago(at_ns: int, now_ns: int) -> str:
    return words.duration(max(0, now_ns - at_ns) / NS_PER_S)
