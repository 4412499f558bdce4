"""Draw one chart: JSON on standard input, PNG on standard output. Run by `bot.charts` only."""

import datetime as dt
import io
import json
import sys
from typing import Any

_NS_PER_S = 1_000_000_000
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

    moments = [_moment(at_ns) for at_ns, _ in chart["points"]]
    totals = [value for _, value in chart["points"]]
    changes = [total - before for total, before in zip(totals, [0.0, *totals], strict=False)]
    start, end = _moment(chart["since_ns"]), _moment(chart["until_ns"])
    # A curve that fills a corner of a long, empty time says nothing: begin where trading began.
    left = max(start, moments[0] - (end - moments[0]) * 0.05)
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
    locator = dates.AutoDateLocator(maxticks=5)  # type: ignore[no-untyped-call]
    lower.xaxis.set_major_locator(locator)
    formatter = dates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    lower.xaxis.set_major_formatter(formatter)
    lower.set_xlabel("UTC", color=_MUTED, size=9)
    for axes in (upper, lower):
        axes.grid(color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=_MUTED, labelsize=9, length=0)
        for side in ("top", "right", "left", "bottom"):
            axes.spines[side].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _moment(at_ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ns / _NS_PER_S, tz=dt.UTC)


def main() -> None:
    """Read, draw, write."""
    sys.stdout.buffer.write(draw(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
