"""A message on its way to the chat."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from telegram import InlineKeyboardMarkup

from bot.answer import Document


class Priority(IntEnum):
    """What goes first."""

    URGENT = 0
    ANSWER = 1
    NOTICE = 2
    CARD = 3
    """Waits for all others, gives way to what is queued after it, and is tried once."""


class Settled(Enum):
    """How a message ended."""

    DELIVERED = auto()
    DROPPED = auto()
    OVERTAKEN = auto()
    """A newer screen stands where it would have stood."""
    REFUSED = auto()


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """One Bot API call that writes to the chat.

    Attributes:
        edits: message that is to be replaced by this one; sent anew where that fails.
        photo, document: sent with `html` as caption.
        is_screen: what it replaces is a screen, which a newer one may replace before it was sent.
        sent_id: id of the message in the chat, once it was sent.
        is_plain: send without markup, after Telegram refused it.
        is_repeat: an attempt before may have arrived though nobody said so; the copy says it.
    """

    html: str
    priority: Priority
    buttons: InlineKeyboardMarkup | None = None
    photo: bytes | None = None
    document: Document | None = None
    edits: int | None = None
    is_silent: bool = False
    is_screen: bool = False
    is_protected: bool = False
    is_plain: bool = False
    is_repeat: bool = False
    sent_id: int | None = None
    on_settled: Callable[[Settled], None] | None = None
