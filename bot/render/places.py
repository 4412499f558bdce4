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
    started = words.day_clock(report.started_at_ns)
    lines = wrapped(
        [row for line in report.fees for row in _fee_rows(line)],
        keys=tuple(line.venue for line in report.fees),
    )
    return Screen(
        title=f"Taker fees: {count} of {len(report.fees)} set by you",
        blocks=(lines, Text(f"The others are as the settings say, since the start {started}.")),
        note=words.BASIS_WORDS[report.basis],
    )


def _fee_rows(line: FeeLine) -> list[str]:
    row = f"{line.venue} {line.bps:f} bps"
    if line.since_ns is None:
        return [row]
    since = words.day_clock(line.since_ns)
    own = "" if line.word_bps == line.bps else f"you said {line.word_bps:f}, "
    return [row, f"  {own}settings {line.by_settings:f}, since {since}"]
