"""Commands: requests that act, each in an envelope that says who asked for what, when, and of whom.

An envelope has an id of its own. The engine carries each id out once, however often it arrives and
whoever repeats it: a chat that starts again, a network that answers late, a button that waited.
"""

import hashlib
import secrets
from typing import Any, Final, Generic, TypeVar

import msgspec

from engine.bus.reports import Declined
from engine.bus.request import EngineRequest, Reply_co
from engine.bus.wire import encode
from engine.domain.engines import MAIN

_ID_BYTES: Final = 12

LOOSENS: Final = "it would let the engine do more"
"""Why what was to only tighten is declined."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a command beside its content.

    Attributes:
        id: of this command alone, over restarts of whoever sends it and of the engine.
        by: who asks, as the records will show it.
        at_ns: when it was asked: what was tightened since voids what loosens.
        is_late: it waited until somebody took it.
        expires_at_ns: from then on it is refused; None for what only tightens.
        target: the engine that it is for.
        digest: of the content, so that nothing but what was sealed is carried out.
    """

    id: str
    by: str
    at_ns: int
    expires_at_ns: int | None
    target: str
    digest: str
    is_late: bool = False


class Command(EngineRequest[Reply_co | Declined], Generic[Reply_co], frozen=True, kw_only=True):
    """A request that acts; `seal` puts it into its envelope."""

    envelope: Envelope | None = None

    @classmethod
    def reply_type(cls) -> Any:
        """See `Request.reply_type`; any command may be declined."""
        return super().reply_type() | Declined

    async def answer(self, engine: Any, /) -> Reply_co | Declined:
        """Carry it out, once."""
        reply: Reply_co | Declined = await engine.once.carry_out(self, engine)
        return reply

    async def act(self, engine: Any, envelope: Envelope, /) -> Reply_co | Declined:
        """Carry it out, in the engine's process."""
        raise NotImplementedError


AnyCommand = TypeVar("AnyCommand", bound=Command[Any])


def digest_of(command: Command[Any]) -> str:
    """Return the digest of a command's content."""
    return hashlib.sha256(encode(msgspec.structs.replace(command, envelope=None))).hexdigest()


def seal(
    command: AnyCommand,
    *,
    by: str,
    at_ns: int,
    ref: str = "",
    is_late: bool = False,
    expires_at_ns: int | None = None,
    target: str = MAIN,
) -> AnyCommand:
    """Return the command in an envelope.

    With `ref`, what it came in, the same command gets the same id whenever it is told again.
    """
    digest = digest_of(command)
    return msgspec.structs.replace(
        command,
        envelope=Envelope(
            id=f"{ref}-{digest[:_ID_BYTES]}" if ref else secrets.token_hex(_ID_BYTES),
            by=by,
            at_ns=at_ns,
            expires_at_ns=expires_at_ns,
            target=target,
            digest=digest,
            is_late=is_late,
        ),
    )
