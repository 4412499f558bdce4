"""Screens that say how things stand: status, venues, version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bot.render import words
from bot.render.safety import KILLED_TITLE, waits_text
from bot.render.screen import Facts, Mark, Screen, Table, Text
from engine.bus.reports import (
    EngineLine,
    PnlReport,
    StatusReport,
    VenueLine,
    VenuesReport,
    VersionReport,
)
from engine.domain.modes import SENT, Basis, Mode

_VENUES_SHOWN_MAX = 5
_STALE_SHOWN_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What stands beside the engine's own report.

    Attributes:
        day, ever: profit as `/pnl` shows it, None while the ledger is away.
        memory_mb: resident memory by role.
        engines: all, where there are several.
    """

    day: PnlReport | None = None
    ever: PnlReport | None = None
    memory_mb: Mapping[str, float] = field(default_factory=dict)
    engines: Sequence[EngineLine] = ()


def render_status(report: StatusReport, beside: Beside, *, now_ns: int = 0) -> Screen:
    """Show the overview."""
    mark, state = state_of(report)
    worst = max(report.refused.items(), key=lambda item: item[1], default=None)
    latency = report.latency_us
    facts = [
        ("Up", words.duration(report.uptime_s)),
        ("Found", f"{words.count(report.found)}, planned {words.count(report.planned)}"),
        *_profit_facts(report, beside),
    ]
    if worst is not None:
        facts.append(("Refused", f"{words.count(worst[1])} {words.phrase(worst[0])}"))
    facts += _engine_counts(report)
    if latency:
        facts.append(("Latency", _latency(latency)))
    if report.loop_lag_us:
        facts.append(("Loop", f"p99 {report.loop_lag_us['p99']:,.0f} µs late"))
    memory_mb = {**report.memory_mb, **beside.memory_mb}
    if memory_mb:
        facts.append(("Memory", f"{sum(memory_mb.values()):.0f} MB in {len(memory_mb)} roles"))
    if report.records_waiting:
        facts.append(("Waiting", f"{words.count(report.records_waiting)} records for the ledger"))
    if report.prices_failure is not None:
        facts.append(("Prices", "not shared: see log"))
    title = f"{report.mode.value.capitalize()}: {state}"
    if report.is_killed:
        title = KILLED_TITLE
        facts.insert(0, ("Mode", f"{report.mode.value}, held by the latch"))
    return Screen(
        title=title,
        mark=mark,
        blocks=(
            *(waits_text(one, now_ns=now_ns) for one in report.delayed),
            *((Text(f"Off: {', '.join(report.off)}."),) if report.off else ()),
            *(
                ()
                if report.recording_failure is None
                else (Text(f"The recording stopped: {report.recording_failure}"),)
            ),
            *((_engine_table(beside.engines),) if len(beside.engines) > 1 else ()),
            Facts(tuple(facts)),
            _venue_table(_book_venues(report.venues)),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def _engine_table(engines: Sequence[EngineLine]) -> Table:
    """Show each engine's state, its trades of this run and what they came to."""
    return Table(
        ("Engine", "", "n", "USD"),
        tuple(
            (line.engine_id, "away", "", "")
            if line.trouble
            else (
                line.engine_id,
                _engine_state(line),
                words.count(line.traded),
                words.usd(line.profit_usd, is_signed=True),
            )
            for line in engines
        ),
    )


def _engine_state(line: EngineLine) -> str:
    if line.is_killed:
        return "KILLED"
    return "paused" if line.is_paused else line.mode.value


def render_start(report: StatusReport, *, has_authenticator: bool) -> Screen:
    """Greet: what this is, how it stands, and what is to be set up before it is needed."""
    mark, state = state_of(report)
    title = KILLED_TITLE if report.is_killed else f"{report.mode.value.capitalize()}: {state}"
    enroll = "A kill from here can be cleared on its machine only: run make enroll there, once."
    return Screen(
        title="Syndicate",
        blocks=(
            Text(f"{mark}{title}"),
            Text(_what_it_does(report)),
            Text("/kill stops it at once, /help helps."),
            *((Text(report.market_note),) if report.market_note else ()),
            *(() if has_authenticator else (Text(enroll),)),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def render_sandbox(report: StatusReport) -> Screen:
    """Say where the figures come from, in full."""
    return Screen(
        title=f"Figures: {words.BASIS_WORDS[report.basis]}",
        blocks=(
            Text(report.market_note or "They come from the venues' public feeds as they are now."),
            Text(
                "What the mode lets through is signed and sent; all else is simulated."
                if report.basis in SENT
                else "Every execution is simulated: no order leaves this machine, no money moves."
            ),
        ),
    )


def _what_it_does(report: StatusReport) -> str:
    if report.basis is Basis.MAIN_LIVE:
        return "Finds and trades arbitrage. REAL MONEY moves."
    if report.basis in SENT:
        return "Finds arbitrage, signs and sends it. The money is worth nothing."
    return "Finds and simulates arbitrage. No real money moves."


def render_venues(report: VenuesReport) -> Screen:
    """Show every venue, then the instruments that may not be traded on and why."""
    stale = [line for line in report.instruments if not line.is_live]
    venues = _book_venues(report.venues)
    blocks: list[Table | Text | Facts] = [_venue_table(venues)]
    pools = [(venue.venue, _pool_words(venue)) for venue in report.venues if venue.is_chain]
    if pools:
        blocks.append(Text("Pools"))
        blocks.append(Facts(tuple(pools[:_VENUES_SHOWN_MAX])))
    blocks.append(_lag_table(venues))
    troubles = [
        (venue.venue, f"{venue.resyncs} resyncs, {_fault_words(venue)}")
        for venue in report.venues[:_VENUES_SHOWN_MAX]
        if venue.resyncs or venue.faults
    ]
    if troubles:
        blocks.append(Facts(tuple(troubles)))
    blocks += [Text(f"{venue.venue} {venue.note}") for venue in report.venues if venue.note]
    if stale:
        shown = stale[:_STALE_SHOWN_MAX]
        rows = [
            (f"{line.venue} {line.pair}", words.phrase(line.stale_reason or "not live"))
            for line in shown
            if not line.note
        ]
        blocks.append(Text(f"Out of every decision: {len(stale)} of {len(report.instruments)}"))
        if rows:
            blocks.append(Facts(tuple(rows)))
        # In whole: what a venue says of a market is more than a row of a table holds.
        blocks += [Text(f"{line.venue} {line.pair}: {line.note}") for line in shown if line.note]
    live = sum(venue.books_live for venue in venues)
    return Screen(
        title=f"Venues: {live} of {sum(venue.books for venue in venues)} books live",
        mark=Mark.GOOD if not stale else Mark.WARN,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_version(report: VersionReport) -> Screen:
    """Show what runs here."""
    return Screen(
        title=f"Syndicate {report.version}",
        blocks=(
            Facts(
                (
                    ("Commit", report.commit[:12]),
                    ("Run", report.run_id),
                    ("Python", report.python),
                    ("Started", words.day_clock_zone(report.started_at_ns)),
                )
            ),
        ),
    )


def state_of(report: StatusReport) -> tuple[Mark, str]:
    """Return how the engine stands, as a mark and in words."""
    if report.is_killed:
        return Mark.BAD, "killed"
    if report.is_paused:
        return Mark.WARN, "paused, no plans are made"
    if report.is_chat_blind and report.mode is Mode.APPROVE:
        return Mark.WARN, "the chat is blind"
    live = sum(venue.books_live for venue in _book_venues(report.venues))
    if live == 0:
        return Mark.WARN, "no book is live"
    return Mark.GOOD, "running"


def _profit(trades: int, profit_usd: Decimal) -> str:
    return f"{words.usd(profit_usd, is_signed=True)} in {words.count(trades)} trades"


def _profit_of(pnl: PnlReport | None) -> str:
    return "the ledger is away" if pnl is None else _profit(pnl.executions, pnl.realised_usd)


def _profit_facts(report: StatusReport, beside: Beside) -> list[tuple[str, str]]:
    """Return what paper came to and what was sent, apart; what a screen is of stands first."""
    is_live = report.basis in SENT
    paper = zip(
        ("Paper run", "Paper day", "Paper all")
        if is_live
        else ("This run", "Last day", "All days"),
        (
            _profit(report.traded, report.profit_usd_paper),
            _profit_of(beside.day),
            _profit_of(beside.ever),
        ),
        strict=True,
    )
    live = _live_facts(report, beside)
    return [*live, *paper] if is_live else [*paper, *live]


def _live_facts(report: StatusReport, beside: Beside) -> list[tuple[str, str]]:
    """Return what was signed and sent, which no figure of paper holds.

    Nothing if nothing was, as long as nothing could be now.
    """
    ever = beside.ever
    was_live = ever is not None and (ever.live.executions or ever.live.upkeep)
    if not (report.traded_live or was_live or report.basis in SENT):
        return []
    facts = [("Live, this run", _profit(report.traded_live, report.profit_usd_live))]
    if ever is not None:
        facts.append(("Live, all days", _profit(ever.live.executions, ever.live.net_usd)))
    return facts


def _engine_counts(report: StatusReport) -> list[tuple[str, str]]:
    """Return what is no trouble while it is none: shown above zero only."""
    counts = (
        ("Watched", sum(report.watched.values()), "not tradable"),
        ("No room", report.without_room, "routes more"),
        ("Moves", report.moves_refused, "of pools refused"),
        ("Cut", report.pools_cut, "pools in part"),
        ("Screening", report.pools_waiting, "pools wait"),
        ("Told", report.told_left_out, f"left out, to {report.told_left_out_bps_max} bps"),
    )
    return [(name, f"{words.count(number)} {what}") for name, number, what in counts if number]


def _latency(latency_us: dict[str, float]) -> str:
    return " ".join(
        f"{name} {latency_us[name]:.0f}" for name in ("p50", "p99") if name in latency_us
    ) + (" µs" if latency_us else "")


def _book_venues(venues: Sequence[VenueLine]) -> list[VenueLine]:
    return [venue for venue in venues if not venue.is_chain]


def _pool_words(venue: VenueLine) -> str:
    mark = "" if venue.is_connected else "✖ "
    return f"{mark}{venue.books_live}/{venue.books}, block {words.age(venue.age_ms)}"


def _venue_table(venues: list[VenueLine]) -> Table:
    rows = [
        (
            venue.venue if venue.is_connected else f"✖ {venue.venue}",
            f"{venue.books_live}/{venue.books}",
            words.age(venue.age_ms),
            f"{venue.frames_per_s:.0f}/s",
        )
        for venue in venues[:_VENUES_SHOWN_MAX]
    ]
    hidden = len(venues) - len(rows)
    if hidden > 0:
        rows.append((f"{hidden} more", "", "", ""))
    return Table(("Venue", "Live", "Age", "Frames"), tuple(rows))


def _lag_table(venues: list[VenueLine]) -> Table:
    """Show how late frames are: beyond the quickest on their way, and here for their turn.

    Proven: when each book of a feed without sequence numbers was last compared, at the latest.
    """
    rows = [
        (
            venue.venue,
            "?" if venue.lag_ms is None else words.age(venue.lag_ms),
            words.age(venue.lag_ms_max),
            words.age(venue.wait_ms_max),
            "always" if venue.unproven_s is None else words.duration(venue.unproven_s),
        )
        for venue in venues[:_VENUES_SHOWN_MAX]
    ]
    return Table(("Late", "Now", "Most", "Wait", "Proven"), tuple(rows))


def _fault_words(venue: VenueLine) -> str:
    kind, number = max(venue.faults.items(), key=lambda item: item[1], default=("", 0))
    return f"{words.count(number)} {words.phrase(kind)}" if number else "no faults"
