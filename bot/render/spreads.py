"""The screen and the picture of gaps between books, whether or not they pay."""

from itertools import combinations

from bot.answer import Heatmap
from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Table, Text
from engine.bus.reports import SpreadLine, SpreadsReport

_PAIRS_SHOWN_MAX = 5
_NEAREST_SHOWN_MAX = 2
_ROWS_DRAWN_MAX = 12
_COLUMNS_DRAWN_MAX = 10
_BPS_PER_PERCENT = 100


def render_spreads(report: SpreadsReport) -> Screen:
    """Show the best gap of each pair: gross, costs, net, and how much is missing."""
    best = best_of_pairs(report)
    if not best:
        return Screen(
            title="Spreads: no pair has two live books",
            mark=Mark.WARN,
            note=words.BASIS_WORDS[report.basis],
        )
    least = report.least_edge_bps
    rows = tuple(
        (
            line.pair,
            _percent(line.gross_bps),
            _percent(line.gross_bps - line.net_bps),
            _percent(line.net_bps),
            _percent(least - line.net_bps) if line.net_bps < least else "pays",
        )
        for line in best[:_PAIRS_SHOWN_MAX]
    )
    missed = [line for line in report.nearest if line.net_bps < least][:_NEAREST_SHOWN_MAX]
    top = best[0]
    blocks: list[Table | Text | Lines] = [
        Text(f"{top.pair} {top.buy_venue}→{top.sell_venue}. A plan needs {words.percent(least)}."),
        Table(("in %", "gross", "costs", "net", "short"), rows),
    ]
    if missed:
        blocks.append(Text("Nearest misses of the last hour:"))
        blocks.append(Lines(tuple(row for line in missed for row in _missed(line))))
    return Screen(
        title=f"Spreads: best net {words.percent(top.net_bps)}",
        mark=Mark.GOOD if top.net_bps >= least else Mark.NONE,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def best_of_pairs(report: SpreadsReport) -> list[SpreadLine]:
    """Return the best gap of each pair, the best pair first."""
    best: dict[str, SpreadLine] = {}
    for line in report.spreads:
        best.setdefault(line.pair, line)
    return list(best.values())


def make_heatmap(report: SpreadsReport) -> Heatmap | None:
    """Return the picture of all gaps, or None where there is none."""
    pairs = [line.pair for line in best_of_pairs(report)][:_ROWS_DRAWN_MAX]
    venues = sorted({v for line in report.spreads for v in (line.buy_venue, line.sell_venue)})
    columns = list(combinations(venues, 2))[:_COLUMNS_DRAWN_MAX]
    if not pairs:
        return None
    lines = {
        (line.pair, *sorted((line.buy_venue, line.sell_venue))): line for line in report.spreads
    }

    def cell(pair: str, left: str, right: str) -> tuple[float, str] | None:
        line = lines.get((pair, left, right))
        if line is None:
            return None
        arrow = "↓" if line.buy_venue == left else "↑"
        return line.net_bps / _BPS_PER_PERCENT, arrow

    least = report.least_edge_bps / _BPS_PER_PERCENT
    return Heatmap(
        name="spreads",
        title="Gaps between venues now",
        rows=tuple(pairs),
        columns=tuple(f"{left}\n{right}" for left, right in columns),
        cells=tuple(tuple(cell(pair, *column) for column in columns) for pair in pairs),
        middle=least,
        decimals=2,
        hint=f"net edge in % at the best prices; {least:g} % and more is an opportunity",
        basis_note=f"{words.BASIS_WORDS[report.basis]}; ↓ buy at the upper venue, ↑ at the lower",
    )


def _missed(line: SpreadLine) -> tuple[str, str]:
    return (
        f"{words.clock(line.at_ns)} {line.pair} {words.percent(line.net_bps)}",
        f"  {line.buy_venue}→{line.sell_venue}",
    )


def _percent(bps: float) -> str:
    return f"{bps / _BPS_PER_PERCENT:.3f}"
