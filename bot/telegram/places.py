"""Screens that follow one another in one message: pages, the way back, and how to look again.

`s:<page>:<line>` is a screen that replaces the one it was tapped on; the place where one came from
may follow on a line of its own, as far as there is room.
"""

from dataclasses import dataclass, replace
from typing import Final

from bot.answer import Answer, Button
from bot.dispatch import Invocation, read_line
from bot.render import words
from bot.render.pages import Page, make_pages

PAYLOAD_BYTES_MAX: Final = 64
"""Longest callback data that Telegram takes."""

_KIND: Final = "s"
BACK: Final = "‹ Back"
REFRESH: Final = "Refresh"


@dataclass(frozen=True, slots=True)
class Spot:
    """One page of one screen."""

    page: int
    line: str

    def write(self) -> str:
        """Return it as it stands in callback data."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands among the screens.

    Attributes:
        spot: what is shown.
        origin: from where a person came here; None for the screen above it in the table.
    """

    spot: Spot
    origin: Spot | None = None

    def write(self) -> str | None:
        """Return the callback data that leads here, None where Telegram takes none so long."""
        short = f"{_KIND}:{self.spot.write()}"
        whole = short if self.origin is None else f"{short}\n{self.origin.write()}"
        for payload in (whole, short):
            if len(payload.encode()) <= PAYLOAD_BYTES_MAX:
                return payload
        return None


def read_place(payload: str) -> Place | None:
    """Parse callback data, None where it leads to no screen."""
    kind, _, rest = payload.partition(":")
    there, _, origin = rest.partition("\n")
    spot = _read_spot(there)
    return Place(spot, _read_spot(origin)) if kind == _KIND and spot is not None else None


def _read_spot(text: str) -> Spot | None:
    page, _, line = text.partition(":")
    is_spot = page.isascii() and page.isdigit() and len(page) <= 3 and line  # noqa: PLR2004
    return Spot(int(page), line) if is_spot else None


@dataclass(frozen=True, slots=True)
class Key:
    """A button with the callback data that it sends."""

    label: str
    payload: str
    is_alarming: bool = False


@dataclass(frozen=True, slots=True)
class ShownPage:
    """One page of an answer, with the buttons that stand under it."""

    answer: Answer
    keys: tuple[tuple[Key, ...], ...]


def show_page(answer: Answer, *, place: Place, parent: str, now_ns: int) -> ShownPage:
    """Return the page of an answer that stands at a place.

    Args:
        answer: the whole screen.
        place: where it stands; a page beyond the last is the last.
        parent: command whose screen is above; empty for the first screen.
        now_ns: what the small print says of when it was so.
    """
    screen = answer.screen
    at = words.clock(now_ns)
    screen = replace(screen, note=f"{at}, {screen.note}" if screen.note else at)
    pages = make_pages(screen)
    number = max(1, min(place.spot.page, len(pages)))
    page: Page = pages[number - 1]
    here = Spot(number, place.spot.line)
    rows = [
        tuple(
            key
            for button in row
            if not button.key or button.key in page.keys
            if (key := _key(button, here)) is not None
        )
        for row in answer.buttons
    ]
    paging = tuple(
        Key(label, payload)
        for label, to in (
            (f"‹ {number - 1}/{len(pages)}", number - 1),
            (f"{number + 1}/{len(pages)} ›", number + 1),
        )
        if 1 <= to <= len(pages)
        if (payload := Place(Spot(to, here.line), place.origin).write()) is not None
    )
    back = place.origin or (Spot(1, f"/{parent}") if parent else None)
    ways = (
        (BACK, None if back is None else Place(back).write()),
        (REFRESH, Place(here, place.origin).write()),
    )
    around = tuple(Key(label, payload) for label, payload in ways if payload is not None)
    shown = tuple(row for row in (*rows, paging, around) if row)
    return ShownPage(replace(answer, screen=page.screen), shown)


def _key(button: Button, here: Spot) -> Key | None:
    """Return a button under a screen: what only shows replaces it, all else is a new message."""
    asked = read_line(button.line)
    if isinstance(asked, Invocation) and asked.is_screen:
        payload = Place(Spot(1, button.line), here).write()
        return None if payload is None else Key(button.label, payload)
    return Key(button.label, f"m:{button.line}", button.is_alarming)
