"""Each command once: what its envelope has to say, and what became of those that were carried out.

The outcome of a command that changes something is stored with the change, in one transaction, and
an engine that starts is given the outcomes of those before it. So whoever asks again, after
whatever crash, gets the same answer, and nothing is done again.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from cachetools import FIFOCache

from engine.bus.command import Command, Envelope, digest_of
from engine.bus.records import Outcome, OutcomeRecord
from engine.bus.reports import Declined
from engine.bus.request import Reply
from engine.bus.wire import encode
from engine.domain.errors import BadValueError
from engine.operate.clock import Clock
from engine.operate.outbox import Outbox

KNOWN_MAX: Final = 4_096
"""Commands that are remembered; one that gives way has long expired, or only tightens."""

LEFT: Final = "whoever asked first went away; /status shows what holds"


class Once:
    """Carries commands out, each once."""

    def __init__(
        self, outbox: Outbox, clock: Clock, *, target: str, outcomes: Sequence[Outcome]
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._target = target
        self._stored = {one.command_id: one for one in outcomes}
        self._known: FIFOCache[str, tuple[str, asyncio.Future[Any]]] = FIFOCache(KNOWN_MAX)

    async def carry_out(self, command: Command[Reply], engine: Any) -> Reply | Declined:
        """Carry a command out, or answer as when it was."""
        envelope = command.envelope
        if envelope is None:
            raise BadValueError(f"{type(command).__name__} came without an envelope")
        refusal = self._refusal(command, envelope)
        if refusal is not None:
            return refusal
        if (known := self._known.get(envelope.id)) is not None:
            _, future = known
            reply: Reply | Declined = await asyncio.shield(future)
            return reply
        if (stored := self._stored.get(envelope.id)) is not None:
            return _decoded(stored, command)
        return await self._begin(command, engine, envelope)

    def outcome(self, envelope: Envelope, answer: object) -> Outcome:
        """Return what is to be stored with the change that a command makes."""
        return Outcome(command_id=envelope.id, digest=envelope.digest, answer=encode(answer))

    def took_back(self, envelope: Envelope, why: str) -> Declined:
        """Store that a command did not act after all, behind what said that it did."""
        declined = Declined(why=why)
        self._outbox.put(
            OutcomeRecord(at_ns=self._clock(), outcome=self.outcome(envelope, declined))
        )
        return declined

    def _refusal(self, command: Command[Any], envelope: Envelope) -> Declined | None:
        """Return why an envelope is refused, None if it is right."""
        known = self._digest_of_known(envelope.id)
        expires_at_ns = envelope.expires_at_ns
        if digest_of(command) != envelope.digest:
            why = "its content is not what was sealed"
        elif envelope.target != self._target:
            why = f"it is for the engine {envelope.target!r}, this is {self._target!r}"
        elif known is not None and known != envelope.digest:
            why = "another command was given by this id"
        elif known is None and expires_at_ns is not None and self._clock() >= expires_at_ns:
            why = "it came too late; ask again"
        else:
            return None
        return Declined(why=f"nothing was done: {why}")

    def _digest_of_known(self, command_id: str) -> str | None:
        if (known := self._known.get(command_id)) is not None:
            return known[0]
        stored = self._stored.get(command_id)
        return None if stored is None else stored.digest

    async def _begin(
        self, command: Command[Reply], engine: Any, envelope: Envelope
    ) -> Reply | Declined:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._known[envelope.id] = (envelope.digest, future)
        try:
            reply = await command.act(engine, envelope)
        except asyncio.CancelledError:
            future.set_result(Declined(why=LEFT))
            raise
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # whoever asks again is told; if nobody does, that is no fault
            raise
        future.set_result(reply)
        return reply


def _decoded(stored: Outcome, command: Command[Reply]) -> Reply | Declined:
    try:
        reply: Reply | Declined = msgspec.msgpack.decode(
            stored.answer, type=type(command).reply_type()
        )
    except msgspec.DecodeError:
        return Declined(why="it was carried out by another version; /status shows what holds")
    return reply
