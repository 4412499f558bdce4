"""How all components stand, which incidents there were, and what the engine sees of its own."""

from typing import TYPE_CHECKING

from engine.bus.health_reports import (
    HealthReport,
    IncidentReport,
    IncidentsReport,
    SightsReport,
)
from engine.bus.report import Unknown
from engine.bus.request import EngineRequest, LedgerRequest

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers
    from engine.storage.ledger import Ledger


class GetHealth(LedgerRequest[HealthReport], frozen=True, kw_only=True):
    """How every component stands and stood; reading it changes nothing."""

    async def answer(self, ledger: "Ledger", /) -> HealthReport:
        """See `Request.answer`."""
        return ledger.health_desk.health()


class GetIncidents(LedgerRequest[IncidentsReport], frozen=True, kw_only=True):
    """The newest incidents, those that are open first."""

    most: int = 10

    async def answer(self, ledger: "Ledger", /) -> IncidentsReport:
        """See `Request.answer`."""
        return ledger.health_desk.incidents(self.most)


class GetIncident(LedgerRequest[IncidentReport | Unknown], frozen=True, kw_only=True):
    """One incident with its timeline; the newest for 0."""

    number: int = 0

    async def answer(self, ledger: "Ledger", /) -> IncidentReport | Unknown:
        """See `Request.answer`."""
        return ledger.health_desk.incident(self.number)


class LookAtPlaces(EngineRequest[SightsReport], frozen=True, kw_only=True):
    """What the engine sees of its feeds, its chains, its recording and the chat.

    It takes tens of microseconds, which a status would not.
    """

    async def answer(self, engine: "EngineAnswers", /) -> SightsReport:
        """See `Request.answer`."""
        return SightsReport(sights=engine.look())
