"""No chat can hear or tell the operator any more, or one can again."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle


class ChatSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the chat is blind from here on."""

    is_blind: bool


def _take(core: Middle, given: Input[ChatSeen]) -> Answers:
    core.pipeline.see(is_blind=given.payload.is_blind, at_ns=given.at_ns)
    return NO_ANSWERS


CHAT_SEEN: Final = Kind(number=29, name="chat seen", payload=ChatSeen, take=_take)
