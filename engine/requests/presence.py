"""Signs of life of the operator."""

import asyncio
from typing import TYPE_CHECKING

from engine.bus.reports import Acknowledged
from engine.bus.request import EngineRequest, Roles
from engine.domain.errors import SyndicateError

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class SignOfLife(EngineRequest[Acknowledged], frozen=True, kw_only=True):
    """The operator said something, whatever it was."""

    async def answer(self, engine: "EngineAnswers", /) -> Acknowledged:
        """See `Request.answer`."""
        engine.silence.sign()
        return engine.now("noted")

    async def ask(self, roles: Roles, /) -> Acknowledged:
        """Tell every engine; that of the chat has to hear it."""
        own = roles.engine
        others = [one for one in (await roles.engines()).values() if one is not own]
        noted, *_ = await asyncio.gather(
            own.call(self, timeout_s=self.timeout_s),
            *(one.call(self, timeout_s=self.timeout_s) for one in others),
            return_exceptions=True,
        )
        if isinstance(noted, SyndicateError):
            raise noted
        assert isinstance(noted, Acknowledged)
        return noted
