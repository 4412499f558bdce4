"""Screens in pages: what stands on one of them fits a phone above the fold."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.render.clean import clean
from bot.render.screen import Block, Facts, Lines, Screen, Table, Text, monospace_rows

ROWS_MAX = 12
"""Rows of a page, its title and its small print among them."""

PROSE_WIDTH = 36
"""Characters of prose that surely fit one row of a narrow phone."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a screen.

    Attributes:
        keys: of the entries that stand on it.
    """

    screen: Screen
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is never torn apart: a piece of the block with this number, and its key if it has one.

    `leads` says that it belongs to what follows.
    """

    number: int
    block: Block
    key: str = ""
    leads: bool = False


def make_pages(screen: Screen) -> tuple[Page, ...]:
    """Return the pages of a screen, at least one; nothing is left out."""
    room = ROWS_MAX - _prose_rows(screen.mark + screen.title) - (1 if screen.note else 0)
    pages: list[list[_Piece]] = [[]]
    for chunk in _chunks(screen.blocks):
        if pages[-1] and _rows_of([*pages[-1], *chunk]) > room:
            pages.append([])
        pages[-1] += chunk
    return tuple(
        Page(
            replace(screen, blocks=tuple(_joined(pieces))),
            frozenset(piece.key for piece in pieces if piece.key),
        )
        for pieces in pages
    )


def _chunks(blocks: tuple[Block, ...]) -> Iterator[list[_Piece]]:
    """Yield pieces, those that lead together with what they lead to."""
    waiting: list[_Piece] = []
    for number, block in enumerate(blocks):
        for piece in _pieces(number, block):
            waiting.append(piece)
            if not piece.leads:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


def _pieces(number: int, block: Block) -> Iterator[_Piece]:
    match block:
        case Text():
            yield _Piece(number, block, leads=block.text.endswith(":"))
        case Facts():
            for fact in block.rows:
                yield _Piece(number, Facts((fact,)))
        case Table():
            for row in block.rows or ((),):
                yield _Piece(number, Table(block.header, (row,) if row else ()))
        case Lines():
            keys = iter(block.keys)
            for entry in _entries(block.lines):
                yield _Piece(number, Lines(entry), next(keys, ""))


def _entries(lines: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    entry: list[str] = []
    for line in lines:
        if entry and not line.startswith(" "):
            yield tuple(entry)
            entry = []
        entry.append(line)
    if entry:
        yield tuple(entry)


def _joined(pieces: list[_Piece]) -> Iterator[Block]:
    """Put pieces of the same block together again."""
    block: Block | None = None
    number = -1
    for piece in pieces:
        if block is not None and piece.number != number:
            yield block
            block = None
        number = piece.number
        block = piece.block if block is None else _both(block, piece.block)
    if block is not None:
        yield block


def _both(one: Block, other: Block) -> Block:
    match one, other:
        case Facts(), Facts():
            return Facts((*one.rows, *other.rows))
        case Table(), Table():
            return Table(one.header, (*one.rows, *other.rows))
        case Lines(), Lines():
            return Lines((*one.lines, *other.lines))
    raise AssertionError("pieces of one block are alike")


def _rows_of(pieces: list[_Piece]) -> int:
    return sum(
        _prose_rows(block.text) if isinstance(block, Text) else len(monospace_rows(block))
        for block in _joined(pieces)
    )


def _prose_rows(text: str) -> int:
    """Return how many rows a phone makes of a line, breaking it between words."""
    return len(textwrap.wrap(clean(text), PROSE_WIDTH)) or 1
