"""Signs of life of the operator, and of the chat."""

import asyncio
from typing import TYPE_CHECKING

from engine.bus.reports import Acknowledged
from engine.bus.request import EngineRequest, Roles
from engine.domain.errors import SyndicateError
from engine.domain.recovery import Tallied

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class SignOfLife(EngineRequest[Acknowledged], frozen=True, kw_only=True):
    """The operator said something, whatever it was."""

    async def answer(self, engine: "EngineAnswers", /) -> Acknowledged:
        """See `Request.answer`."""
        engine.silence.sign()
        return engine.now("noted")

    async def ask(self, roles: Roles, /) -> Acknowledged:
        """See `tell_all`."""
        return await tell_all(roles, self)


class ChatSees(EngineRequest[Acknowledged], frozen=True, kw_only=True):
    """The chat is there.

    Attributes:
        silent_s: how long the operator could not be heard, or told anything.
        tallied: what the chat's process recovered from so far.
    """

    silent_s: float
    tallied: tuple[Tallied, ...] = ()

    async def answer(self, engine: "EngineAnswers", /) -> Acknowledged:
        """See `Request.answer`."""
        engine.sight.sign(self.silent_s, self.tallied)
        return engine.now("noted")

    async def ask(self, roles: Roles, /) -> Acknowledged:
        """See `tell_all`."""
        return await tell_all(roles, self)


class PromptShown(EngineRequest[Acknowledged], frozen=True, kw_only=True):
    """A chat has shown a plan that waits for a word.

    Attributes:
        nonce: of its buttons.
        digest: of the terms, as the chat reckons it from what it shows.
        is_sent: what is approved is signed and sent.
    """

    nonce: str
    digest: str = ""
    is_sent: bool = False

    async def answer(self, engine: "EngineAnswers", /) -> Acknowledged:
        """See `Request.answer`."""
        engine.approvals.shown(self.nonce)
        return engine.now("noted")

    async def ask(self, roles: Roles, /) -> Acknowledged:
        """Keep what a person may approve; then see `tell_all`."""
        if self.digest:
            roles.witness.showed(self.nonce, self.digest, is_sent=self.is_sent)
        return await tell_all(roles, self)


async def tell_all(roles: Roles, said: EngineRequest[Acknowledged]) -> Acknowledged:
    """Tell every engine; that of the chat has to hear it."""
    own = roles.engine
    others = [one for one in (await roles.engines()).values() if one is not own]
    noted, *_ = await asyncio.gather(
        own.call(said, timeout_s=said.timeout_s),
        *(one.call(said, timeout_s=said.timeout_s) for one in others),
        return_exceptions=True,
    )
    if isinstance(noted, SyndicateError):
        raise noted
    assert isinstance(noted, Acknowledged)
    return noted
