"""How pictures look: colours in light and dark, and what all of them have in common."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Given = dict[str, Any]
"""A picture as it is handed to the drawing process."""

_INCHES = (5.4, 6.75)
_DPI = 200
LABEL_CHARS_MAX = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colours."""

    paper: str
    ink: str
    muted: str
    grid: str
    gain: str
    loss: str
    pale: str
    map: str
    map_alpha: float


LIGHT = Look(
    paper="#ffffff",
    ink="#16202c",
    muted="#5d6b7a",
    grid="#dde3ea",
    gain="#1d8f5a",
    loss="#c0392b",
    pale="#b4c3d1",
    map="RdYlGn",
    map_alpha=0.8,
)
DARK = Look(
    paper="#17212b",
    ink="#f2f5f8",
    muted="#93a4b5",
    grid="#2b3947",
    gain="#4cc38a",
    loss="#ff7a6b",
    pale="#4a6076",
    map="RdYlGn",
    map_alpha=0.5,
)
LOOKS = {"light": LIGHT, "dark": DARK}


def make_figure(look: Look) -> "Figure":
    """Return an empty picture of 1080 by 1350 pixels."""
    import matplotlib as mpl  # noqa: PLC0415 - only the drawing process pays for it

    mpl.use("Agg")
    from matplotlib.figure import Figure  # noqa: PLC0415

    return Figure(figsize=_INCHES, dpi=_DPI, facecolor=look.paper)


def write_head(
    figure: "Figure",
    look: Look,
    *lines: tuple[float, str, float, str],
) -> None:
    """Write lines above a picture: height, text, size and colour; what is muted is not bold."""
    for y, text, size, color in lines:
        weight = "normal" if color == look.muted else "bold"
        figure.text(0.05, y, text, size=size, weight=weight, color=color, va="center")


def make_pair(
    look: Look, given: Given, *, heights: tuple[int, int], top: float, note: str, color: str
) -> tuple[Any, Any, Any]:
    """Return a picture with its head and its sum, and two diagrams in it over the same time."""
    figure = make_figure(look)
    upper, lower = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": heights, "hspace": 0.1}
    )
    figure.subplots_adjust(left=0.15, right=0.96, top=top, bottom=0.11)
    write_head(
        figure,
        look,
        (0.955, given["title"], 15, look.ink),
        (0.912, note, 8.5, look.muted),
        (0.866, given["total"], 20, color),
    )
    figure.text(0.96, 0.866, given["caption"], size=10, color=look.muted, va="center", ha="right")
    return figure, upper, lower


def label_pair(upper: "Axes", lower: "Axes", look: Look, *, of_lower: str, zone: str) -> None:
    """Name the axes of such a picture, and leave only the grids."""
    upper.set_ylabel("cumulative USD", color=look.muted, size=9)
    lower.set_ylabel(of_lower, color=look.muted, size=9)
    lower.set_xlabel(zone, color=look.muted, size=9)
    for axes in (upper, lower):
        axes.axhline(0, color=look.muted, linewidth=0.8)
        make_bare(axes, look)


def make_hinted(look: Look, given: Given) -> "Figure":
    """Return a picture with its title, what it is made of, and how it is read."""
    figure = make_figure(look)
    write_head(
        figure,
        look,
        (0.955, given["title"], 15, look.ink),
        (0.912, given["basis_note"], 8.5, look.muted),
        (0.875, given["hint"], 8.5, look.muted),
    )
    return figure


def make_bare(axes: "Axes", look: Look, *, size: float = 9) -> None:
    """Leave only the grid of a diagram."""
    axes.set_facecolor(look.paper)
    axes.grid(color=look.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=look.muted, labelsize=size, length=0)
    bare_frame(axes)


def bare_frame(axes: "Axes") -> None:
    """Leave out the frame of a diagram."""
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)


def png_of(figure: "Figure") -> bytes:
    """Return a picture as a PNG."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", facecolor=figure.get_facecolor())
    return picture.getvalue()


def shortened(label: str, *, limit: int = LABEL_CHARS_MAX) -> str:
    """Return a label of at most so many characters a line."""
    return "\n".join(
        line if len(line) <= limit else f"{line[: limit - 1]}…" for line in label.split("\n")
    )
