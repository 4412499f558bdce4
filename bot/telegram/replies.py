"""Answers as messages: split to Telegram's lengths, with buttons on the last part."""

from collections.abc import Callable

from bot.answer import Answer
from bot.render.html import CAPTION_UNITS_MAX, write_html
from bot.telegram.keyboards import make_keyboard, make_menu, make_second_step
from bot.telegram.outgoing import Outgoing, Priority, Settled
from bot.telegram.places import ShownPage


def make_messages(
    answer: Answer,
    *,
    priority: Priority,
    photo: bytes | None = None,
    edits: int | None = None,
    on_settled: Callable[[Settled], None] | None = None,
) -> list[Outgoing]:
    """Return the messages of one answer, in order; `on_settled` follows the last.

    Args:
        answer: what is to be said.
        priority: of all its messages.
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
    if answer.confirmation is not None and answer.nonce is not None:
        last.buttons = make_second_step(action=answer.confirmation.action, nonce=answer.nonce)
        last.is_protected = True
    else:
        last.buttons = make_menu(answer.buttons)
    last.on_settled = on_settled
    return messages


def make_screen(
    page: ShownPage,
    *,
    edits: int | None,
    on_settled: Callable[[Settled], None],
) -> list[Outgoing]:
    """Return the messages of a page of a screen, one unless a single line is longer than a page.

    With `edits` the first replaces that message.
    """
    parts = write_html(page.answer.screen)
    messages = [Outgoing(html=part, priority=Priority.ANSWER) for part in parts]
    messages[0].edits = edits
    messages[0].is_screen = True
    messages[-1].buttons = make_keyboard(page.keys)
    messages[-1].on_settled = on_settled
    return messages
