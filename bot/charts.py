"""Draw charts in a process of its own that ends at once.

The plotting library costs tens of megabytes and most of a second to import; the bot's process
never pays that, and a hanging or failing drawing cannot hold it up.
"""

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.answer import Chart, Picture, Theme
from bot.render.words import usd, zone_name

DRAW_S_MAX: Final = 45.0
"""Longest wait; the first drawing on a machine also builds the library's font cache."""

POINTS_MAX: Final = 2000
"""Points in a picture; of more, evenly spaced ones and the last are drawn."""

_ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE_BYTES_MAX: Final = 5_000_000
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


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
        async with self._drawing:
            try:
                return await _draw(
                    _encode(chart, theme or self.theme), _environment(self.cache_directory)
                )
            except OSError as error:
                raise ChartError(f"the drawing process did not start: {error}") from error


async def _draw(chart: bytes, environment: dict[str, str]) -> bytes:
    drawing = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.draw_chart",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=_ROOT,
    )
    try:
        async with asyncio.timeout(DRAW_S_MAX):
            picture, errors = await drawing.communicate(chart)
    except TimeoutError:
        raise ChartError(f"the drawing took longer than {DRAW_S_MAX:g} s") from None
    finally:
        if drawing.returncode is None:
            drawing.kill()
            await drawing.wait()
    if drawing.returncode != 0 or not picture:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise ChartError(f"the drawing ended with code {drawing.returncode}: {last[0]}")
    if len(picture) > PICTURE_BYTES_MAX:
        raise ChartError(f"the picture has {len(picture)} bytes, at most {PICTURE_BYTES_MAX} go")
    return picture


def _environment(cache_directory: Path | None) -> dict[str, str]:
    # The drawing process needs no secret, so it gets none.
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    if cache_directory is not None:
        kept["MPLCONFIGDIR"] = str(cache_directory)
    return kept


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
