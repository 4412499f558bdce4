"""What a kill left, and drills of it."""

from typing import TYPE_CHECKING

from engine.bus.command import Command, Envelope
from engine.bus.kill_reports import AftermathReport, DrillReport
from engine.bus.reports import Declined
from engine.bus.request import EngineRequest

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class GetAftermath(EngineRequest[AftermathReport], frozen=True, kw_only=True):
    """What is so while killed, and what changed since."""

    async def answer(self, engine: "EngineAnswers", /) -> AftermathReport:
        """See `Request.answer`."""
        return await engine.aftermath.report()


class DrillKill(Command[DrillReport], frozen=True, kw_only=True):
    """Kill as a drill and clear again, while whatever is traded is simulated."""

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> DrillReport | Declined:
        """See `Command.act`."""
        return await engine.drill(envelope)
