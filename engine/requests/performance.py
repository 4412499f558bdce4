"""Questions about what trading came to over a time, and whether the books agree."""

from typing import TYPE_CHECKING

from engine.bus.performance import BooksReport, PerformanceReport
from engine.bus.request import LedgerRequest
from engine.domain.modes import Money
from engine.domain.performance import By

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class GetPerformance(LedgerRequest[PerformanceReport], frozen=True, kw_only=True):
    """What the trades that closed from one instant up to another came to, on paper or live."""

    since_ns: int
    until_ns: int
    by: By = By.ALL
    money: Money = Money.PAPER

    async def answer(self, ledger: "Ledger", /) -> PerformanceReport:
        """See `Request.answer`."""
        return await ledger.performance(self.since_ns, self.until_ns, by=self.by, money=self.money)


class GetBooks(LedgerRequest[BooksReport], frozen=True, kw_only=True):
    """Whether balances are what deposits, fills and transactions add up to."""

    async def answer(self, ledger: "Ledger", /) -> BooksReport:
        """See `Request.answer`."""
        return await ledger.books()
