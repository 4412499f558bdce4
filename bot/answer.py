"""What a handler returns: a screen, and what goes with it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.render.screen import Screen
from engine.bus.command import Command
from engine.bus.reports import Acknowledged
from engine.bus.work_reports import WorkDone


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A command under a screen.

    Attributes:
        line: the command as a person would type it.
        is_alarming: drawn in red where the chat can.
        key: of the entry of a list that it belongs to; empty if it is of the whole screen.
    """

    label: str
    line: str
    is_alarming: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The second step of a command that lets the engine do more than it may now.

    Attributes:
        action: label of the confirming button, in the imperative.
        command: what is sent when it is confirmed in time, once.
    """

    action: str
    command: Command[Acknowledged] | Command[WorkDone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file for the operator."""

    file_name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Cumulative profit over time, to be drawn as a picture.

    Attributes:
        points: (closed_at_ns, cumulative USD), oldest first.
        basis_note: where the figures come from; written into the picture.
    """

    title: str
    since_ns: int
    until_ns: int
    points: tuple[tuple[int, Decimal], ...]
    basis_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """Figures by row and column, to be drawn as a picture.

    Attributes:
        name: of the file, where one is written.
        cells: by row and column: percent and what stands below it, or None.
        middle: percent that is neither good nor bad.
        decimals: of the percents shown.
        hint: says what the figures are.
    """

    name: str
    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[tuple[float, str] | None, ...], ...]
    middle: float
    decimals: int
    hint: str
    basis_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteMap:
    """Who quotes what, by place and pair, to be drawn as a picture.

    Attributes:
        name: of the file, where one is written.
        cells: by row and column: what stands there, how old it is, and in which state (fresh, old
            or stale), or None.
        hint: says what the figures are.
    """

    name: str
    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[tuple[str, str, str] | None, ...], ...]
    hint: str
    basis_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """Amounts from a first total by steps to a last one, to be drawn as a picture.

    Attributes:
        name: of the file, where one is written.
        bars: label, amount as told, and where the bar begins and ends; a total begins at 0.
        totals: numbers of the bars that are totals.
        result: the last total, as told.
        hint: says what the figures are.
    """

    name: str
    title: str
    bars: tuple[tuple[str, str, float, float], ...]
    totals: tuple[int, ...]
    result: str
    hint: str
    basis_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Equity:
    """Cumulative profit and, below it, how far it is from its peak, to be drawn as a picture.

    Attributes:
        points: (closed_at_ns, cumulative USD, USD below the peak), oldest first.
    """

    title: str
    points: tuple[tuple[int, float, float], ...]
    total: str
    caption: str
    basis_note: str
    name: str = "equity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Rows of two bars each, a pale one for what was expected, to be drawn as a picture.

    Attributes:
        rows: label, the two amounts, and how they are told.
        legend: what each of the two is.
        is_log: the axis is logarithmic: amounts lie orders of magnitude apart.
        is_signed: an amount below zero is bad.
    """

    name: str
    title: str
    rows: tuple[tuple[str, float, float, str], ...]
    legend: tuple[str, str]
    axis: str
    hint: str
    basis_note: str
    is_log: bool = False
    is_signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Counts that become fewer from stage to stage, to be drawn as a picture.

    Attributes:
        stages: label, count, and what was lost on the way to it.
    """

    title: str
    stages: tuple[tuple[str, int, str], ...]
    hint: str
    basis_note: str
    name: str = "funnel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """Figures over one time, each in a panel of its own, to be drawn as a picture.

    Attributes:
        panels: name of a figure with its newest value, and (at_ns, value), oldest first; each
            holds up to the next, the last one up to `until_ns`.
        hint: says what the figures are.
    """

    name: str
    title: str
    panels: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]
    until_ns: int
    hint: str
    basis_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """One figure against another, a point each, with the line where both are alike.

    Attributes:
        name: of the file, where one is written.
        points: the two figures, and whether it came to what it was to.
        axes: what the two are.
        result: in large letters, what all of it comes to.
        hint: says what the figures are, and how many.
    """

    name: str
    title: str
    points: tuple[tuple[float, float, bool], ...]
    axes: tuple[str, str]
    legend: tuple[str, str]
    result: str
    hint: str
    basis_note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strips:
    """How each of several things stood over one time, a strip each, to be drawn as a picture.

    Attributes:
        rows: label, what stands at its end, and (at_ns, state), oldest first; a state (good, worse,
            bad or unseen) holds up to the next, the last one up to `until_ns`.
        hint: says what the colours are.
    """

    name: str
    title: str
    rows: tuple[tuple[str, str, tuple[tuple[int, str], ...]], ...]
    since_ns: int
    until_ns: int
    hint: str
    basis_note: str


Picture = (
    Chart | Heatmap | QuoteMap | Waterfall | Equity | Bars | Funnel | Panels | Scatter | Strips
)


class Theme(StrEnum):
    """How pictures look."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A screen with its buttons, second step, picture or file.

    Attributes:
        theme: of the picture; None for that of the settings.
        nonce: of the second step that it offers (with `confirmation`) or settles (without).
        is_brief: a tap is told its title alone, since news of it comes by itself.
        is_final: what was asked was carried out or refused; else whoever it is for did not
            answer, and the same may be asked again.
    """

    screen: Screen
    buttons: tuple[tuple[Button, ...], ...] = ()
    confirmation: Confirmation | None = None
    nonce: str | None = None
    document: Document | None = None
    chart: Picture | None = None
    theme: Theme | None = None
    is_brief: bool = False
    is_final: bool = True
