"""Notices of what was allowed, and of the audit of all acts, as screens."""

from typing import Final

from bot.render import words
from bot.render.kills import left_content
from bot.render.screen import Mark
from engine.bus.notices import AuditGap, KillLeft, LooseningCancelled, LooseningWaits, StillThere

Act = LooseningWaits | LooseningCancelled | AuditGap | KillLeft | StillThere

ACTS: Final = (LooseningWaits, LooseningCancelled, AuditGap, KillLeft, StillThere)


def act_content(notice: Act) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines."""
    if isinstance(notice, StillThere):
        silent = words.duration(notice.silent_s)
        due = words.clock_zone(notice.pauses_at_ns)
        lines = [f"No sign of life for {silent}.", f"It pauses at {due} unless you say something."]
        return Mark.WARN, "Are you still there?", lines
    if isinstance(notice, KillLeft):
        return left_content(notice)
    if isinstance(notice, AuditGap):
        lines = [
            f"{notice.why}.",
            "After restoring a backup that is so; else somebody changed the database by hand.",
        ]
        return Mark.BAD, "The audit lacks acts", lines
    if isinstance(notice, LooseningCancelled):
        return Mark.GOOD, f"Cancelled: {notice.what}", [notice.why]
    due = words.clock_zone(notice.due_at_ns)
    lines = [f"It acts at {due} unless it is cancelled.", f"by {notice.by}"]
    return Mark.WARN, f"Waits: {notice.what}", lines
