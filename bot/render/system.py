"""The screen of the machinery: feeds, clock, chat, memory, latency."""

from collections.abc import Mapping

from bot.chat_state import ChatState
from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Text
from engine.bus.reports import StatusReport, VenueLine

ANSWERED_S_MAX = 120.0
AHEAD_S_MAX = 2
"""Dates of messages are whole seconds, and a message is under way for one."""


def render_system(
    report: StatusReport, *, chat: ChatState, memory_mb: Mapping[str, float]
) -> Screen:
    """Show whether what this runs on is well; what is not comes first."""
    troubles = _troubles(report, chat)
    books = sum(venue.books_live for venue in report.venues)
    facts = [("Feeds", f"{books}/{sum(venue.books for venue in report.venues)} live")]
    facts += [(f"  {venue.venue}", _feed(venue)) for venue in report.venues if venue.is_connected]
    facts += _chat_facts(chat)
    memory = {**report.memory_mb, **memory_mb}
    facts += [("Up", f"{words.duration(report.uptime_s)}, run {report.run_id}")]
    if report.latency_us:
        facts.append(("Decision", _latency(report.latency_us, "µs")))
    if report.loop_lag_us:
        in_ms = {name: us / 1_000 for name, us in report.loop_lag_us.items()}
        facts.append(("Loop late", _latency(in_ms, "ms")))
    facts.append(("Ledger", f"{words.count(report.records_waiting)} records wait"))
    if memory:
        facts.append(("Memory", f"{sum(memory.values()):.0f} MB"))
        facts += [(f"  {role}", f"{mb:.0f} MB") for role, mb in sorted(memory.items())]
    facts.append(("Recording", report.recording or "off"))
    return Screen(
        title="System: well" if not troubles else f"System: {len(troubles)} to look at",
        mark=Mark.WARN if troubles else Mark.GOOD,
        blocks=(*(Text(trouble) for trouble in troubles), Facts(tuple(facts))),
        note=words.BASIS_WORDS[report.basis],
    )


def _troubles(report: StatusReport, chat: ChatState) -> list[str]:
    troubles = [f"{venue.venue} is out." for venue in report.venues if not venue.is_connected]
    if report.recording_failure is not None:
        troubles.append(f"The recording stopped: {report.recording_failure}")
    if report.prices_failure is not None:
        troubles.append("Prices are not shared: see log.")
    if chat.answered_s is not None and chat.answered_s > ANSWERED_S_MAX:
        troubles.append(f"Telegram last answered {words.duration(chat.answered_s)} ago.")
    if chat.ahead_s is not None and abs(chat.ahead_s) > AHEAD_S_MAX:
        troubles.append(f"The clock here {_ahead(chat.ahead_s)} Telegram's.")
    return troubles


def _chat_facts(chat: ChatState) -> list[tuple[str, str]]:
    facts = []
    if chat.answered_s is not None:
        facts.append(("Telegram", f"answered {words.duration(chat.answered_s)} ago"))
    if chat.ahead_s is not None:
        facts.append(("Clock", f"within {max(1, abs(chat.ahead_s))} s of Telegram's"))
    facts.append(("Outbox", f"{words.count(chat.waiting)} messages wait"))
    return facts


def _ahead(ahead_s: int) -> str:
    return f"is {abs(ahead_s)} s {'ahead of' if ahead_s > 0 else 'behind'}"


def _feed(venue: VenueLine) -> str:
    return f"{venue.books_live}/{venue.books}, {words.age(venue.age_ms)} old"


def _latency(by_name: Mapping[str, float], unit: str) -> str:
    return (
        " ".join(
            f"{name} {by_name[name]:.{0 if by_name[name] >= 10 else 1}f}"  # noqa: PLR2004
            for name in ("p50", "p99")
            if name in by_name
        )
        + f" {unit}"
    )
