"""Screens about trades and profit."""

import hashlib
from decimal import Decimal

from bot.answer import Chart
from bot.render import words
from bot.render.screen import Facts, Lines, Mark, Screen, Table, Text, wrapped
from bot.render.stories import path
from engine.bus.reports import ExportReport, PnlPart, PnlReport, TradeLine, TradesReport
from engine.domain.modes import Basis, Money

_ROUTES_SHOWN_MAX = 4
TRADES_SHOWN_MAX = 50
"""Trades on one screen, in pages."""

TRADES_SHOWN = 6
"""Where nobody said how many."""


def render_trades(report: TradesReport, *, asked: int) -> Screen:
    """Show the newest executions."""
    if not report.trades:
        return Screen(title="Trades: none yet", note="paper money")
    shown = report.trades[: min(asked, TRADES_SHOWN_MAX)]
    lines: list[str] = []
    has_live = any(trade.money is Money.LIVE for trade in shown)
    for number, trade in enumerate(shown, 1):
        engine_id = trade.engine_id if len(report.engines) > 1 else ""
        first, *others = _trade_lines(trade, engine_id, says_money=has_live)
        lines += [f"{number} {first}", *others]
    bases = sorted({trade.basis for trade in shown})
    return Screen(
        title=f"Trades: last {len(shown)} of {words.count(report.total)}",
        blocks=(wrapped(lines, keys=tuple(trade.opportunity_id for trade in shown)),),
        note=_bases_note(bases),
    )


def render_pnl(report: PnlReport, *, days: int) -> Screen:
    """Show realised profit against what was expected, by route; live money beside paper."""
    live = report.live
    title = f"PnL, last {_days(days)}: {words.usd(report.realised_usd, is_signed=True)}"
    if _has_any(live):
        title += f" paper, {words.usd(live.net_usd, is_signed=True)} live"
    elif report.executions == 0:
        return Screen(title=f"PnL, last {_days(days)}: no trades", note="paper money")
    facts = Facts(
        (
            ("Expected", words.usd(report.expected_usd, is_signed=True)),
            ("Trades", words.count(report.executions)),
            ("Won", words.share(report.wins, report.executions)),
            *(
                (f"From {name}", words.usd(amount, is_signed=True))
                for name, amount in sorted(report.by_basis.items())
                if len(report.by_basis) > 1
            ),
            *_live_facts(live),
        )
    )
    engines = tuple(
        (name, words.count(number), words.usd(amount, is_signed=True))
        for name, (amount, number) in sorted(report.by_engine.items())
    )
    best = sorted(report.by_route.items(), key=lambda item: -abs(item[1][0]))[:_ROUTES_SHOWN_MAX]
    rows = tuple(
        (name, words.count(number), words.usd(amount, is_signed=True))
        for name, (amount, number) in best
    )
    sent = sorted(live.by_route.items(), key=lambda item: -abs(item[1][0]))[:_ROUTES_SHOWN_MAX]
    live_rows = tuple(
        (name, words.count(number), words.usd(amount, is_signed=True))
        for name, (amount, number) in sent
    )
    return Screen(
        title=title,
        mark=Mark.GOOD if min(report.realised_usd, live.net_usd) >= 0 else Mark.WARN,
        blocks=(
            facts,
            *((Table(("Engine", "n", "USD"), engines),) if len(engines) > 1 else ()),
            *((Table(("Route", "n", "USD"), rows),) if rows else ()),
            *((Table(("Live route", "n", "USD"), live_rows),) if live_rows else ()),
        ),
        note=_bases_note(sorted(report.by_basis))
        + (
            "; live is signed and sent, and in no sum with paper"
            if live.executions or live.upkeep
            else ""
        ),
    )


def pnl_sparkline(points: tuple[tuple[int, Decimal], ...]) -> Lines:
    """Return the cumulative profit as a line of bars for a terminal."""
    return Lines((words.sparkline([float(value) for _, value in points]),))


def make_chart(report: PnlReport, *, days: int, now_ns: int) -> Chart | None:
    """Return the chart of a report: of what was sent, where anything was, else of paper.

    It says which. None where there is nothing to draw.
    """
    is_live = bool(report.live.points)
    points = report.live.points if is_live else report.points
    if not points:
        return None
    note = words.money_words(None, Money.LIVE)
    return Chart(
        title=f"{'Live' if is_live else 'Paper'} PnL, last {_days(days)}",
        since_ns=report.since_ns,
        until_ns=now_ns,
        points=tuple(points),
        basis_note=note if is_live else _bases_note(sorted(report.by_basis)),
    )


def render_export(report: ExportReport, content: bytes, *, title: str) -> Screen:
    """Say what the file holds, what of it was compared with the ledger, and its checksum."""
    digest = hashlib.sha256(content).hexdigest()
    facts = [
        ("Rows", words.count(report.rows)),
        ("Times", "UTC"),
        ("Bytes", words.count(len(content))),
    ]
    if report.check:
        sign = "= ledger ✔" if report.is_alike else "✖ ledger differs"
        facts.append(("Check", f"{report.check} {sign}"))
    facts.append(("SHA-256", digest))
    return Screen(
        title=f"Export: {title}",
        mark=Mark.NONE if report.is_alike else Mark.WARN,
        blocks=(Facts(tuple(facts)),),
    )


def render_export_too_big(size: int, *, bytes_max: int) -> Screen:
    """Say that the file is too big for a chat."""
    return Screen(
        title="Export is too big to send",
        mark=Mark.WARN,
        blocks=(
            Text(
                f"{words.count(size)} bytes, at most {words.count(bytes_max)}"
                " can be sent: ask for fewer days"
            ),
        ),
    )


def _has_any(live: PnlPart) -> bool:
    return bool(live.executions or live.upkeep)


def _live_facts(live: PnlPart) -> tuple[tuple[str, str], ...]:
    """Return what was signed and sent, beside paper; nothing if nothing was."""
    if not _has_any(live):
        return ()
    upkeep = f"{words.usd(-live.upkeep_usd, is_signed=True)} in {words.count(live.upkeep)}"
    if live.unpriced:
        upkeep += f", {words.count(live.unpriced)} without a price"
    return (
        ("Live", words.usd(live.net_usd, is_signed=True)),
        *((("Live upkeep", upkeep),) if live.upkeep else ()),
        ("Live expected", words.usd(live.expected_usd, is_signed=True)),
        (
            "Live trades",
            f"{words.count(live.executions)}, {words.share(live.wins, live.executions)} won",
        ),
    )


def _trade_lines(trade: TradeLine, engine_id: str, *, says_money: bool) -> list[str]:
    lines = [
        (
            f"{words.day_clock(trade.closed_at_ns)} {words.usd(trade.profit_usd, is_signed=True)}"
            f" of {words.usd(trade.expected_usd, is_signed=True)}"
            f"{f', {engine_id}' if engine_id else ''}{f', {trade.money}' if says_money else ''}"
        ),
        f"  {_what(trade)} {words.size(trade.size_base)}",
    ]
    if trade.story is not None:
        lines.append(f"  {path(trade.story)}")
    if trade.corrects:
        lines.append(f"  told late, of {trade.corrects}")
    if trade.left_over:
        lines.append(f"  {words.left_over(trade.left_over)}")
    return lines


def _what(trade: TradeLine) -> str:
    """Say which route was traded, or that it was what closes a leftover, and where."""
    if trade.closes is not None:
        return f"{trade.pair} closing at {trade.buy_venue}"
    return words.route(trade.pair, trade.buy_venue, trade.sell_venue, trade.assets)


def _bases_note(names: list[str] | list[Basis]) -> str:
    known = [words.BASIS_WORDS[Basis(name)] for name in names if name in set(Basis)]
    if len(known) > 1:
        return "; ".join(known) + ": never one sum of money"
    return known[0] if known else "paper money"


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days} days"
