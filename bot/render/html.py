"""Write a screen as Telegram HTML, in parts that Telegram accepts."""

import html
import re

from bot.render.clean import shown
from bot.render.screen import Screen, Text, monospace_rows

MESSAGE_UNITS_MAX = 4096
"""Longest message text, in UTF-16 units; counted here with its tags, to be on the safe side."""

CAPTION_UNITS_MAX = 1024
"""Longest caption of a photo or document."""

_LINE_LIMIT = 400
_PRE = ("<pre>", "</pre>")
_TAG = re.compile(r"</?[a-z]+>")


def write_html(
    screen: Screen, *, units_max: int = MESSAGE_UNITS_MAX, units_max_first: int | None = None
) -> list[str]:
    """Return the screen in parts of at most `units_max` UTF-16 units, each valid by itself.

    Args:
        screen: what to write.
        units_max: bound of each part.
        units_max_first: bound of the first part, where that is a caption.
    """
    parts: list[str] = []
    rows: list[tuple[str, bool]] = []
    for row in _rows(screen):
        bound = units_max_first if units_max_first is not None and not parts else units_max
        if rows and _units(_join([*rows, row])) > bound:
            parts.append(_join(rows))
            rows = []
        rows.append(row)
    parts.append(_join(rows))
    return parts


def plain_of(text: str) -> str:
    """Return what a reader sees of HTML written here; sent where markup was refused."""
    return html.unescape(_TAG.sub("", text))


def escape(text: str, *, limit: int = _LINE_LIMIT) -> str:
    """Clean and escape one line."""
    return html.escape(shown(text, limit=limit), quote=False)


def _rows(screen: Screen) -> list[tuple[str, bool]]:
    rows = [(f"<b>{escape(screen.mark + screen.title) or '·'}</b>", False)]
    for block in screen.blocks:
        if isinstance(block, Text):
            rows.append((escape(block.text), False))
        else:
            rows += [(html.escape(line, quote=False), True) for line in monospace_rows(block)]
    note = escape(screen.note)
    if note:
        rows.append((f"<i>{note}</i>", False))
    return rows


def _join(rows: list[tuple[str, bool]]) -> str:
    chunks: list[str] = []
    is_open = False
    for index, (row, is_monospace) in enumerate(rows):
        opening = ""
        if is_monospace and not is_open:
            opening = _PRE[0]
        elif is_open and not is_monospace:
            chunks.append(_PRE[1])
        chunks.append(("\n" if index else "") + opening + row)
        is_open = is_monospace
    return "".join(chunks) + (_PRE[1] if is_open else "")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
