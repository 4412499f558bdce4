"""Axes of time."""

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from engine.domain.units import NS_PER_S

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def bounds_of(
    start: dt.datetime, end: dt.datetime, moments: list[dt.datetime]
) -> tuple[dt.datetime, dt.datetime]:
    """Return where the axis of time begins and ends."""
    # Trades that are dated ahead are from before the clock was set back.
    end = max(end, moments[-1])
    # A curve that fills a corner of a long, empty time says nothing: begin where trading began.
    return max(start, moments[0] - (end - moments[0]) * 0.05), end


def form_of(span: dt.timedelta) -> str:
    """Return how times on an axis are written, whole on every tick: seconds are no minutes."""
    if span < dt.timedelta(minutes=15):
        return "%H:%M:%S"
    return "%H:%M" if span < dt.timedelta(days=1, hours=12) else "%m-%d %H:%M"


def moment_of(at_ns: int, zone: ZoneInfo) -> dt.datetime:
    """Return an instant in a time zone."""
    return dt.datetime.fromtimestamp(at_ns / NS_PER_S, tz=zone)


def set_times(axes: "Axes", zone: ZoneInfo, span: dt.timedelta) -> None:
    """Write times below a diagram."""
    from matplotlib import dates  # noqa: PLC0415 - only the drawing process pays for it

    locator = dates.AutoDateLocator(tz=zone, maxticks=5)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = dates.DateFormatter(form_of(span), tz=zone)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
