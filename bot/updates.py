"""Updates, read as far as it counts who sent what: strictly, and without what only screens need.

A field that says an update is passed on, edited or sent for somebody is not read, only seen: there,
whatever it holds, or not. What cannot be read as Telegram writes it is no update.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from engine.domain.errors import BadValueError

_ID_MAX: Final = 2**53 - 1
_Id = Annotated[int, Meta(ge=-_ID_MAX, le=_ID_MAX)]
_Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]
"""Until the year 9999."""


class _Read(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    pass


class Person(_Read, frozen=True, kw_only=True):
    """Who wrote or tapped."""

    id: _Id
    is_bot: bool


class Chat(_Read, frozen=True, kw_only=True):
    """Where it was written."""

    id: _Id
    type: str


class Message(_Read, frozen=True, kw_only=True):
    """A message, or what is left of one: a deleted one has the date 0.

    Attributes:
        sender: None if nobody in particular wrote it.
    """

    message_id: _Id
    date: _Seconds
    chat: Chat
    sender: Person | None = msgspec.field(name="from", default=None)
    text: str | None = None
    forward_origin: Any = None
    is_automatic_forward: Any = None
    via_bot: Any = None
    sender_chat: Any = None
    business_connection_id: Any = None
    sender_business_bot: Any = None
    is_from_offline: Any = None
    edit_date: Any = None


class Query(_Read, frozen=True, kw_only=True):
    """A tap on a button."""

    id: str
    sender: Person = msgspec.field(name="from")
    message: Message | None = None
    inline_message_id: Any = None
    data: str | None = None


class Update(_Read, frozen=True, kw_only=True):
    """A message, a tap, or neither: what is not taken."""

    update_id: _Id
    message: Message | None = None
    callback_query: Query | None = None

    @property
    def sender(self) -> Person | None:
        """Return who sent it, as far as that was read."""
        said = self.message or self.callback_query
        return None if said is None else said.sender


def read_update(raw: dict[str, Any]) -> Update:
    """Read an update.

    Raises:
        BadValueError: Telegram writes none so.
    """
    try:
        return msgspec.convert(raw, Update)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadValueError(str(error)) from error


def is_there(field: object) -> bool:
    """Say whether a field that is only seen says yes."""
    return field is not None and field is not False
