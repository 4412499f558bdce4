"""Draw one chart: JSON on standard input, PNG on standard output. Run by `bot.charts` only."""

import json
import sys
from collections.abc import Callable
from zoneinfo import ZoneInfo

from bot.chart_look import (
    LOOKS,
    Given,
    Look,
    bare_frame,
    label_pair,
    make_bare,
    make_figure,
    make_hinted,
    make_pair,
    png_of,
    write_head,
)
from bot.chart_times import bounds_of, moment_of, set_times
from bot.draw_panels import draw_panels
from bot.draw_report import draw_bars, draw_equity, draw_funnel
from bot.draw_scatter import draw_scatter
from bot.draw_strips import draw_strips


def draw(chart: Given, look: Look) -> bytes:
    """Draw cumulative profit, and each trade below."""
    zone = ZoneInfo(chart["zone"])
    moments = [moment_of(at_ns, zone) for at_ns, _ in chart["points"]]
    totals = [value for _, value in chart["points"]]
    changes = [total - before for total, before in zip(totals, [0.0, *totals], strict=False)]
    start, end = moment_of(chart["since_ns"], zone), moment_of(chart["until_ns"], zone)
    left, end = bounds_of(start, end, moments)
    x = [left, *moments, end]
    y = [0.0, *totals, totals[-1]]
    color = look.gain if totals[-1] >= 0 else look.loss

    figure, upper, lower = make_pair(
        look, chart, heights=(3, 1), top=0.84, note=chart["note"], color=color
    )
    upper.step(x, y, where="post", color=color, linewidth=2)
    upper.fill_between(x, y, step="post", color=color, alpha=0.12, linewidth=0)
    lower.bar(
        moments,
        changes,
        width=(end - left) / max(60, 2 * len(moments)),
        color=[look.gain if change >= 0 else look.loss for change in changes],
    )
    lower.set_xlim(left, end)
    set_times(lower, zone, end - left)
    label_pair(upper, lower, look, of_lower="each, USD", zone=chart["zone"])
    return png_of(figure)


def draw_heatmap(chart: Given, look: Look) -> bytes:
    """Draw one cell for each row and column."""
    figure = make_hinted(look, chart)
    from matplotlib.colors import TwoSlopeNorm  # noqa: PLC0415 - see `make_figure`

    cells, middle = chart["cells"], chart["middle"]
    values = [[float("nan") if cell is None else cell[0] for cell in row] for row in cells]
    reach = max(abs(cell[0] - middle) for row in cells for cell in row if cell is not None) or 0.01
    axes = figure.add_axes((0.17, 0.05, 0.79, 0.72))
    axes.set_facecolor(look.paper)
    norm = TwoSlopeNorm(vcenter=middle, vmin=middle - reach, vmax=middle + reach)
    axes.imshow(values, cmap=look.map, norm=norm, aspect="auto", alpha=look.map_alpha)
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            text = "-" if cell is None else f"{cell[0]:+.{chart['decimals']}f}\n{cell[1]}"
            axes.text(column, row, text, ha="center", va="center", size=8.5, color=look.ink)
    axes.set_xticks(range(len(chart["columns"])), chart["columns"], size=8, color=look.muted)
    axes.set_yticks(range(len(chart["rows"])), chart["rows"], size=9, color=look.muted)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    bare_frame(axes)
    return png_of(figure)


def draw_quote_map(chart: Given, look: Look) -> bytes:
    """Draw one cell for each place and pair, coloured by how fresh it is."""
    figure = make_hinted(look, chart)
    rows, columns = chart["rows"], chart["columns"]
    axes = figure.add_axes((0.23, 0.03, 0.74, 0.75))
    axes.set_facecolor(look.paper)
    colors = {"fresh": (look.gain, 0.30), "old": (look.pale, 0.45), "stale": (look.loss, 0.30)}
    for row, line in enumerate(chart["cells"]):
        for column, cell in enumerate(line):
            if cell is None:
                axes.text(column, row, "·", ha="center", va="center", size=9, color=look.muted)
                continue
            worth, age, state = cell
            color, alpha = colors[state]
            axes.bar(column, 0.92, bottom=row - 0.46, width=0.94, color=color, alpha=alpha)
            axes.text(column, row - 0.16, worth, ha="center", va="center", size=9, color=look.ink)
            axes.text(column, row + 0.22, age, ha="center", va="center", size=7.5, color=look.ink)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), columns, size=8.5, color=look.muted)
    axes.set_yticks(range(len(rows)), rows, size=8.5, color=look.muted)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    bare_frame(axes)
    return png_of(figure)


def draw_waterfall(chart: Given, look: Look) -> bytes:
    """Draw a bar from each amount to the next, from the top."""
    bars = chart["bars"]
    figure = make_figure(look)
    result = look.gain if bars[-1][3] >= 0 else look.loss
    write_head(
        figure,
        look,
        (0.955, chart["title"], 15, look.ink),
        (0.912, chart["basis_note"], 8.5, look.muted),
        (0.866, chart["result"], 20, result),
        (0.824, chart["hint"], 8.5, look.muted),
    )
    axes = figure.add_axes((0.33, 0.06, 0.63, 0.73))
    edges = [0.0, *(edge for bar in bars for edge in bar[2:])]
    reach = (max(edges) - min(edges)) or 1.0
    for row, (_, amount, start, end) in enumerate(bars):
        color = look.ink if row in chart["totals"] else look.gain if end >= start else look.loss
        axes.barh(row, end - start, left=start, height=0.62, color=color)
        axes.text(max(start, end) + 0.02 * reach, row, amount, va="center", size=9, color=look.ink)
        if row + 1 < len(bars):
            axes.plot([end, end], [row - 0.31, row + 1.31], color=look.muted, linewidth=0.8)
    axes.set_xlim(min(edges) - 0.03 * reach, max(edges) + 0.3 * reach)
    axes.axvline(0, color=look.muted, linewidth=0.8)
    make_bare(axes, look)
    axes.set_yticks(range(len(bars)), [bar[0] for bar in bars])
    axes.invert_yaxis()
    axes.set_xlabel("USD", color=look.muted, size=9)
    axes.grid(axis="y", visible=False)
    return png_of(figure)


DRAWINGS: dict[str, Callable[[Given, Look], bytes]] = {
    "chart": draw,
    "heatmap": draw_heatmap,
    "quotemap": draw_quote_map,
    "waterfall": draw_waterfall,
    "equity": draw_equity,
    "bars": draw_bars,
    "funnel": draw_funnel,
    "panels": draw_panels,
    "scatter": draw_scatter,
    "strips": draw_strips,
}


def main() -> None:
    """Read, draw, write."""
    chart = json.load(sys.stdin)
    sys.stdout.buffer.write(DRAWINGS[chart["kind"]](chart, LOOKS[chart["theme"]]))


if __name__ == "__main__":
    main()
