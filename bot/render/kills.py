"""Screens about a kill: what it left, and what a drill measured."""

from bot.render import words
from bot.render.safety import KILLED_TITLE, way_back
from bot.render.screen import Facts, Mark, Screen, Text
from engine.bus.kill_reports import AftermathReport, DrillReport
from engine.bus.notices import KillLeft
from engine.domain.units import NS_PER_S


def left_content(notice: KillLeft) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of what a kill left."""
    title = "Flat after the kill: yes" if notice.is_flat else "Flat after the kill: NO"
    plans = f"{notice.plans} plans are still open." if notice.plans else "No plan is open."
    lines = [plans]
    if notice.left_over:
        lines.append(f"{words.left_over(notice.left_over)}, about {words.usd(notice.usd)}")
    lines.append("By the engine's own books: on paper no venue can be asked.")
    return (Mark.GOOD if notice.is_flat else Mark.BAD), title, lines


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
