"""Drawing of figures over one time, one panel below the other."""

from typing import Any
from zoneinfo import ZoneInfo

from bot.chart_look import Given, Look, make_bare, make_hinted, png_of
from bot.chart_times import moment_of, set_times

_TOP, _BOTTOM, _GAP = 0.81, 0.08, 0.07


def draw_panels(chart: Given, look: Look) -> bytes:
    """Draw each figure as steps: it holds until it was learned anew."""
    zone = ZoneInfo(chart["zone"])
    figure = make_hinted(look, chart)
    instants = [at_ns for _, points in chart["panels"] for at_ns, _ in points]
    start = moment_of(min(instants), zone)
    end = moment_of(max(chart["until_ns"], *instants), zone)
    height = (_TOP - _BOTTOM + _GAP) / len(chart["panels"]) - _GAP
    for row, (label, points) in enumerate(chart["panels"]):
        bottom = _TOP - height - row * (height + _GAP)
        axes: Any = figure.add_axes((0.15, bottom, 0.81, height))
        moments = [*(moment_of(at_ns, zone) for at_ns, _ in points), end]
        values = [value for _, value in points]
        axes.step(moments, [*values, values[-1]], where="post", color=look.gain, linewidth=2)
        axes.plot(moments[:-1], values, "o", color=look.gain, markersize=3)
        axes.set_title(label, size=10, color=look.ink, loc="left")
        make_bare(axes, look, size=8)
        if end > start:
            axes.set_xlim(start, end)
        set_times(axes, zone, end - start)
        if row + 1 < len(chart["panels"]):
            axes.set_xticklabels([])
    figure.text(0.96, 0.02, chart["zone"], size=9, color=look.muted, ha="right")
    return png_of(figure)
