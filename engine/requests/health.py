"""How all components stand, which incidents there were, and what the engine sees of its own."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from engine.bus.health_reports import (
    EndsHeard,
    HealthReport,
    IncidentReport,
    IncidentsReport,
    RoleEnd,
    SightsReport,
)
from engine.bus.report import Unknown
from engine.bus.request import (
    ChainsRequest,
    EngineRequest,
    LedgerRequest,
    SenderRequest,
    TraderRequest,
    WorkersRequest,
)
from engine.bus.use_reports import UseReport
from engine.domain.errors import SyndicateError
from engine.domain.recovery import TALLY
from engine.domain.traffic import METERS

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers
    from engine.storage.ledger import Ledger

log = logging.getLogger(__name__)


class GetHealth(LedgerRequest[HealthReport], frozen=True, kw_only=True):
    """How every component stands and stood; reading it changes nothing."""

    async def answer(self, ledger: "Ledger", /) -> HealthReport:
        """See `Request.answer`."""
        report = ledger.health_desk.health()
        if report.trouble or not ledger.unheard:
            return report
        why = f"the watch failed at {ledger.unheard} ends of roles: see log"
        return replace(report, trouble=why)


class TellEnds(LedgerRequest[EndsHeard], frozen=True, kw_only=True):
    """Which processes of roles ended; the database has no part in it.

    A fault of the watch is logged and counted: told again, it would fail again.
    """

    ends: list[RoleEnd]

    async def answer(self, ledger: "Ledger", /) -> EndsHeard:
        """See `Request.answer`."""
        for end in self.ends:
            try:
                ledger.health_desk.ended(end)
            except SyndicateError:
                raise
            except Exception:
                ledger.unheard += 1
                log.exception("the end of a role was not heard, %d so far", ledger.unheard)
        return EndsHeard(number=max((end.number for end in self.ends), default=0))


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


class GetUse(LedgerRequest[UseReport], frozen=True, kw_only=True):
    """What is used of venues, providers, disk and machine, and what will be full or spent."""

    async def answer(self, ledger: "Ledger", /) -> UseReport:
        """See `Request.answer`."""
        return ledger.use_desk.use()


class LookAtPlaces(EngineRequest[SightsReport], frozen=True, kw_only=True):
    """What the engine sees of its feeds, its chains, its recording and the chat.

    It takes tens of microseconds, which a status would not.
    """

    async def answer(self, engine: "EngineAnswers", /) -> SightsReport:
        """See `Request.answer`."""
        tallied = {"engine": TALLY.all(), "bot": engine.sight.tallied}
        return SightsReport(sights=engine.look(), tallied=tallied, used=METERS.read())


class TellTallyOfChains(ChainsRequest[SightsReport], frozen=True, kw_only=True):
    """What a process that follows chains recovered from."""

    async def answer(self, chains: object, /) -> SightsReport:
        """See `Request.answer`."""
        del chains
        return own_tally(self.role)

    def merged(self, replies: Sequence[SightsReport], away: Mapping[str, str], /) -> SightsReport:
        """Return what several processes say together."""
        del away
        return SightsReport(
            sights=[],
            tallied={self.role: [one for each in replies for one in each.tallied[self.role]]},
            used=[one for each in replies for one in each.used],
        )


class TellTallyOfWorkers(WorkersRequest[SightsReport], frozen=True, kw_only=True):
    """What the role that works in the background recovered from."""

    async def answer(self, workers: object, /) -> SightsReport:
        """See `Request.answer`."""
        del workers
        return own_tally(self.role)


class TellTallyOfSender(SenderRequest[SightsReport], frozen=True, kw_only=True):
    """What the role that sends transactions recovered from."""

    async def answer(self, sender: object, /) -> SightsReport:
        """See `Request.answer`."""
        del sender
        return own_tally(self.role)


class TellTallyOfTrader(TraderRequest[SightsReport], frozen=True, kw_only=True):
    """What the role that places orders recovered from."""

    async def answer(self, trader: object, /) -> SightsReport:
        """See `Request.answer`."""
        del trader
        return own_tally(self.role)


def own_tally(role: str) -> SightsReport:
    """Return what this process recovered from, and what it used."""
    return SightsReport(sights=[], tallied={role: TALLY.all()}, used=METERS.read())
