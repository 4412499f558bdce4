"""What an operator does about alerts, told to all chats through the ledger."""

from typing import TYPE_CHECKING

from engine.bus.notices import AlertAct
from engine.bus.reports import InboxStored
from engine.bus.request import LedgerRequest

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class ActOnAlerts(LedgerRequest[InboxStored], frozen=True, kw_only=True):
    """Store what was done about alerts as a notice; the same act is stored once."""

    act: AlertAct

    async def answer(self, ledger: "Ledger", /) -> InboxStored:
        """See `Request.answer`."""
        return await ledger.tell(self.act)
