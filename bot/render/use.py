"""The screen of what is used: budgets, venues and providers, disk, what is nearest to its bound."""

from collections.abc import Iterator
from typing import Final

from bot.answer import Panels
from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Text, wrapped
from engine.bus.use_reports import (
    BoundLine,
    BudgetLine,
    KeptLine,
    RunsLine,
    UseLine,
    UseReport,
)

USES_SHOWN: Final = 12
KEPT_SHOWN: Final = 12
PANELS_MAX: Final = 4
_PERCENT: Final = 100.0


def render_use(report: UseReport) -> Screen:
    """Show what will be full or spent first, then budgets, what was used, and the disk."""
    facts = [("Disk", _disk(report))]
    if report.bounds:
        facts.append(("Nearest", _bound(report.bounds[0])))
    if report.runs is not None:
        facts.append(("Workers", _runs(report.runs)))
    rows = [
        *(row for one in report.budgets for row in _budget_rows(one)),
        *(row for one in report.uses[:USES_SHOWN] for row in _use_rows(one)),
        *(_kept_row(one) for one in report.kept[:KEPT_SHOWN] if one.files),
    ]
    count = words.count(len(report.short)) if report.short else "nothing"
    return Screen(
        title=f"Use: {count} soon full or spent",
        mark=Mark.WARN if report.short else Mark.GOOD,
        blocks=(
            *(Text(f"{one}.") for one in report.short),
            Facts(tuple(facts)),
            *((wrapped(rows),) if rows else ()),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def make_trend(report: UseReport) -> Panels | None:
    """Draw what is nearest to its bound over a day."""
    bounds = [
        (
            f"{one.name}: {one.ratio:.0%} of its bound",
            tuple((at_ns, _PERCENT * ratio) for at_ns, ratio in one.points),
        )
        for one in report.bounds
        if one.points
    ]
    runs = []
    if report.runs is not None and report.runs.points:
        room = tuple((at_ns, float(room)) for at_ns, _, room in report.runs.points)
        runs = [(f"workers that the load leaves room for: {report.runs.room}", room)]
    panels = (*bounds[: PANELS_MAX - len(runs)], *runs)
    if not panels:
        return None
    return Panels(
        name="use",
        title="What is nearest to its bound",
        panels=panels,
        until_ns=report.at_ns,
        hint="percent of what there is, workers in runs, a sample a minute",
        basis_note=words.BASIS_WORDS[report.basis],
    )


def _disk(report: UseReport) -> str:
    free = f"{report.free_mb:,.0f} of {report.total_mb:,.0f} MB free"
    if report.full_in_h is None:
        return free
    return f"{free}, full in {words.duration(report.full_in_h * 3_600)}"


def _bound(one: BoundLine) -> str:
    trend = "" if one.per_h is None else f", {one.per_h:+.1%} an hour"
    return f"{one.name}, {one.ratio:.0%} of its bound{trend}"


def _runs(one: RunsLine) -> str:
    why = f", {one.room_why}" if one.room_why else ""
    return f"{one.running} run, room for {one.room}{why}"


def _budget_rows(one: BudgetLine) -> Iterator[str]:
    short = "SHORT " if one.is_short else ""
    share = one.used / one.most
    yield f"{short}{one.name} {share:.0%} of a {one.period}'s {one.unit}"
    ahead = "" if one.forecast is None else f", {one.forecast:,.0f} at its end"
    yield f"  {one.used:,.0f} of {one.most:,.0f}{ahead}"


def _use_rows(one: UseLine) -> Iterator[str]:
    place = one.name.partition("/")[2]
    open_ones = f", {one.connections} open" if one.connections else ""
    yield f"{place} {words.count(one.requests_day)} requests{open_ones}"
    yield f"  {one.units_day:,.0f} units, {one.mb_day:,.1f} MB today"


def _kept_row(one: KeptLine) -> str:
    return f"{one.what} {one.mb:,.1f} MB: {one.keeps}"
