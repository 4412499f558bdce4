"""What front-ends tell all chats through the ledger: acts about alerts, rules over the metrics."""

from typing import TYPE_CHECKING

from engine.bus.notices import AlertAct, MetricAlert, MetricCalm
from engine.bus.reports import InboxStored
from engine.bus.request import LedgerRequest

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class ActOnAlerts(LedgerRequest[InboxStored], frozen=True, kw_only=True):
    """Store what was done about alerts as a notice; the same act is stored once."""

    act: AlertAct

    async def answer(self, ledger: "Ledger", /) -> InboxStored:
        """See `Request.answer`."""
        act = self.act
        return await ledger.tell({f"act-{act.by}-{act.at_ns}-{act.act}-{act.target}": act})


class TellMetrics(LedgerRequest[InboxStored], frozen=True, kw_only=True):
    """Store what rules over the metrics say as notices.

    Attributes:
        told: by names of their own: what is told again by its name is stored once.
    """

    told: dict[str, MetricAlert | MetricCalm]

    async def answer(self, ledger: "Ledger", /) -> InboxStored:
        """See `Request.answer`."""
        return await ledger.tell(self.told)
