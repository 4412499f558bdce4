"""Screens of venues and pairs that are on and off."""

from bot.render import words
from bot.render.screen import Screen, Text, wrapped
from engine.bus.place_reports import PlaceLine, PlacesReport


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
