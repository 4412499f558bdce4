"""Questions about the engine's run."""

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from engine.bus.quote_report import QuotesReport
from engine.bus.reports import (
    EngineLine,
    EnginesReport,
    LimitsReport,
    OpportunitiesReport,
    SpreadsReport,
    StatusReport,
    VenuesReport,
    VersionReport,
)
from engine.bus.request import Caller, EngineRequest, Roles
from engine.domain.errors import BadValueError, TransientError

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class GetStatus(EngineRequest[StatusReport], frozen=True, kw_only=True):
    """Overview: mode, latch, venues, counters, latency."""

    async def answer(self, engine: "EngineAnswers", /) -> StatusReport:
        """See `Request.answer`."""
        return replace(engine.reports.status(engine.clock()), delayed=engine.delayed)


class GetEngines(EngineRequest[EnginesReport], frozen=True, kw_only=True):
    """Every engine at a glance: each answers for itself."""

    async def answer(self, engine: "EngineAnswers", /) -> EnginesReport:
        """See `Request.answer`."""
        return EnginesReport(engines=[engine.reports.line(engine.clock())])

    async def ask(self, roles: Roles, /) -> EnginesReport:
        """Ask all of them at once."""

        async def look(engine_id: str, caller: Caller) -> list[EngineLine]:
            try:
                report = await caller.call(self, timeout_s=self.timeout_s)
            except (TransientError, BadValueError) as error:
                return [EngineLine(engine_id=engine_id, trouble=str(error))]
            return report.engines

        engines = await roles.engines()
        found = await asyncio.gather(*(look(*one) for one in sorted(engines.items())))
        return EnginesReport(engines=[line for lines in found for line in lines])


class GetVenues(EngineRequest[VenuesReport], frozen=True, kw_only=True):
    """Every instrument of every venue with its age."""

    async def answer(self, engine: "EngineAnswers", /) -> VenuesReport:
        """See `Request.answer`."""
        return engine.reports.venues(engine.clock())


class GetOpportunities(EngineRequest[OpportunitiesReport], frozen=True, kw_only=True):
    """Open and recent opportunities: those of the most worth, or the newest."""

    limit: int = 10
    is_newest_first: bool = False

    async def answer(self, engine: "EngineAnswers", /) -> OpportunitiesReport:
        """See `Request.answer`."""
        return engine.reports.opportunities(
            self.limit, engine.clock(), is_newest_first=self.is_newest_first
        )


class GetLimits(EngineRequest[LimitsReport], frozen=True, kw_only=True):
    """Limits, what of them is used, and what refusals they caused."""

    async def answer(self, engine: "EngineAnswers", /) -> LimitsReport:
        """See `Request.answer`."""
        return engine.reports.limits(engine.clock())


class GetSpreads(EngineRequest[SpreadsReport], frozen=True, kw_only=True):
    """Gaps between books now and the nearest misses."""

    async def answer(self, engine: "EngineAnswers", /) -> SpreadsReport:
        """See `Request.answer`."""
        return engine.reports.spreads(engine.clock())


class GetQuotes(EngineRequest[QuotesReport], frozen=True, kw_only=True):
    """Who quotes what: places by pairs."""

    async def answer(self, engine: "EngineAnswers", /) -> QuotesReport:
        """See `Request.answer`."""
        return engine.reports.quotes(engine.clock())


class GetVersion(EngineRequest[VersionReport], frozen=True, kw_only=True):
    """Version, commit, run, platform."""

    async def answer(self, engine: "EngineAnswers", /) -> VersionReport:
        """See `Request.answer`."""
        return engine.reports.version()
