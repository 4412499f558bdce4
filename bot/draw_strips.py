"""Drawing of how several things stood over one time, a strip each."""

from typing import Any
from zoneinfo import ZoneInfo

from bot.chart_look import Given, Look, make_bare, make_hinted, png_of, shortened
from bot.chart_times import moment_of, set_times

_HEIGHT = 0.62


def draw_strips(chart: Given, look: Look) -> bytes:
    """Draw a strip for each row, from the top, with what it came to at its end."""
    zone = ZoneInfo(chart["zone"])
    figure = make_hinted(look, chart)
    start, end = moment_of(chart["since_ns"], zone), moment_of(chart["until_ns"], zone)
    colors = {"good": look.gain, "worse": look.pale, "bad": look.loss}
    axes: Any = figure.add_axes((0.30, 0.09, 0.54, 0.74))
    rows = chart["rows"]
    for row, (_, told, states) in enumerate(rows):
        ends = [at_ns for at_ns, _ in states[1:]] + [chart["until_ns"]]
        for (at_ns, state), end_ns in zip(states, ends, strict=True):
            left, right = moment_of(at_ns, zone), moment_of(end_ns, zone)
            # What lasted a minute of a day would be thinner than a line.
            width = max(right - left, (end - start) / 400) if state == "bad" else right - left
            if state in colors:
                axes.barh(row, width, left=left, height=_HEIGHT, color=colors[state])
            else:
                axes.barh(row, width, left=left, height=0.08, color=look.grid)
        axes.text(
            1.02,
            row,
            told,
            transform=axes.get_yaxis_transform(),
            va="center",
            size=8.5,
            color=look.ink,
        )
    axes.set_xlim(start, end)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    make_bare(axes, look, size=8)
    axes.set_yticks(range(len(rows)), [shortened(label) for label, _, _ in rows])
    axes.grid(axis="y", visible=False)
    set_times(axes, zone, end - start)
    figure.text(0.96, 0.02, chart["zone"], size=9, color=look.muted, ha="right")
    return png_of(figure)
