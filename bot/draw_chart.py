"""Draw one chart: JSON on standard input, PNG on standard output. Run by `bot.charts` only."""

import datetime as dt
import io
import json
import sys
from typing import Any
from zoneinfo import ZoneInfo

from engine.domain.units import NS_PER_S

_INK, _MUTED, _GRID = "#16202c", "#5d6b7a", "#dde3ea"
_GAIN, _LOSS = "#1d8f5a", "#c0392b"
_INCHES = (5.4, 6.75)
_DPI = 200


def draw(chart: dict[str, Any]) -> bytes:
    """Return a portrait PNG of 1080 by 1350 pixels: cumulative profit, and each trade below."""
    import matplotlib as mpl  # noqa: PLC0415 - only this short-lived process pays for it

    mpl.use("Agg")
    from matplotlib import dates  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    zone = ZoneInfo(chart["zone"])
    moments = [_moment(at_ns, zone) for at_ns, _ in chart["points"]]
    totals = [value for _, value in chart["points"]]
    changes = [total - before for total, before in zip(totals, [0.0, *totals], strict=False)]
    start, end = _moment(chart["since_ns"], zone), _moment(chart["until_ns"], zone)
    left, end = bounds_of(start, end, moments)
    x = [left, *moments, end]
    y = [0.0, *totals, totals[-1]]
    color = _GAIN if totals[-1] >= 0 else _LOSS

    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white")
    upper, lower = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1], "hspace": 0.08}
    )
    figure.subplots_adjust(left=0.15, right=0.96, top=0.84, bottom=0.11)
    figure.text(0.05, 0.955, chart["title"], size=15, weight="bold", color=_INK, va="center")
    figure.text(0.05, 0.912, chart["note"], size=8.5, color=_MUTED, va="center")
    figure.text(0.05, 0.866, chart["total"], size=20, weight="bold", color=color, va="center")
    figure.text(0.96, 0.866, chart["caption"], size=10, color=_MUTED, va="center", ha="right")
    upper.step(x, y, where="post", color=color, linewidth=2)
    upper.fill_between(x, y, step="post", color=color, alpha=0.12, linewidth=0)
    upper.axhline(0, color=_MUTED, linewidth=0.8)
    width = (end - left) / max(60, 2 * len(moments))
    lower.bar(
        moments,
        changes,
        width=width,
        color=[_GAIN if change >= 0 else _LOSS for change in changes],
    )
    lower.axhline(0, color=_MUTED, linewidth=0.8)
    lower.set_xlim(left, end)
    upper.set_ylabel("cumulative USD", color=_MUTED, size=9)
    lower.set_ylabel("each, USD", color=_MUTED, size=9)
    locator = dates.AutoDateLocator(tz=zone, maxticks=5)  # type: ignore[no-untyped-call]
    lower.xaxis.set_major_locator(locator)
    formatter = dates.DateFormatter(form_of(end - left), tz=zone)  # type: ignore[no-untyped-call]
    lower.xaxis.set_major_formatter(formatter)
    lower.set_xlabel(chart["zone"], color=_MUTED, size=9)
    for axes in (upper, lower):
        axes.grid(color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=_MUTED, labelsize=9, length=0)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def bounds_of(
    start: dt.datetime, end: dt.datetime, moments: list[dt.datetime]
) -> tuple[dt.datetime, dt.datetime]:
    """Return where the axis of time begins and ends."""
    # Trades that are dated ahead are from before the clock was set back.
    end = max(end, moments[-1])
    # A curve that fills a corner of a long, empty time says nothing: begin where trading began.
    return max(start, moments[0] - (end - moments[0]) * 0.05), end


def draw_heatmap(chart: dict[str, Any]) -> bytes:
    """Return a portrait PNG of the same size: one cell for each row and column."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib.colors import TwoSlopeNorm  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    cells, middle = chart["cells"], chart["middle"]
    values = [[float("nan") if cell is None else cell[0] for cell in row] for row in cells]
    reach = max(abs(cell[0] - middle) for row in cells for cell in row if cell is not None) or 0.01
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white")
    for y, text, size, color in (
        (0.955, chart["title"], 15, _INK),
        (0.912, chart["basis_note"], 8.5, _MUTED),
        (0.875, chart["hint"], 8.5, _MUTED),
    ):
        weight = "bold" if color == _INK else "normal"
        figure.text(0.05, y, text, size=size, weight=weight, color=color, va="center")
    axes = figure.add_axes((0.17, 0.05, 0.79, 0.72))
    norm = TwoSlopeNorm(vcenter=middle, vmin=middle - reach, vmax=middle + reach)
    axes.imshow(values, cmap="RdYlGn", norm=norm, aspect="auto", alpha=0.8)
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            text = "-" if cell is None else f"{cell[0]:+.{chart['decimals']}f}\n{cell[1]}"
            axes.text(column, row, text, ha="center", va="center", size=8.5, color=_INK)
    axes.set_xticks(range(len(chart["columns"])), chart["columns"], size=8, color=_MUTED)
    axes.set_yticks(range(len(chart["rows"])), chart["rows"], size=9, color=_MUTED)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def draw_waterfall(chart: dict[str, Any]) -> bytes:
    """Return a portrait PNG of the same size: a bar from each amount to the next, from the top."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib.figure import Figure  # noqa: PLC0415

    bars = chart["bars"]
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white")
    result = _GAIN if bars[-1][3] >= 0 else _LOSS
    for y, text, size, color in (
        (0.955, chart["title"], 15, _INK),
        (0.912, chart["basis_note"], 8.5, _MUTED),
        (0.866, chart["result"], 20, result),
        (0.824, chart["hint"], 8.5, _MUTED),
    ):
        weight = "normal" if color == _MUTED else "bold"
        figure.text(0.05, y, text, size=size, weight=weight, color=color, va="center")
    axes = figure.add_axes((0.33, 0.06, 0.63, 0.73))
    edges = [0.0, *(edge for bar in bars for edge in bar[2:])]
    reach = (max(edges) - min(edges)) or 1.0
    for row, (_, amount, start, end) in enumerate(bars):
        color = _INK if row in chart["totals"] else _GAIN if end >= start else _LOSS
        axes.barh(row, end - start, left=start, height=0.62, color=color)
        axes.text(max(start, end) + 0.02 * reach, row, amount, va="center", size=9, color=_INK)
        if row + 1 < len(bars):
            axes.plot([end, end], [row - 0.31, row + 1.31], color=_MUTED, linewidth=0.8)
    axes.set_xlim(min(edges) - 0.03 * reach, max(edges) + 0.3 * reach)
    axes.axvline(0, color=_MUTED, linewidth=0.8)
    axes.set_yticks(range(len(bars)), [bar[0] for bar in bars])
    axes.invert_yaxis()
    axes.set_xlabel("USD", color=_MUTED, size=9)
    axes.grid(axis="x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_MUTED, labelsize=9, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def form_of(span: dt.timedelta) -> str:
    """Return how times on an axis are written, whole on every tick: seconds are no minutes."""
    if span < dt.timedelta(minutes=15):
        return "%H:%M:%S"
    return "%H:%M" if span < dt.timedelta(days=1, hours=12) else "%m-%d %H:%M"


def _moment(at_ns: int, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ns / NS_PER_S, tz=zone)


def main() -> None:
    """Read, draw, write."""
    chart = json.load(sys.stdin)
    drawing = {"pnl": draw, "heatmap": draw_heatmap, "waterfall": draw_waterfall}
    sys.stdout.buffer.write(drawing[chart["kind"]](chart))


if __name__ == "__main__":
    main()
