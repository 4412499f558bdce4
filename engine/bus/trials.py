"""What the role that sends tries out for background work, on an EVM beside its own."""

from typing import Protocol

import msgspec

from engine.bus.request import SenderRequest
from engine.domain.trials import Trial


class TrialsReport(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """Trials of the newest plan of each shape."""

    trials: list[Trial]


class Trying(Protocol):
    """What the role that sends does of it."""

    async def trials(self) -> TrialsReport:
        """See `GetTrials`."""
        ...


class GetTrials(SenderRequest[TrialsReport], frozen=True, kw_only=True):
    """Carry the newest plan of each shape out once more, in each encoding; nothing is sent."""

    timeout_s = 20.0

    async def answer(self, sending: Trying, /) -> TrialsReport:
        """See `Request.answer`."""
        return await sending.trials()
