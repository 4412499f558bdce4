"""What is left over, and what closing it would cost now."""

from typing import TYPE_CHECKING

from engine.bus.closings import ClosingsReport
from engine.bus.request import EngineRequest

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class GetClosings(EngineRequest[ClosingsReport], frozen=True, kw_only=True):
    """By the books as they are; nothing is sent."""

    async def answer(self, engine: "EngineAnswers", /) -> ClosingsReport:
        """See `Request.answer`."""
        return engine.reports.closings(engine.clock())
