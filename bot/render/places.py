"""Screens of venues and pairs that are on and off, and of fees."""

from bot.render import words
from bot.render.screen import Screen, Text, wrapped
from engine.bus.place_reports import FeeLine, FeesReport, PlaceLine, PlacesReport


def render_places(report: PlacesReport) -> Screen:
    """Show what is off and since when, then what is on."""
    off = sum(line.off_since_ns is not None for line in report.places)
    lines = wrapped(
        [_line(line) for line in report.places], keys=tuple(line.name for line in report.places)
    )
    return Screen(
        title=f"{report.kind.value.capitalize()}s: {len(report.places) - off} on, {off} off",
        blocks=(Text("What is off is followed and shown; no new plan uses it."), lines),
        note=words.BASIS_WORDS[report.basis],
    )


def _line(line: PlaceLine) -> str:
    if line.off_since_ns is None:
        return f"on  {line.name}"
    return f"off {line.name}, since {words.day_clock(line.off_since_ns)}"


def render_fees(report: FeesReport) -> Screen:
    """Show each fee, who set it and since when."""
    count = sum(line.since_ns is not None for line in report.fees)
    others = "The others are as the settings say"
    if any(line.told_bps is not None for line in report.fees):
        others = "Where our tier is not told, they are as the settings say"
    lines = wrapped(
        [row for line in report.fees for row in _fee_rows(line)],
        keys=tuple(line.venue for line in report.fees),
    )
    return Screen(
        title=f"Taker fees: {count} of {len(report.fees)} set by you",
        blocks=(lines, Text(f"{others}, since the start {words.day_clock(report.started_at_ns)}.")),
        note=words.BASIS_WORDS[report.basis],
    )


def _fee_rows(line: FeeLine) -> list[str]:
    rows = [f"{line.venue} {line.bps:f} bps"]
    if line.since_ns is not None:
        since = words.day_clock(line.since_ns)
        own = "" if line.word_bps == line.bps else f"you said {line.word_bps:f}, "
        rows.append(f"  {own}settings {line.by_settings:f}, since {since}")
    if line.told_bps is not None:
        told = f"  our tier {line.told_bps:f}, told {words.clock(line.told_at_ns)}"
        rows.append(f"{told}: too old" if line.is_old else told)
        if line.since_ns is None and line.by_settings != line.bps:
            rows.append(f"  settings {line.by_settings:f}")
    return rows
