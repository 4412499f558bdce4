"""Pictures of reports, and the words beside them."""

from collections import defaultdict
from collections.abc import Iterable

from bot.answer import Bars, Equity, Funnel
from bot.render import words
from bot.render.screen import Facts, Screen, Text
from engine.bus.performance import PerformanceReport
from engine.bus.reports import StatusReport, TradeLine
from engine.domain.modes import Money
from engine.domain.units import NS_PER_MS

ROWS_MAX = 10
_BELOW_MIN = "edge_below_min"
_US_PER_MS = 1_000


def span(days: int) -> str:
    """Return a number of days in words."""
    return "1 day" if days == 1 else f"{days} days"


def render_menu() -> Screen:
    """Say which pictures there are."""
    return Screen(
        title="Charts",
        blocks=(
            Facts(
                (
                    ("equity", "profit, and below its peak"),
                    ("expected", "planned and realised by route"),
                    ("funnel", "from found to won"),
                    ("latency", "how long each step takes"),
                    ("spreads", "gaps between venues now"),
                )
            ),
            Text("As /chart equity 30 dark: days, and light or dark."),
        ),
    )


def note_of(report: PerformanceReport) -> str:
    """Say where the figures of a report come from."""
    return words.money_words(report.basis, report.money)


def make_equity(report: PerformanceReport, *, days: int) -> Equity | None:
    """Return the picture of profit and drawdown, None without a trade."""
    if not report.points:
        return None
    return Equity(
        title=f"{report.money.capitalize()} profit, {span(days)}",
        points=tuple((at_ns, float(total), float(fall)) for at_ns, total, fall in report.points),
        total=words.usd(report.all.realised, is_signed=True),
        caption=f"{words.count(report.all.trades)} trades, {words.usd(report.drawdown)} drawdown",
        basis_note=note_of(report),
    )


def make_expected(report: PerformanceReport, *, days: int) -> Bars | None:
    """Return the picture of what was planned and what came of it by route."""
    if not report.groups:
        return None
    return Bars(
        name="expected",
        title=f"Planned and realised, {span(days)}",
        rows=tuple(
            (
                name.replace(" ", "\n", 1),
                float(sums.expected),
                float(sums.realised),
                "\nof ".join(
                    words.usd(one, is_signed=True) for one in (sums.realised, sums.expected)
                ),
            )
            for name, sums in report.groups[:ROWS_MAX]
        ),
        legend=("planned", "realised"),
        axis="USD",
        hint="by route, net of all costs; the largest first",
        basis_note=note_of(report),
        is_signed=True,
    )


def make_funnel(report: PerformanceReport, *, days: int) -> Funnel | None:
    """Return the picture of how many opportunities became trades that gained."""
    found = sum(report.outcomes.values())
    if not found:
        return None
    planned = report.outcomes.get("planned", 0)
    enough = found - report.outcomes.get(_BELOW_MIN, 0)
    refused = sorted(
        (
            (reason, count)
            for reason, count in report.outcomes.items()
            if reason not in {"planned", _BELOW_MIN}
        ),
        key=lambda item: -item[1],
    )
    why = ", ".join(f"{words.phrase(reason)} {words.count(count)}" for reason, count in refused[:2])
    return Funnel(
        title=f"From found to won, {span(days)}",
        stages=(
            ("found", found, ""),
            ("edge is enough", enough, ""),
            ("planned", planned, f"refused: {why}" if why else ""),
            ("traded" if report.money is Money.PAPER else "traded live", report.all.trades, ""),
            ("won", report.all.wins, ""),
        ),
        hint="share of what was found, in brackets",
        basis_note=note_of(report),
    )


def make_latency(report: StatusReport, trades: Iterable[TradeLine]) -> Bars | None:
    """Return the picture of how long each step takes: the middle and the slowest hundredth."""
    rows = []
    for label, by_name in (
        ("frame to decision", report.latency_us),
        ("engine's loop late", report.loop_lag_us),
    ):
        if {"p50", "p99"} <= by_name.keys():
            rows.append((label, by_name["p50"] / _US_PER_MS, by_name["p99"] / _US_PER_MS))
    by_venue: defaultdict[str, list[float]] = defaultdict(list)
    for trade in trades:
        for order in () if trade.story is None else trade.story.orders:
            by_venue[order.venue].append(order.latency_ns / NS_PER_MS)
    rows += [(f"order at {venue}", *_quantiles(taken)) for venue, taken in sorted(by_venue.items())]
    rows += [
        (f"frames of {venue.venue}", float(venue.lag_ms), float(venue.lag_ms_max))
        for venue in report.venues
        if venue.lag_ms is not None
    ]
    if not rows:
        return None
    return Bars(
        name="latency",
        title="How long each step takes",
        rows=tuple(
            (label, middle, slow, f"{_ms(middle)} / {_ms(slow)}")
            for label, middle, slow in rows[:ROWS_MAX]
        ),
        legend=("median (frames: newest)", "99 % (frames: most)"),
        axis="ms, each line is ten times the one before",
        hint="orders are simulated; frames: behind the quickest of their connection",
        basis_note=words.BASIS_WORDS[report.basis],
        is_log=True,
    )


def _quantiles(taken: list[float]) -> tuple[float, float]:
    ordered = sorted(taken)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


def _ms(value: float) -> str:
    if value < 1:
        return f"{value * _US_PER_MS:.0f} µs"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"  # noqa: PLR2004
