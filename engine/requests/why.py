"""One decision, as the engine remembers it and as the ledger stored it."""

from typing import TYPE_CHECKING

import msgspec

from engine.bus.reports import Unknown, WhyReport
from engine.bus.request import EngineRequest, LedgerRequest, Roles
from engine.domain.errors import TransientError

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers
    from engine.storage.ledger import Ledger


class GetStoredWhy(LedgerRequest[WhyReport | Unknown], frozen=True, kw_only=True):
    """One opportunity or trade as it is stored."""

    ref: str

    async def answer(self, ledger: "Ledger", /) -> WhyReport | Unknown:
        """See `Request.answer`."""
        return await ledger.why(self.ref)


class GetWhy(EngineRequest[WhyReport | Unknown], frozen=True, kw_only=True):
    """One opportunity or trade with its whole decision."""

    ref: str

    async def answer(self, engine: "EngineAnswers", /) -> WhyReport | Unknown:
        """See `Request.answer`."""
        return await engine.reports.why(self.ref, engine.clock()) or Unknown(what=self.ref)

    async def ask(self, roles: Roles, /) -> WhyReport | Unknown:
        """Ask the engine for what is fresh and the ledger for what is stored or traded."""
        missing: TransientError | None = None
        fresh: WhyReport | Unknown = Unknown(what=self.ref)
        stored: WhyReport | Unknown = Unknown(what=self.ref)
        try:
            fresh = await EngineRequest.ask(self, roles)
        except TransientError as error:
            missing = error
        try:
            stored = await GetStoredWhy(ref=self.ref).ask(roles)
        except TransientError as error:
            missing = error
        if missing is not None and isinstance(fresh, Unknown) and isinstance(stored, Unknown):
            raise missing  # the one that is away may know it
        if isinstance(stored, WhyReport) and isinstance(fresh, WhyReport):
            # The ledger knows what came of it, the engine what it is worth and gives now.
            return msgspec.structs.replace(
                stored,
                line=fresh.line,
                values=fresh.values,
                exact_now=fresh.exact_now,
                split_now=fresh.split_now,
                advice=fresh.advice or stored.advice,
            )
        return fresh if isinstance(stored, Unknown) else stored
