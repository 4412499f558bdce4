"""Draw a phone screen from the emulator's record: header, bubbles, buttons, pictures.

`python -m tests.telegram.picture RECORD.json PICTURE.png` draws the end of a recorded chat.
"""

import base64
import datetime as dt
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from tests.telegram.markup import Span

SCALE = 3
WIDTH, HEIGHT = 390, 844
_MARGIN, _PAD, _RADIUS, _GAP = 8, 10, 14, 7
_HEADER, _FOOTER, _STATUS = 56, 52, 26
_BUBBLE_MAX = 336
_BUTTON = 34
_LABEL_PAD = 6
_TEXT_SIZE, _MONO_SIZE, _SMALL_SIZE = 14.5, 12.6, 11
_FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"


@dataclass(frozen=True)
class Palette:
    """Colours of a chat."""

    wall: str
    bar: str
    line: str
    bot: str
    own: str
    ink: str
    muted: str
    accent: str
    danger: str
    success: str
    key: str
    field: str


LIGHT = Palette(
    wall="#cfdbe6",
    bar="#ffffff",
    line="#dde3ea",
    bot="#ffffff",
    own="#e3f6d3",
    ink="#16202c",
    muted="#7b8794",
    accent="#2a7ab8",
    danger="#c0392b",
    success="#1d8f5a",
    key="#eef4f9",
    field="#f1f4f7",
)
DARK = Palette(
    wall="#0e1621",
    bar="#17212b",
    line="#0b1118",
    bot="#182533",
    own="#2b5278",
    ink="#f2f5f8",
    muted="#7f91a4",
    accent="#6ab3f3",
    danger="#b3392c",
    success="#22805a",
    key="#20303f",
    field="#242f3d",
)
PALETTES = {"light": LIGHT, "dark": DARK}


@dataclass(frozen=True)
class Piece:
    """A run of text in one font."""

    text: str
    style: str


class Phone:
    """Draws one screen, newest message at the bottom."""

    def __init__(
        self,
        record: dict[str, Any],
        *,
        last: int | None = None,
        palette: Palette = LIGHT,
        height: int = HEIGHT,
    ) -> None:
        self._c = palette
        self.height = height
        messages = record["messages"]
        self._messages = messages if last is None else messages[-last:]
        self._name = record["bot"]["first_name"]
        self._fonts: dict[tuple[str, float], ImageFont.FreeTypeFont] = {}
        self._image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), palette.wall)
        self._draw = ImageDraw.Draw(self._image)

    def picture(self) -> Image.Image:
        """Return the finished screen."""
        bottom: float = self.height - _FOOTER - _GAP
        for message in reversed(self._messages):
            height = self._height(message)
            bottom -= height
            self._message(message, top=bottom)
            bottom -= _GAP
            if bottom < _HEADER + _STATUS:
                break
        self._header()
        self._footer()
        return self._image

    # --- messages ------------------------------------------------------------------------

    def content_height(self) -> int:
        """Return how high a screen must be that shows all messages."""
        shown = sum(self._height(message) + _GAP for message in self._messages)
        return int(_HEADER + _STATUS + _FOOTER + 2 * _GAP + shown) + 1

    def overlong_labels(self) -> list[str]:
        """Return the labels of buttons that do not fit into them."""
        return [
            button["text"]
            for message in self._messages
            for row in message["buttons"]
            for button in row
            if self._measure(Piece(button["text"], "b"))
            > (_BUBBLE_MAX - 4 * (len(row) - 1)) / len(row) - _LABEL_PAD
        ]

    def _message(self, message: dict[str, Any], *, top: float) -> None:
        rows = self._rows(message)
        width = self._width(message, rows)
        left = _MARGIN if message["is_bot"] else WIDTH - _MARGIN - width
        bubble = self._bubble_height(message, rows)
        self._box(left, top, width, bubble, fill=self._c.bot if message["is_bot"] else self._c.own)
        y = top + _PAD
        if message["photo"]:
            picture = self._photo(message, width)
            self._image.paste(picture, (int(left * SCALE), int(top * SCALE)), _rounded(picture))
            y = top + picture.height / SCALE + _PAD
        if message["document"]:
            y = self._document(message["document"], left + _PAD, y)
        for row in rows:
            x = left + _PAD
            for piece in row:
                self._text(x, y, piece.text, piece.style)
                x += self._measure(piece)
            y += _line_height(row)
        clock = _clock(message)
        clock_width = self._measure(Piece(clock, "small"))
        at = (left + width - _PAD - clock_width, top + bubble - 17)
        self._text(*at, clock, "small", self._c.muted)
        self._buttons(message, left, top + bubble + 4, width)

    def _buttons(self, message: dict[str, Any], left: float, top: float, width: float) -> None:
        for row in message["buttons"]:
            each = (width - 4 * (len(row) - 1)) / len(row)
            for index, button in enumerate(row):
                x = left + index * (each + 4)
                styled = {"danger": self._c.danger, "success": self._c.success}
                color = styled.get(button["style"] or "", self._c.accent)
                is_plain = color == self._c.accent
                self._box(
                    x, top, each, _BUTTON - 4, fill=self._c.key if is_plain else color, radius=9
                )
                label = Piece(button["text"], "b")
                self._text(
                    x + (each - self._measure(label)) / 2,
                    top + 6,
                    button["text"],
                    "b",
                    color if is_plain else "#ffffff",
                )
            top += _BUTTON

    def _document(self, document: dict[str, Any], x: float, y: float) -> float:
        self._draw.ellipse(_scaled(x, y, x + 36, y + 36), fill=self._c.accent)
        self._text(x + 12, y + 8, "▼", "b", "#ffffff")
        self._text(x + 46, y + 1, document["name"], "b", self._c.accent)
        self._text(x + 46, y + 19, f"{document['bytes']:,} bytes", "small", self._c.muted)
        return y + 44

    # --- measures ------------------------------------------------------------------------

    def _height(self, message: dict[str, Any]) -> float:
        buttons = _BUTTON * len(message["buttons"])
        return self._bubble_height(message, self._rows(message)) + (buttons + 4 if buttons else 0)

    def _bubble_height(self, message: dict[str, Any], rows: list[list[Piece]]) -> float:
        height = 2 * _PAD + sum(_line_height(row) for row in rows)
        last = sum(self._measure(piece) for piece in rows[-1]) if rows else 0
        clock = self._measure(Piece(_clock(message), "small")) + 10
        if last + clock > self._width(message, rows) - 2 * _PAD:
            height += 13
        if message["photo"]:
            height += self._photo(message, self._width(message, rows)).height / SCALE
        return height + (44 if message["document"] else 0)

    def _width(self, message: dict[str, Any], rows: list[list[Piece]]) -> float:
        if message["photo"] or len(message["buttons"]) > 0:
            return _BUBBLE_MAX
        clock = self._measure(Piece(_clock(message), "small")) + 10
        widths = [sum(self._measure(piece) for piece in row) for row in rows] or [0]
        limit = _BUBBLE_MAX - 2 * _PAD
        width = max([*widths, widths[-1] + clock if widths[-1] + clock <= limit else 0])
        if message["document"]:
            width = max(width, 200)
        return min(_BUBBLE_MAX, width + 2 * _PAD)

    def _photo(self, message: dict[str, Any], width: float) -> Image.Image:
        picture = Image.open(io.BytesIO(base64.b64decode(message["photo"]))).convert("RGB")
        size = (int(width * SCALE), int(width * SCALE * picture.height / picture.width))
        return picture.resize(size, Image.Resampling.LANCZOS)

    def _rows(self, message: dict[str, Any]) -> list[list[Piece]]:
        rows: list[list[Piece]] = []
        for line in _styled_lines(message["text"], message["spans"]):
            rows += self.wrapped(line)
        return rows

    def wrapped(self, line: list[Piece]) -> list[list[Piece]]:
        """Break a line between words, as a phone does."""
        limit = _BUBBLE_MAX - 2 * _PAD
        rows: list[list[Piece]] = [[]]
        used = 0.0
        for piece in line:
            for word in _words(piece):
                size = self._measure(word)
                if used and used + size > limit:
                    rows.append([])
                    used = 0.0
                    if not word.text.strip():
                        continue
                rows[-1].append(word)
                used += size
        return rows

    def _measure(self, piece: Piece) -> float:
        return self._font(piece.style).getlength(piece.text) / SCALE

    # --- drawing -------------------------------------------------------------------------

    def _header(self) -> None:
        self._draw.rectangle(_scaled(0, 0, WIDTH, _HEADER + _STATUS), fill=self._c.bar)
        self._text(22, 7, "9:41", "b")
        self._draw.rounded_rectangle(
            _scaled(WIDTH - 44, 10, WIDTH - 20, 21), 3 * SCALE, outline=self._c.ink, width=SCALE
        )
        self._draw.rectangle(_scaled(WIDTH - 42, 12, WIDTH - 27, 19), fill=self._c.ink)
        top = _STATUS
        self._text(14, top + 12, "<", "title", self._c.accent)
        self._draw.ellipse(_scaled(38, top + 8, 76, top + 46), fill=self._c.accent)
        self._text(50, top + 14, self._name[0], "title", "#ffffff")
        self._text(88, top + 9, self._name, "b")
        self._text(88, top + 28, "bot", "small", self._c.muted)
        self._draw.line(
            _scaled(0, _HEADER + _STATUS, WIDTH, _HEADER + _STATUS), fill=self._c.line, width=SCALE
        )

    def _footer(self) -> None:
        top = self.height - _FOOTER
        self._draw.rectangle(_scaled(0, top, WIDTH, self.height), fill=self._c.bar)
        self._draw.line(_scaled(0, top, WIDTH, top), fill=self._c.line, width=SCALE)
        self._box(10, top + 9, 66, 32, fill=self._c.accent, radius=16)
        self._text(22, top + 15, "Menu", "b", "#ffffff")
        self._box(84, top + 9, WIDTH - 94, 32, fill=self._c.field, radius=16)
        self._text(98, top + 15, "Message", "text", self._c.muted)

    def _box(
        self, x: float, y: float, width: float, height: float, *, fill: str, radius: int = _RADIUS
    ) -> None:
        self._draw.rounded_rectangle(_scaled(x, y, x + width, y + height), radius * SCALE, fill)

    def _text(self, x: float, y: float, text: str, style: str, color: str = "") -> None:
        fill = color or self._c.ink
        self._draw.text((x * SCALE, y * SCALE), text, font=self._font(style), fill=fill)

    def _font(self, style: str) -> ImageFont.FreeTypeFont:
        name, size = {
            "b": ("DejaVuSans-Bold.ttf", _TEXT_SIZE),
            "i": ("DejaVuSans-Oblique.ttf", _TEXT_SIZE - 1.5),
            "pre": ("DejaVuSansMono.ttf", _MONO_SIZE),
            "small": ("DejaVuSans.ttf", _SMALL_SIZE),
            "title": ("DejaVuSans-Bold.ttf", 20),
        }.get(style, ("DejaVuSans.ttf", _TEXT_SIZE))
        key = (name, size)
        if key not in self._fonts:
            self._fonts[key] = ImageFont.truetype(str(_FONTS / name), size * SCALE)
        return self._fonts[key]


def bubble_rows(text: str, spans: list[Span]) -> int:
    """Return how many rows a phone makes of a message."""
    phone = Phone({"messages": [], "bot": {"first_name": "S"}})
    kinds = [[span.kind, span.offset, span.length] for span in spans]
    return sum(len(phone.wrapped(line)) for line in _styled_lines(text, kinds))


def _styled_lines(text: str, spans: list[list[Any]]) -> list[list[Piece]]:
    """Split a text with UTF-16 spans into lines of pieces."""
    lines: list[list[Piece]] = [[]]
    offset = 0
    for char in text:
        style = "text"
        for kind, start, length in spans:
            if start <= offset < start + length:
                style = kind
        offset += len(char.encode("utf-16-le")) // 2
        if char == "\n":
            lines.append([])
        elif lines[-1] and lines[-1][-1].style == style:
            lines[-1][-1] = Piece(lines[-1][-1].text + char, style)
        else:
            lines[-1].append(Piece(char, style))
    return lines


def _words(piece: Piece) -> list[Piece]:
    if piece.style == "pre":
        return [piece]
    parts = piece.text.replace(" ", " \0").split("\0")
    return [Piece(part, piece.style) for part in parts if part]


def _line_height(row: list[Piece]) -> float:
    return 17 if row and row[0].style == "pre" else 19


def _clock(message: dict[str, Any]) -> str:
    at = dt.datetime.fromtimestamp(message["date"], tz=dt.UTC).strftime("%H:%M")
    return f"edited {at}" if message["edits"] else at


def _rounded(picture: Image.Image) -> Image.Image:
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *picture.size), _RADIUS * SCALE, fill=255)
    return mask


def _scaled(*values: float) -> tuple[int, ...]:
    return tuple(int(value * SCALE) for value in values)


def main() -> None:
    """Draw the end of a recorded chat."""
    record_path, picture_path = sys.argv[1:3]
    record = json.loads(Path(record_path).read_text(encoding="utf-8"))
    Phone(record).picture().save(picture_path, optimize=True)


if __name__ == "__main__":
    main()
