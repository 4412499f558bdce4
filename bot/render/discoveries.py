"""Screens of what background work learned."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from bot.answer import Panels
from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Text, wrapped
from engine.bus.discovery_reports import DiscoveriesReport, DiscoveryLine, DiscoveryReport
from engine.domain.discoveries import Effect, Learned, Sums, Verdict
from engine.domain.discovery_kinds import KINDS_BY_NAME
from engine.domain.units import NS_PER_MS, NS_PER_S

PANELS_MAX: Final = 3
"""Figures in one picture."""

_MARKS: Final = {
    Verdict.EARNS: Mark.GOOD,
    Verdict.COSTS: Mark.BAD,
    Verdict.NO_EFFECT: Mark.WARN,
    Verdict.TOO_LITTLE: Mark.NONE,
}
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_UNITS: Final[tuple[tuple[str, Callable[[float], str]], ...]] = (
    ("_usd_hour", lambda value: f"{words.usd(value, is_signed=True)}/h"),
    ("_usd", words.usd),
    ("_ratio", lambda value: f"{100 * value:.3g}%"),
    ("_bps", lambda value: f"{words.size(value)} bps"),
    ("_gwei", lambda value: f"{words.size(value)} gwei"),
    ("_ms", lambda value: f"{words.size(value)} ms"),
    ("_s", lambda value: f"{words.size(value)} s"),
    ("_count", lambda value: f"{value:,.0f}"),
)
"""How figures are told, by the end of their names."""


def render_discoveries(report: DiscoveriesReport, *, asked: str = "") -> Screen:
    """Show discoveries in two or three lines each, the best first."""
    lines = [row for line in report.lines for row in _rows(line, report.at_ns)]
    if report.left_out:
        lines.append(f"… and {words.count(report.left_out)} more")
    count = words.count(report.in_force)
    title = f"Discoveries: {count} in force"
    if asked:
        title = f"{words.count(len(report.lines) + report.left_out)} found: {asked}"
    nothing = Text("Nothing like it was found." if asked else "Nothing has been learned yet.")
    keys = tuple(str(line.seq) for line in report.lines)
    return Screen(
        title=title,
        blocks=(wrapped(lines, keys=keys),) if lines else (nothing,),
        note=words.BASIS_WORDS[report.basis],
    )


def render_discovery(report: DiscoveryReport) -> Screen:
    """Show one discovery: what it says, what it changed, how long it holds."""
    line = report.line
    age_ms = max(0, report.at_ns - line.found_at_ns) // NS_PER_MS
    seen = f", seen {words.count(line.seen_count)} times" if line.seen_count > 1 else ""
    rows = (
        *_effect_rows(line.effect),
        ("Trust", f"{100 * line.discovery.score:.0f}%"),
        ("Age", f"{words.age(age_ms)}{seen}"),
        ("Holds", _holds(line, report.at_ns)),
        ("Advice", _advice(line)),
        ("Found by", f"{line.task} of {line.agent}"),
    )
    return Screen(
        title=f"#{line.seq} {_about(line)}",
        mark=_MARKS[line.effect.verdict] if line.effect is not None else Mark.NONE,
        blocks=(Text(_short(line.discovery.says)), Facts(rows)),
        note=words.BASIS_WORDS[line.basis],
    )


def render_evidence(report: DiscoveryReport) -> Screen:
    """Show what a discovery rests on."""
    found = report.line.discovery
    lines = [f"{_name(name)} {figure(name, value)}" for name, value in found.figures.items()]
    lines += [_short(one) for one in found.evidence]
    lines.append(f"run {report.line.task_run}")
    return Screen(
        title=f"#{report.line.seq} {_about(report.line)}: evidence",
        blocks=(wrapped(lines),),
        note=words.BASIS_WORDS[report.line.basis],
    )


def make_panels(report: DiscoveryReport) -> Panels | None:
    """Return the figures of a discovery's kind and subject over time, the main one first."""
    line = report.line
    kind = KINDS_BY_NAME.get(line.discovery.kind)
    names = list(line.discovery.figures)
    if kind is not None and kind.figure in names:
        names.remove(kind.figure)
        names.insert(0, kind.figure)
    panels = tuple(
        (
            f"{_name(name)} {figure(name, line.discovery.figures[name])}",
            tuple(
                (point.at_ns, point.figures[name])
                for point in report.points
                if name in point.figures
            ),
        )
        for name in names[:PANELS_MAX]
    )
    if not panels:
        return None
    until_ns = line.ended_at_ns or min(max(report.at_ns, line.seen_at_ns), line.expires_at_ns)
    return Panels(
        name="discovery",
        title=f"#{line.seq} {_about(line)}",
        panels=panels,
        until_ns=until_ns,
        hint=f"as it was learned, {words.count(len(report.points))} times",
        basis_note=words.BASIS_WORDS[line.basis],
    )


def figure(name: str, value: float) -> str:
    """Return a figure with the unit that its name ends with."""
    for suffix, told in _UNITS:
        if name.endswith(suffix):
            return told(value)
    return words.size(value)


def effect_words(effect: Effect | None) -> str:
    """Say in few words what a discovery changed."""
    if effect is None:
        return "unmeasured"
    if effect.verdict is Verdict.NO_EFFECT:
        return effect.verdict.value
    if effect.verdict is Verdict.TOO_LITTLE:
        unread = f", {words.count(effect.unread)} unread" if effect.unread else ""
        return f"unproven{unread}"
    return f"{words.usd(effect.gain_usd_hour, is_signed=True)}/h"


def learned_words(learned: Learned) -> str:
    """Say what was learned in a time, and what it changed."""
    if not learned.kinds:
        return "nothing"
    kinds = sorted(learned.kinds.items(), key=lambda kind: -kind[1])
    named = ", ".join(f"{words.count(count)} {words.phrase(kind)}" for kind, count in kinds[:2])
    more = " …" if len(kinds) > 2 else ""  # noqa: PLR2004 - as many as are named
    measured = [
        f"{words.count(count)} {verdict}"
        for verdict, count in sorted(learned.effects.items())
        if verdict != Verdict.TOO_LITTLE
    ]
    gain = ""
    if learned.effects.get(Verdict.EARNS):
        gain = f" {words.usd(learned.gain_usd_hour, is_signed=True)}/h"
    effect = f"{', '.join(measured)}{gain}" if measured else "no effect measured yet"
    total = words.count(sum(learned.kinds.values()))
    used = f"{words.count(learned.used)} used, {words.count(learned.changed)} changed"
    return f"{total} ({named}{more}), {used}; {effect}"


def _rows(line: DiscoveryLine, at_ns: int) -> Iterator[str]:
    found = line.discovery
    yield f"#{line.seq} {_about(line)}"
    kind = KINDS_BY_NAME.get(found.kind)
    name = next(iter(found.figures), "")
    if kind is not None and kind.figure in found.figures:
        name = kind.figure
    main = f"{figure(name, found.figures[name])}, " if name else ""
    age = words.age(max(0, at_ns - line.seen_at_ns) // NS_PER_MS)
    effect, over = effect_words(line.effect), line.ended or "expired"
    said = [effect, age]
    if line.likeness:
        said.append(f"{100 * line.likeness:.0f}% alike")
    if not _is_in_force(line, at_ns) and over != effect:
        said.append(over)
    yield f"  {main}{', '.join(said)}"


def _about(line: DiscoveryLine) -> str:
    kind = KINDS_BY_NAME.get(line.discovery.kind)
    title = words.phrase(line.discovery.kind) if kind is None else kind.title
    return f"{title}: {_short(line.discovery.subject)}"


def _effect_rows(effect: Effect | None) -> tuple[tuple[str, str], ...]:
    if effect is None:
        return (("Effect", "not measured yet"),)
    low, high = (
        words.usd(one, is_signed=True) for one in (effect.low_usd_hour, effect.high_usd_hour)
    )
    gain = words.usd(effect.gain_usd_hour, is_signed=True)
    share = f"{100 * effect.confidence:.0f}%"
    return (
        ("Effect", effect.verdict.value),
        ("Gain/h", f"{gain}, {share}: {low} to {high}"),
        ("With it", _sums(effect.given)),
        ("Without", _sums(effect.withheld)),
        ("Over", f"{effect.hours:.1f} h in {effect.blocks} parts"),
        *((("Unread", f"{words.count(effect.unread)} segments"),) if effect.unread else ()),
    )


def _sums(sums: Sums) -> str:
    taken = f"{words.count(sums.captured)} of {words.count(sums.found)}"
    return f"{words.usd(sums.profit_usd)}, {taken} taken"


def _holds(line: DiscoveryLine, at_ns: int) -> str:
    if line.ended_at_ns:
        return f"no more: {line.ended}"
    left_s = (line.expires_at_ns - at_ns) / NS_PER_S
    return f"{words.duration(left_s)} more" if left_s > 0 else "no more: expired"


def _advice(line: DiscoveryLine) -> str:
    if line.discovery.advice is None:
        return "for people alone"
    if line.use is None:
        return "not taken yet"
    taken = f"input {line.use.input_seq} of run {line.use.run_id}" if line.use.run_id else "taken"
    return f"{taken}; changed {line.use.changed}" if line.use.changed else taken


def _is_in_force(line: DiscoveryLine, at_ns: int) -> bool:
    return not line.ended_at_ns and line.expires_at_ns > at_ns


def _name(figure_name: str) -> str:
    """Return the name of a figure without its unit."""
    for suffix, _ in _UNITS:
        if figure_name.endswith(suffix):
            figure_name = figure_name.removesuffix(suffix)
            break
    return words.phrase(figure_name)


def _short(text: str) -> str:
    return _ADDRESS.sub(lambda found: f"{found[0][:6]}…{found[0][-4:]}", text)
