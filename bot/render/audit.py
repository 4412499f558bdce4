"""The audit as a screen."""

from bot.render import words
from bot.render.screen import Mark, Screen, Text, wrapped
from engine.bus.reports import AuditReport

HASH_SHOWN = 12


def render_audit(report: AuditReport) -> Screen:
    """Show the newest acts, whether the chain is whole, and the hash to note elsewhere."""
    lines: list[str] = []
    for line in report.lines:
        of = f"{line.engine_id}, " if line.engine_id not in {"", "main"} else ""
        lines += [
            f"{line.position} {words.day_clock(line.at_ns)} {line.action}",
            f"  {of}by {line.by}",
        ]
    gaps = tuple(Text(f"Noted: {gap}.") for gap in report.gaps[-1:])
    return Screen(
        title="AUDIT BROKEN"
        if report.broken
        else f"Audit: {words.count(report.links)} acts, whole",
        mark=Mark.BAD if report.broken else Mark.GOOD,
        blocks=(
            *((Text(f"{report.broken}."),) if report.broken else ()),
            *gaps,
            wrapped(lines),
        ),
        note=f"newest hash {report.newest[:HASH_SHOWN]}",
    )
