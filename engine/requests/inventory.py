"""The question what all places held over a time."""

from typing import TYPE_CHECKING

from engine.bus.money_reports import FreeAt, InventoryPast, RebalancingReport
from engine.bus.request import LedgerRequest
from engine.domain.modes import Money

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class GetInventoryPast(LedgerRequest[InventoryPast], frozen=True, kw_only=True):
    """What each place of one kind of money held, from one instant up to another."""

    since_ns: int
    until_ns: int
    money: Money = Money.PAPER

    async def answer(self, ledger: "Ledger", /) -> InventoryPast:
        """See `Request.answer`."""
        return await ledger.inventory_past(self.since_ns, self.until_ns, money=self.money)


class GetRebalancing(LedgerRequest[RebalancingReport], frozen=True, kw_only=True):
    """Which transfers would pay, by the routes since an instant and by what is free now."""

    free: list[FreeAt]
    since_ns: int

    async def answer(self, ledger: "Ledger", /) -> RebalancingReport:
        """See `Request.answer`."""
        return await ledger.rebalancing(self.free, self.since_ns)
