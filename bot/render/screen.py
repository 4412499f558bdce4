"""A screen: what a command answers, before anyone decides how it is written.

The chat writes it as Telegram HTML (`html.py`), the terminal as plain text (`plain.py`).
"""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import zip_longest

from bot.render.clean import short_tokens, shown

WIDTH = 36
"""Characters of monospace that fit a narrow phone in one row."""

_GAP = 1
_COLUMN_MIN = 3


class Mark(StrEnum):
    """How a title looks at a glance; drawn by every font."""

    NONE = ""
    GOOD = "✔ "
    WARN = "⚠ "
    BAD = "✖ "


@dataclass(frozen=True, slots=True)
class Text:
    """A line of prose."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value, one pair per row, in monospace; a long value goes on in the next rows."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns in monospace; the first is text, the others are figures and stand right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Ready lines in monospace; one that begins with a blank belongs to the line before it.

    Attributes:
        keys: of the entries, in their order, where buttons belong to them.
    """

    lines: tuple[str, ...]
    keys: tuple[str, ...] = ()


Block = Text | Facts | Table | Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Title, blocks, and the small print that says where the figures come from."""

    title: str
    blocks: tuple[Block, ...] = ()
    note: str = ""
    mark: Mark = Mark.NONE


def brief(screen: Screen) -> Screen:
    """Return the beginning of a screen, to stand below a picture that shows the rest."""
    return replace(screen, blocks=screen.blocks[:1])


def monospace_rows(block: Facts | Table | Lines) -> list[str]:
    """Lay a block out in rows of at most `WIDTH` characters."""
    if isinstance(block, Facts):
        return _facts_rows(block)
    if isinstance(block, Table):
        return _table_rows(block)
    return [_clip(short_tokens(line.rstrip()), WIDTH) for line in block.lines]


def wrapped(lines: Iterable[str], *, keys: tuple[str, ...] = ()) -> Lines:
    """Return lines of which each that is too long goes on in the next row."""
    rows: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip(" ")))
        rows += textwrap.wrap(
            shown(line),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
        )
    return Lines(tuple(rows), keys)


def _facts_rows(block: Facts) -> list[str]:
    rows = [(shown(label, limit=WIDTH), shown(value)) for label, value in block.rows]
    label_width = min(max((len(label) for label, _ in rows), default=0), WIDTH // 2)
    value_width = WIDTH - label_width - _GAP
    return [
        f"{part_of_label:<{label_width}} {part}".rstrip()
        for label, value in rows
        for part_of_label, part in zip_longest(
            [_clip(label, label_width)],
            textwrap.wrap(value, value_width, break_on_hyphens=False) or [""],
            fillvalue="",
        )
    ]


def _table_rows(block: Table) -> list[str]:
    grid = [tuple(shown(cell, limit=WIDTH) for cell in row) for row in (block.header, *block.rows)]
    widths = [max(len(row[column]) for row in grid) for column in range(len(block.header))]
    while sum(widths) + _GAP * (len(widths) - 1) > WIDTH and max(widths) > _COLUMN_MIN:
        widths[widths.index(max(widths))] -= 1
    rows = []
    for row in grid:
        first, *others = row
        cells = [f"{_clip(first, widths[0]):<{widths[0]}}"]
        cells += [
            f"{_clip(cell, width):>{width}}" for cell, width in zip(others, widths[1:], strict=True)
        ]
        rows.append(_cut((" " * _GAP).join(cells).rstrip(), WIDTH))
    return rows


def _clip(text: str, width: int) -> str:
    # Lines keep their leading blanks, which `clean` would fold.
    indent = len(text) - len(text.lstrip(" "))
    return _cut(" " * indent + shown(text), width)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
