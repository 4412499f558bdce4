"""Draw charts, one at a time, apart from the chat's process."""

import asyncio
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.answer import Chart, Picture, Theme
from bot.apart import ApartError, run_apart
from bot.render.words import usd, zone_name

DRAW_S_MAX: Final = 45.0
"""Longest wait; the first drawing on a machine also builds the library's font cache."""

POINTS_MAX: Final = 2000
"""Points in a picture; of more, evenly spaced ones and the last are drawn."""

PICTURE_BYTES_MAX: Final = 5_000_000


class ChartError(Exception):
    """The picture could not be drawn; the text says why."""


@dataclass(slots=True)
class ChartDrawer:
    """Draws one chart at a time.

    Attributes:
        cache_directory: writable directory for the library's font cache; None leaves it to HOME.
        theme: of pictures for which none was asked.
    """

    cache_directory: Path | None
    theme: Theme = Theme.LIGHT
    _drawing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), init=False)

    async def draw(self, chart: Picture, theme: Theme | None = None) -> bytes:
        """Return the chart as a PNG in portrait.

        Raises:
            ChartError: the drawing process failed or took too long.
        """
        variables = {}
        if self.cache_directory is not None:
            variables["MPLCONFIGDIR"] = str(self.cache_directory)
        async with self._drawing:
            try:
                picture = await run_apart(
                    "bot.draw_chart",
                    _encode(chart, theme or self.theme),
                    s_max=DRAW_S_MAX,
                    variables=variables,
                )
            except ApartError as error:
                raise ChartError(f"the drawing failed: {error}") from error
        if len(picture) > PICTURE_BYTES_MAX:
            raise ChartError(
                f"the picture has {len(picture)} bytes, at most {PICTURE_BYTES_MAX} go"
            )
        return picture


def _encode(chart: Picture, theme: Theme) -> bytes:
    shown = _pnl(chart) if isinstance(chart, Chart) else asdict(chart)
    kind = type(chart).__name__.lower()
    return json.dumps({"kind": kind, "theme": theme, "zone": zone_name(), **shown}).encode()


def _pnl(chart: Chart) -> dict[str, Any]:
    points = chart.points
    total = usd(points[-1][1], is_signed=True)
    caption = f"{len(points)} trades"
    if len(points) > POINTS_MAX:
        step = -(-len(points) // POINTS_MAX)
        points = (*points[::step], points[-1])
    return {
        "title": chart.title,
        "total": total,
        "caption": caption,
        "note": chart.basis_note,
        "since_ns": chart.since_ns,
        "until_ns": chart.until_ns,
        "points": [(at_ns, float(value)) for at_ns, value in points],
    }
