"""Screens about a kill: what it left, and what a drill measured."""

from collections.abc import Sequence
from typing import Final

from bot.render import words
from bot.render.safety import KILLED_TITLE, way_back
from bot.render.screen import Facts, Mark, Screen, Text
from engine.bus.kill_reports import AftermathReport, DrillReport
from engine.bus.notices import KillLeft
from engine.bus.open_outside import ON_PAPER, OpenAtVenue, OpenOutside
from engine.domain.units import NS_PER_S

_WHY_CHARACTERS: Final = 120


def left_content(notice: KillLeft) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of what a kill left."""
    outside = notice.outside
    mark, flat = Mark.BAD, "NO"
    if notice.is_flat:
        mark, flat = (Mark.GOOD, "yes") if outside.is_known else (Mark.BAD, "NOT KNOWN")
    plans = f"{notice.plans} plans are still open." if notice.plans else "No plan is open."
    lines = [plans]
    if notice.left_over:
        lines.append(f"{words.left_over(notice.left_over)}, about {words.usd(notice.usd)}")
    lines += outside_lines(outside)
    return mark, f"Flat after the kill: {flat}", lines


def outside_lines(outside: OpenOutside) -> list[str]:
    """Say what is open at venues and on chains, and what could not be asked."""
    if outside == ON_PAPER:
        return ["By the engine's own books: on paper no venue can be asked."]
    lines = []
    if outside.venues_why_not:
        lines.append(f"Venues could not be asked: {outside.venues_why_not[:_WHY_CHARACTERS]}.")
        lines.append("Look at their own pages.")
    elif outside.venues is not None:
        lines.append(f"At venues: {_open_at(outside.venues)}.")
        unseen = [one.venue for one in outside.venues if not one.compared_at_ns]
        if unseen:
            lines.append(f"Not compared yet: {', '.join(unseen)}.")
    if outside.transactions_why_not:
        why = outside.transactions_why_not[:_WHY_CHARACTERS]
        lines.append(f"Transactions could not be asked after: {why}.")
    elif outside.transactions is not None:
        under_way = words.count(outside.transactions) if outside.transactions else "none"
        lines.append(f"Transactions under way: {under_way}.")
    return lines


def _open_at(venues: Sequence[OpenAtVenue]) -> str:
    """Say which orders are open where, by the account that is kept of them."""
    found = [
        f"{one.venue} {one.open_count} open"
        + (f", {one.unknown_count} of them unknown" if one.unknown_count else "")
        for one in venues
        if one.open_count
    ]
    return "; ".join(found) or "no order of ours is open"


def render_aftermath(report: AftermathReport, *, now_ns: int, has_authenticator: bool) -> Screen:
    """Show what changed since the kill, before it is cleared."""
    if not report.is_killed:
        return Screen(title="The latch is clear", mark=Mark.GOOD)
    lasted = words.duration(max(now_ns - report.since_ns, 0) / NS_PER_S)
    facts = [
        ("Killed", f"{lasted} ago"),
        ("Open", f"{report.plans} plans"),
        ("Left", f"{words.usd(report.usd)}, was {words.usd(report.usd_before)}"),
        ("Refused", f"{words.count(report.refused)} since"),
        ("Then", f"{report.mode.value}{', paused' if report.is_paused else ''}"),
    ]
    return Screen(
        title=KILLED_TITLE,
        mark=Mark.BAD,
        blocks=(
            Text(report.why),
            Facts(tuple(facts)),
            *map(Text, outside_lines(report.outside)),
            *way_back(has_authenticator=has_authenticator)[:1],
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def render_drill(report: DrillReport, *, whole_ms: float) -> Screen:
    """Show what a drill measured."""
    steps = (
        ("Held", report.memory_us),
        ("On disk", report.file_us),
        ("Refused", report.refused_us),
        ("In the ledger", report.stored_us),
    )
    rows = tuple((name, f"after {us / 1_000:.2f} ms") for name, us in steps)
    end = "The latch is clear again." if report.is_clear else "Somebody killed meanwhile: it holds."
    return Screen(
        title="Drill: the kill works",
        mark=Mark.GOOD if report.is_clear else Mark.BAD,
        blocks=(
            Facts((*rows, ("From this chat and back", f"{whole_ms:.1f} ms"))),
            Text(f"{end} It counts as a drill in /audit."),
        ),
    )
