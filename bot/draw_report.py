"""Drawings of reports: equity with its drawdown, two bars a row, counts that become fewer."""

from zoneinfo import ZoneInfo

from bot.chart_look import (
    Given,
    Look,
    label_pair,
    make_bare,
    make_hinted,
    make_pair,
    png_of,
    shortened,
)
from bot.chart_times import bounds_of, moment_of, set_times

_BAR = 0.38
_LOG_FLOOR = 1e-3


def draw_equity(chart: Given, look: Look) -> bytes:
    """Draw cumulative profit above, and how far it is below its peak."""
    zone = ZoneInfo(chart["zone"])
    moments = [moment_of(at_ns, zone) for at_ns, *_ in chart["points"]]
    totals = [total for _, total, _ in chart["points"]]
    falls = [-fall for *_, fall in chart["points"]]
    left, end = bounds_of(moments[0], moments[-1], moments)
    color = look.gain if totals[-1] >= 0 else look.loss
    figure, upper, lower = make_pair(
        look, chart, heights=(2, 1), top=0.82, note=chart["basis_note"], color=color
    )
    upper.step(moments, totals, where="post", color=color, linewidth=2)
    upper.fill_between(moments, totals, step="post", color=color, alpha=0.12, linewidth=0)
    lower.fill_between(moments, falls, step="post", color=look.loss, alpha=0.35, linewidth=0)
    lower.step(moments, falls, where="post", color=look.loss, linewidth=1.2)
    if end > left:
        lower.set_xlim(left, end)
    set_times(lower, zone, end - left)
    label_pair(upper, lower, look, of_lower="below peak, USD", zone=chart["zone"])
    return png_of(figure)


def draw_bars(chart: Given, look: Look) -> bytes:
    """Draw two bars for each row, the first one pale."""
    rows = chart["rows"]
    figure = make_hinted(look, chart)
    axes = figure.add_axes((0.36, 0.09, 0.6, 0.72))
    for row, (_, first, second, _) in enumerate(rows):
        color = look.loss if chart["is_signed"] and second < 0 else look.gain
        least = _LOG_FLOOR if chart["is_log"] else -float("inf")
        axes.barh(row - _BAR / 2, max(first, least), height=_BAR, color=look.pale)
        axes.barh(row + _BAR / 2, max(second, least), height=_BAR, color=color)
    reached = [value for _, first, second, _ in rows for value in (first, second)]
    low, high = min(0.0, *reached), max(0.0, *reached)
    if chart["is_log"]:
        axes.set_xscale("log")
        axes.set_xlim(_LOG_FLOOR, max(high, 1.0) * 60)
    else:
        span = (high - low) or 1.0
        axes.set_xlim(low - 0.03 * span, high + 0.42 * span)
        axes.axvline(0, color=look.muted, linewidth=0.8)
    for row, (_, first, second, told) in enumerate(rows):
        most = max(first, second, 0.0 if not chart["is_log"] else _LOG_FLOOR)
        at = most * 1.25 if chart["is_log"] else most + 0.02 * ((high - low) or 1.0)
        axes.text(at, row, told, va="center", size=8.5, color=look.ink)
    make_bare(axes, look)
    axes.set_yticks(range(len(rows)), [shortened(label) for label, *_ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(chart["axis"], color=look.muted, size=9)
    for x, color, text in (
        (0.05, look.pale, chart["legend"][0]),
        (0.42, look.gain, chart["legend"][1]),
    ):
        figure.text(x, 0.842, "■", size=11, color=color, va="center")
        figure.text(x + 0.035, 0.842, text, size=9, color=look.ink, va="center")
    return png_of(figure)


def draw_funnel(chart: Given, look: Look) -> bytes:
    """Draw counts as centred bars, each as wide as its share of the first."""
    stages = chart["stages"]
    figure = make_hinted(look, chart)
    axes = figure.add_axes((0.05, 0.03, 0.9, 0.8))
    first = max(1, stages[0][1])
    for row, (label, count, lost) in enumerate(stages):
        share = count / first
        # Below a fortieth of the width a bar could not be seen; its number says what it is.
        width = max(share, 0.025)
        shade = 0.35 + 0.65 * (row + 1) / len(stages)
        axes.barh(row, width, left=-width / 2, height=0.5, color=look.gain, alpha=shade)
        axes.text(-0.5, row - 0.36, label, size=11, weight="bold", color=look.ink, va="center")
        told = f"{count:,}" if row == 0 else f"{count:,}  ({100 * share:.1f}%)"
        axes.text(0.5, row - 0.36, told, size=11, color=look.ink, va="center", ha="right")
        if lost:
            axes.text(0, row + 0.36, lost, size=8.5, color=look.muted, va="center", ha="center")
    axes.set_xlim(-0.52, 0.52)
    axes.set_ylim(len(stages) - 0.4, -0.7)
    axes.axis("off")
    return png_of(figure)
