"""What a person asks of accounts at venues."""

from typing import TYPE_CHECKING

from engine.bus.command import Command, Envelope
from engine.bus.reports import Declined
from engine.bus.work_reports import WorkDone

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class TakeAccount(Command[WorkDone], frozen=True, kw_only=True):
    """Take what a halted venue shows as what is so: a loosening, judged by the engine."""

    timeout_s = 20.0

    venue: str
    is_confirmed: bool = False
    code: str | None = None

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> WorkDone | Declined:
        """See `Command.act`."""
        return await engine.adopt_venue(
            envelope, self.venue, is_confirmed=self.is_confirmed, code=self.code
        )
