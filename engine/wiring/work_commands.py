"""Commands to the role `workers`, each carried out once.

They change nothing that a second time would change again, so that nothing of them is stored: a
task is asked for, or switched one way. What is remembered lets a repeated one get the same answer.
"""

import asyncio
from typing import Any, Final

from cachetools import FIFOCache

from engine.bus.command import Command, digest_of
from engine.bus.reports import Declined
from engine.bus.request import Reply
from engine.domain.errors import BadValueError
from engine.operate.clock import Clock

KNOWN_MAX: Final = 1_024


class WorkCommands:
    """Obeys what `Command.answer` asks of `once`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: FIFOCache[str, tuple[str, asyncio.Future[Any]]] = FIFOCache(KNOWN_MAX)

    async def carry_out(self, command: Command[Reply], work: Any) -> Reply | Declined:
        """Carry a command out, or answer as when it was."""
        envelope = command.envelope
        if envelope is None:
            raise BadValueError(f"{type(command).__name__} came without an envelope")
        if digest_of(command) != envelope.digest:
            return _nothing("its content is not what was sealed")
        if (known := self._known.get(envelope.id)) is not None:
            digest, future = known
            if digest != envelope.digest:
                return _nothing("another command was given by this id")
            reply: Reply | Declined = await asyncio.shield(future)
            return reply
        expires_at_ns = envelope.expires_at_ns
        if expires_at_ns is not None and self._clock() >= expires_at_ns:
            return _nothing("it came too late; ask again")
        future = asyncio.get_running_loop().create_future()
        self._known[envelope.id] = (envelope.digest, future)
        try:
            reply = await command.act(work, envelope)
        except BaseException as error:
            # It may be told again: nothing says that it was done.
            self._known.pop(envelope.id, None)
            future.set_exception(
                BadValueError("whoever asked first went away; /tasks shows what holds")
                if isinstance(error, asyncio.CancelledError)
                else error
            )
            future.exception()
            raise
        future.set_result(reply)
        return reply


def _nothing(why: str) -> Declined:
    return Declined(why=f"nothing was done: {why}")
