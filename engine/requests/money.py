"""Questions about money: the ledger answers them."""

from typing import TYPE_CHECKING, Literal

from engine.bus.reports import EngineIds, ExportReport, PnlReport, TradesReport, Unknown
from engine.bus.request import LedgerRequest

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class GetTrades(LedgerRequest[TradesReport], frozen=True, kw_only=True):
    """Newest executions first."""

    limit: int = 10

    async def answer(self, ledger: "Ledger", /) -> TradesReport:
        """See `Request.answer`."""
        return await ledger.trades(self.limit)


class GetEngineIds(LedgerRequest[EngineIds], frozen=True, kw_only=True):
    """Which engines keep their books here."""

    async def answer(self, ledger: "Ledger", /) -> EngineIds:
        """See `Request.answer`."""
        return await ledger.engine_ids()


class GetPnl(LedgerRequest[PnlReport], frozen=True, kw_only=True):
    """Realised profit over the last days."""

    days: int = 1

    async def answer(self, ledger: "Ledger", /) -> PnlReport:
        """See `Request.answer`."""
        return await ledger.pnl(self.days)


class GetExport(LedgerRequest[ExportReport | Unknown], frozen=True, kw_only=True):
    """A table as a file, with all of its amounts exact.

    Attributes:
        days: up to now, where no instants are given.
        since_ns, until_ns: from the one up to the other.
        form: csv or json; in CSV, text that a spreadsheet would run as a formula is marked.
    """

    table: str
    days: int = 30
    since_ns: int | None = None
    until_ns: int | None = None
    form: Literal["csv", "json"] = "csv"

    async def answer(self, ledger: "Ledger", /) -> ExportReport | Unknown:
        """See `Request.answer`."""
        return await ledger.export(
            self.table,
            days=self.days,
            since_ns=self.since_ns,
            until_ns=self.until_ns,
            form=self.form,
        )
