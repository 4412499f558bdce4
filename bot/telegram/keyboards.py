"""Buttons and what their callback data says.

`m:<line>` is a command as typed: it can only show, protect, or lead to a second step.
`s:<page>:<line>` is a screen that replaces the one under which the button stands; see `places`.
`c:<nonce>:<y|n>` is a second step; the nonce is random and means nothing by itself.
"""

from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bot.answer import Button
from bot.dispatch import Invocation
from bot.session import Choice, read_button
from bot.telegram.places import PAYLOAD_BYTES_MAX, Key, read_place

_LABEL_LIMIT: Final = 32


def make_menu(rows: tuple[tuple[Button, ...], ...]) -> InlineKeyboardMarkup | None:
    """Return the buttons of a screen; one whose line is too long for Telegram is left out."""
    keyboard = [
        [
            InlineKeyboardButton(
                button.label[:_LABEL_LIMIT],
                callback_data=f"m:{button.line}",
                style=KeyboardButtonStyle.DANGER if button.is_alarming else None,
            )
            for button in row
            if len(f"m:{button.line}".encode()) <= PAYLOAD_BYTES_MAX
        ]
        for row in rows
    ]
    kept = [row for row in keyboard if row]
    return InlineKeyboardMarkup(kept) if kept else None


def make_keyboard(rows: tuple[tuple[Key, ...], ...]) -> InlineKeyboardMarkup:
    """Return the buttons of a screen's page."""
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    key.label[:_LABEL_LIMIT],
                    callback_data=key.payload,
                    style=KeyboardButtonStyle.DANGER if key.is_alarming else None,
                )
                for key in row
            ]
            for row in rows
        ]
    )


def make_second_step(*, action: str, nonce: str) -> InlineKeyboardMarkup:
    """Return the buttons of a second step; the refusing one stands where a thumb rests."""
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(
                    action, callback_data=f"c:{nonce}:y", style=KeyboardButtonStyle.SUCCESS
                ),
                InlineKeyboardButton("Leave it", callback_data=f"c:{nonce}:n"),
            ]
        ]
    )


def read_payload(payload: str) -> Invocation | Choice | None:
    """Parse callback data; None where it is none of ours, or of no button."""
    kind, _, rest = payload.partition(":")
    if kind == "m":
        return read_button(rest)
    if (place := read_place(payload)) is not None:
        return read_button(place.spot.line)
    nonce, _, choice = rest.rpartition(":")
    if kind == "c" and nonce and choice in {"y", "n"}:
        return Choice(nonce, is_yes=choice == "y")
    return None
