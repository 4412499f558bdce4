"""Answers as messages: split to Telegram's lengths, with buttons on the last part."""

from collections.abc import Callable

from telegram import InlineKeyboardMarkup

from bot.answer import Answer
from bot.render.html import CAPTION_UNITS_MAX, write_html
from bot.telegram.keyboards import make_menu
from bot.telegram.outgoing import Outgoing, Priority, Settled


def make_messages(
    answer: Answer,
    *,
    priority: Priority,
    buttons: InlineKeyboardMarkup | None = None,
    photo: bytes | None = None,
    edits: int | None = None,
    on_settled: Callable[[Settled], None] | None = None,
) -> list[Outgoing]:
    """Return the messages of one answer, in order; `on_settled` follows the last.

    Args:
        answer: what is to be said.
        priority: of all its messages.
        buttons: buttons instead of the answer's own, for a second step.
        photo: PNG that carries the first part as its caption.
        edits: message that the first part replaces.
        on_settled: called once, when the last message is settled.
    """
    has_caption = photo is not None or answer.document is not None
    parts = write_html(answer.screen, units_max_first=CAPTION_UNITS_MAX if has_caption else None)
    messages = [Outgoing(html=part, priority=priority) for part in parts]
    first, last = messages[0], messages[-1]
    first.photo = photo
    first.document = answer.document
    first.edits = edits
    last.buttons = make_menu(answer.buttons) if buttons is None else buttons
    last.is_protected = answer.confirmation is not None
    last.on_settled = on_settled
    return messages
