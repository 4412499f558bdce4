"""What Telegram sends, as far as it can be read at all: bytes from outside in, updates out."""

import json
from typing import Any, Final

NESTING_MAX: Final = 60


class BadReplyError(Exception):
    """Telegram, or something that stands before it, sent something unreadable."""


def parse_reply(payload: bytes) -> list[dict[str, Any]]:
    """Return the updates in an answer to getUpdates.

    Raises:
        BadReplyError: it is none.
    """
    reply = _parse(payload)
    updates = reply.get("result") if isinstance(reply, dict) else None
    if not isinstance(updates, list) or not all(_is_update(update) for update in updates):
        raise BadReplyError("the answer to getUpdates is not a list of updates")
    return updates


def parse_update(payload: bytes) -> dict[str, Any]:
    """Return the update that was posted.

    Raises:
        BadReplyError: it is none.
    """
    update = _parse(payload)
    if not _is_update(update):
        raise BadReplyError("what was posted is no update")
    assert isinstance(update, dict)
    return update


def _parse(payload: bytes) -> object:
    try:
        value: object = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BadReplyError("what Telegram sent is not JSON") from error
    if _is_deep(value):
        raise BadReplyError("what Telegram sent is nested too deeply")
    return value


def _is_update(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("update_id"), int)


def _is_deep(value: object) -> bool:
    """Say whether a value is nested so deeply that reading it could exhaust the stack."""
    level = [value]
    for _ in range(NESTING_MAX):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
