"""Updates that passed the access check, read far enough to know what they ask for."""

import logging
from dataclasses import dataclass
from typing import Any

from bot.access import Access, Denial, Incoming
from bot.command import Kind
from bot.dispatch import Invocation, read_line
from bot.permitted import permitted
from bot.render.clean import clean
from bot.session import Asked
from bot.telegram.keyboards import read_payload
from bot.updates import read_update

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a person asks for, and the update that it came in."""

    incoming: Incoming
    asked: Asked
    raw: dict[str, Any]

    @property
    def update_id(self) -> int:
        """Return the id of the update."""
        return self.incoming.update_id

    @property
    def is_kill(self) -> bool:
        """Say whether this sets the kill latch."""
        return isinstance(self.asked, Invocation) and self.asked.is_kill

    @property
    def is_protective(self) -> bool:
        """Say whether this can only make the engine do less."""
        return isinstance(self.asked, Invocation) and self.asked.kind is Kind.PROTECTIVE

    @property
    def is_look(self) -> bool:
        """Say whether this changes nothing."""
        is_read = isinstance(self.asked, Invocation) and self.asked.kind is Kind.READ
        return is_read or self.asked is None


def read_arrival(raw: dict[str, Any], access: Access) -> Arrival | None:
    """Parse and check one update; None where it is dropped. Never raises, never waits."""
    try:
        incoming = access.admit(read_update(raw))
        if incoming is None:
            return None
        return Arrival(incoming=incoming, asked=permitted(_asked(incoming), incoming.rank), raw=raw)
    except Exception as error:  # noqa: BLE001 - bytes from outside; whatever breaks is dropped
        _log.warning("an update cannot be read: %s", clean(repr(error), limit=200))
        access.deny(Denial.UNREADABLE, user_id=None)
        return None


def _asked(incoming: Incoming) -> Asked:
    if incoming.tap is None:
        return None if incoming.text is None else read_line(incoming.text)
    asked = read_payload(incoming.tap.payload)
    if isinstance(asked, Invocation) and asked.kind is Kind.PROTECTIVE:
        return asked
    # The text of a deleted message can no longer be what was tapped on.
    return asked if incoming.tap.is_visible else None
