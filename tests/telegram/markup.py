"""What Telegram's HTML parse mode accepts, and how it says no.

Written from the Bot API's page on formatting: a small set of tags, properly nested and closed,
named entities lt gt amp quot and numeric ones; anything else is a 400.
"""

import html
import re
from dataclasses import dataclass

_TAGS = frozenset(
    (
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "a",
        "code",
        "pre",
        "blockquote",
        "tg-spoiler",
        "span",
        "tg-emoji",
    )
)
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|lt|gt|amp|quot);")
_START = re.compile(r"<([A-Za-z][A-Za-z0-9-]*)((?:\s+[a-zA-Z-]+(?:=(?:\"[^\"]*\"|'[^']*'))?)*)\s*>")
_END = re.compile(r"</([A-Za-z][A-Za-z0-9-]*)\s*>")


class MarkupError(Exception):
    """The text cannot be parsed; the message is Telegram's."""


@dataclass(frozen=True)
class Span:
    """A piece of text in one style."""

    kind: str
    offset: int
    length: int


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_html(text: str) -> tuple[str, list[Span]]:
    """Return the visible text and its spans, or raise as Telegram would answer."""
    visible: list[str] = []
    length = 0
    spans: list[Span] = []
    open_tags: list[tuple[str, int]] = []
    position = 0
    while position < len(text):
        char = text[position]
        at_byte = len(text[:position].encode("utf-8", "surrogatepass"))
        if char == "<":
            if end := _END.match(text, position):
                name = end.group(1).lower()
                if not open_tags:
                    raise MarkupError(f'Unexpected end tag at byte offset {at_byte}: "{name}"')
                expected, since = open_tags.pop()
                if name != expected:
                    raise MarkupError(
                        f"Unmatched end tag at byte offset {at_byte},"
                        f' expected "</{expected}>", found "</{name}>"'
                    )
                spans.append(Span(expected, since, length - since))
                position = end.end()
                continue
            start = _START.match(text, position)
            if start is None:
                raise MarkupError(f"Unclosed start tag at byte offset {at_byte}")
            name = start.group(1).lower()
            if name not in _TAGS:
                raise MarkupError(f'Unsupported start tag "{name}" at byte offset {at_byte}')
            open_tags.append((name, length))
            position = start.end()
            continue
        if char == "&" and (entity := _ENTITY.match(text, position)):
            piece = html.unescape(entity.group(0))
            position = entity.end()
        else:
            piece = char
            position += 1
        visible.append(piece)
        length += units(piece)
    if open_tags:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return "".join(visible), spans
