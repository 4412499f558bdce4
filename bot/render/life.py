"""Screens of what is open, and of the whole life of a trade."""

from collections.abc import Sequence
from decimal import Decimal

from bot.render import words
from bot.render.screen import Facts, Lines, Mark, Screen, Text, wrapped
from engine.bus.life import ExposureReport, LifeEvent, LifeReport, PositionLine
from engine.bus.reports import LimitsReport
from engine.domain.modes import Money
from engine.domain.units import NS_PER_MS

_POSITIONS_SHOWN_MAX = 20
_LINE_LIMIT = 180


def render_positions(report: ExposureReport) -> Screen:
    """Show what is open: plans under way, and what earlier ones left over."""
    blocks: list[Facts | Lines | Text] = [
        Facts(
            (
                ("Plans", _plans(report)),
                ("Left over", words.usd(report.positions_usd)),
                ("To close now", words.usd(report.unrealised_usd, is_signed=True)),
            )
        )
    ]
    if report.positions:
        lines = []
        for one in _largest(report.positions):
            worth = "no price" if one.usd is None else words.usd(one.usd)
            live = ", live" if one.money is Money.LIVE else ""
            lines += [
                f"{one.venue} {words.size(one.held)} {one.asset} {worth}{live}",
                f"  filled for {words.size(one.carry)} {one.carry_asset}",
            ]
        blocks.append(Lines(tuple(lines)))
    count = len(report.positions)
    return Screen(
        title=f"Open: {words.count(report.plans)} plans, {words.count(count)} leftovers",
        mark=Mark.WARN if report.unpriced else Mark.NONE,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_exposure(report: ExposureReport, limits: LimitsReport | None) -> Screen:
    """Say what is open, what it could cost if all of this stopped now, and what protects it."""
    worst = report.plans_usd + report.positions_usd + report.gas_usd
    facts = [
        ("Under way", _plans(report)),
        ("Left over", f"{words.usd(report.positions_usd)} in {len(report.positions)} places"),
        ("To close it", words.usd(report.unrealised_usd, is_signed=True)),
        ("Gas", f"{words.usd(report.gas_usd)} at most for nothing"),
        ("At stake", f"{words.usd(worst)} at most, all paper"),
        ("Today", words.usd(report.today_usd, is_signed=True) + _until_stop(limits)),
        *_live_facts(report),
    ]
    if report.waiting:
        facts.append(("Not stored", f"{words.count(report.waiting)} records"))
    if report.unpriced:
        facts.append(("No price", ", ".join(report.unpriced)))
    return Screen(
        title=f"If I die now: {words.usd(worst)} is open",
        mark=Mark.WARN if worst else Mark.GOOD,
        blocks=(Facts(tuple(facts)), *(Text(line) for line in _protections(report))),
        note=words.BASIS_WORDS[report.basis],
    )


def render_life(report: LifeReport) -> Screen:
    """Show a trade from found to the last word on it: when, how much later, what."""
    lines: list[str] = []
    first_ns = before_ns = report.events[0].at_ns
    for event in report.events:
        at = (
            _clock_ms(event.at_ns)
            if event.at_ns == first_ns and not lines
            else _later(event.at_ns - before_ns)
        )
        before_ns = event.at_ns
        lines.append(f"{at} {_told(event)}")
        if event.text:
            lines.append(f"  {event.text}")
    return Screen(
        title=f"{report.opportunity_id} {report.pair}:"
        f" {words.usd(report.profit_usd, is_signed=True)}",
        mark=Mark.GOOD if report.profit_usd >= 0 else Mark.WARN,
        blocks=(
            wrapped(lines),
            Text(f"{words.day_clock_zone(first_ns)}, execution {report.execution_id}"),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def render_log(lines: Sequence[str]) -> Screen:
    """Show warnings and errors, the newest last."""
    if not lines:
        return Screen(title="Log: no warning and no error", mark=Mark.GOOD)
    return Screen(
        title=f"Log: the newest {len(lines)} warnings and errors",
        mark=Mark.WARN,
        blocks=tuple(Text(line[:_LINE_LIMIT]) for line in lines),
        note="times are UTC; whole in the logs of its machine",
    )


def _plans(report: ExposureReport) -> str:
    if not report.plans:
        return "none"
    return f"{words.count(report.plans)}, {words.usd(report.plans_usd)} at most"


def _live_facts(report: ExposureReport) -> list[tuple[str, str]]:
    """Return what is open of what is signed and sent, and what it came to today."""
    open_usd = report.live_gas_usd + report.live_positions_usd
    facts = []
    if report.live_plans or open_usd:
        plans = f"{words.count(report.live_plans)} plans"
        facts.append(("Live", f"{plans}, {words.usd(open_usd)} at most for nothing"))
    if report.live_today_usd:
        facts.append(("Live, today", words.usd(report.live_today_usd, is_signed=True)))
    return facts


def _largest(positions: Sequence[PositionLine]) -> list[PositionLine]:
    def worth(one: PositionLine) -> Decimal:
        return abs(one.usd) if one.usd is not None else Decimal("Infinity")

    return sorted(positions, key=worth, reverse=True)[:_POSITIONS_SHOWN_MAX]


def _until_stop(limits: LimitsReport | None) -> str:
    line = (
        next((one for one in limits.limits if one.name == "daily_loss"), None) if limits else None
    )
    return "" if line is None else f"; plans stop at a loss of {line.limit} {line.unit}"


def _protections(report: ExposureReport) -> list[str]:
    latch = (
        "The kill latch is set: no plan is made."
        if report.is_killed
        else "Plans are paused: no new one is made."
        if report.is_paused
        else "The kill latch is read before every plan and each leg; unreadable means killed."
    )
    return [
        latch,
        "Each plan has a deadline, and what it sends was in the ledger before it left.",
        "What dies is started again and takes plans under way over; nothing is sent twice.",
        "Backups lie beside the database: keep copies on another machine.",
    ]


def _told(event: LifeEvent) -> str:
    return (
        event.what if event.usd is None else f"{event.what} {words.usd(event.usd, is_signed=True)}"
    )


def _clock_ms(at_ns: int) -> str:
    return f"{words.clock(at_ns)}.{at_ns // NS_PER_MS % 1_000:03d}"


def _later(ns: int) -> str:
    if ns < NS_PER_MS:
        return f"+{ns / 1_000:.0f} µs"
    return f"+{words.age(ns // NS_PER_MS)}"
