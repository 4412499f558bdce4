"""Screens about what trading came to over a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Table, Text
from engine.bus.performance import PerformanceReport
from engine.domain.modes import Basis
from engine.domain.performance import ZERO, By, Missed, Sums, TradeMark

_KINDS_SHOWN_MAX = 3
_GROUPS_SHOWN_MAX = 24
_NO_TROUBLE = frozenset({"OpportunitySeen", "PaperTraded", "DayClosed", "AlertAct", "VenueBack"})
"""Notices that are no alert."""

_BY_WORDS = {
    By.ALL: "",
    By.PAIR: "Pair",
    By.VENUE: "Venue",
    By.ROUTE: "Route",
    By.HOUR: "Hour, UTC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What a time came to.

    Attributes:
        is_alike: all books agree; None where not all could be asked.
        beside: what else stands on the screen.
    """

    sums: Sums
    drawdown: Decimal
    best: TradeMark | None
    worst: TradeMark | None
    missed: Sequence[Missed]
    notices: Mapping[str, int]
    books: str
    is_alike: bool | None
    beside: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        report: PerformanceReport,
        *,
        books: str,
        is_alike: bool | None,
        beside: tuple[tuple[str, str], ...] = (),
    ) -> "Came":
        """Take it from a report."""
        return cls(
            sums=report.all,
            drawdown=report.drawdown,
            best=report.best,
            worst=report.worst,
            missed=report.missed,
            notices=report.notices,
            books=books,
            is_alike=is_alike,
            beside=beside,
        )


def render_came(title: str, came: Came, *, basis: Basis | None) -> Screen:
    """Show a time: profit and its costs, what stood out, what was missed, whether books agree."""
    sums = came.sums
    mark = Mark.WARN if sums.realised < 0 else Mark.GOOD if came.is_alike else Mark.NONE
    if came.is_alike is False:
        mark = Mark.BAD
    return Screen(
        title=f"{title}: {words.usd(sums.realised, is_signed=True)}",
        mark=mark,
        blocks=(Facts((*_came_facts(came), *came.beside)),),
        note="paper money" if basis is None else words.BASIS_WORDS[basis],
    )


def live_facts(sums: Sums, upkeep_usd: Decimal = ZERO) -> tuple[tuple[str, str], ...]:
    """Return what was signed and sent in a time, which no other figure holds; nothing if none."""
    upkeep = f"upkeep {_cost(upkeep_usd)}" if upkeep_usd else ""
    if not sums.trades:
        return (("Live", upkeep),) if upkeep else ()
    came = f"{words.usd(sums.realised, is_signed=True)} in {words.count(sums.trades)}"
    won = f"{words.share(sums.wins, sums.trades)} won, gas {_cost(sums.gas)}"
    return (("Live", ", ".join(filter(None, (came, won, upkeep)))),)


def came_lines(came: Came) -> list[str]:
    """Say what a time came to in three lines."""
    sums = came.sums
    costs = (
        ("fees", sums.fee),
        ("gas", sums.gas),
        ("transfer", sums.transfer),
        ("slippage", sums.slippage),
    )
    missed = sum(one.count for one in came.missed)
    return [
        (
            f"{words.count(sums.trades)} trades, {words.share(sums.wins, sums.trades)} won;"
            f" planned {words.usd(sums.expected, is_signed=True)}"
        ),
        ", ".join(f"{name} {_cost(amount)}" for name, amount in costs),
        (
            f"{came.books}; {words.count(_alert_count(came.notices))} alerts,"
            f" {words.count(missed)} refused that lasted"
        ),
    ]


def _came_facts(came: Came) -> list[tuple[str, str]]:
    sums = came.sums
    facts = [
        ("Planned", _planned(sums)),
        ("Trades", f"{words.count(sums.trades)}, {words.share(sums.wins, sums.trades)} won"),
        ("Books", came.books),
    ]
    if sums.trades:
        facts += [
            ("Fees", _cost(sums.fee)),
            ("Gas", _cost(sums.gas)),
            ("Transfer", _cost(sums.transfer)),
            ("Slippage", _cost(sums.slippage)),
            ("Drawdown", words.usd(came.drawdown)),
        ]
    for name, trade in (("Best", came.best), ("Worst", came.worst)):
        if trade is not None:
            told = words.usd(trade.realised, is_signed=True)
            facts.append((name, f"{told} {trade.route} ({trade.opportunity_id})"))
    if came.missed:
        facts.append(("Refused", _missed(came.missed)))
    facts.append(("Alerts", _alerts(came.notices)))
    return facts


def render_groups(report: PerformanceReport, by: By, *, days: int) -> Screen:
    """Show what each pair, venue, route or hour came to."""
    span = "day" if days == 1 else f"{days} days"
    rows = tuple(
        (
            f"{int(name):02d}" if by is By.HOUR else name,
            words.count(sums.trades),
            words.share(sums.wins, sums.trades),
            words.usd(sums.realised, is_signed=True),
        )
        for name, sums in report.groups[:_GROUPS_SHOWN_MAX]
    )
    blocks: list[Table | Text] = [
        Table((_BY_WORDS[by], "n", "won", "USD"), rows) if rows else Text("No trades.")
    ]
    if by is By.VENUE:
        blocks.insert(0, Text("A trade counts at each of its venues."))
    if hidden := len(report.groups) - len(rows):
        blocks.append(Text(f"{hidden} more are in /export trades."))
    return Screen(
        title=f"By {by.value}, {span}: {words.usd(report.all.realised, is_signed=True)}",
        mark=Mark.GOOD if report.all.realised >= 0 else Mark.WARN,
        blocks=tuple(blocks),
        note=words.money_words(report.basis, report.money),
    )


def books_line(differences: Sequence[str]) -> str:
    """Say in one line whether ledger, fills and positions agree."""
    if not differences:
        return "ledger=fills=positions ✔"
    more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
    return f"✖ Δ {differences[0]}{more}"


def _planned(sums: Sums) -> str:
    planned = words.usd(sums.expected, is_signed=True)
    if sums.expected <= 0:
        return planned
    return f"{planned}, {words.share(float(sums.realised), float(sums.expected))} came"


def _cost(amount: Decimal) -> str:
    return words.usd(-amount, is_signed=True)


def _missed(missed: Sequence[Missed]) -> str:
    count = sum(one.count for one in missed)
    total = words.usd(sum(one.usd for one in missed))
    return f"{words.count(count)} that lasted, by estimate {total}: " + ", ".join(
        f"{words.phrase(one.reason)} {words.count(one.count)}" for one in missed[:_KINDS_SHOWN_MAX]
    )


def _alerts(notices: Mapping[str, int]) -> str:
    kinds = sorted(
        ((kind, count) for kind, count in notices.items() if kind not in _NO_TROUBLE),
        key=lambda item: -item[1],
    )
    if not kinds:
        return "none"
    named = ", ".join(f"{_spaced(kind)} {count}" for kind, count in kinds[:_KINDS_SHOWN_MAX])
    return f"{_alert_count(notices)}: {named}"


def _alert_count(notices: Mapping[str, int]) -> int:
    return sum(count for kind, count in notices.items() if kind not in _NO_TROUBLE)


def _spaced(kind: str) -> str:
    """Return a kind of notice in words, as venue lost."""
    return "".join(f" {char.lower()}" if char.isupper() else char for char in kind).strip()
