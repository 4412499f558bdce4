"""The audit of all acts: its newest links, and whether it is whole."""

from typing import TYPE_CHECKING

from engine.bus.reports import AuditReport
from engine.bus.request import LedgerRequest

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class GetAudit(LedgerRequest[AuditReport], frozen=True, kw_only=True):
    """The newest acts, and whether the chain is whole.

    Attributes:
        looked_for: beginning of a hash that was noted once: it must be in the chain; empty for any.
    """

    limit: int = 4
    looked_for: str = ""

    async def answer(self, ledger: "Ledger", /) -> AuditReport:
        """See `Request.answer`."""
        return await ledger.audit(self.limit, looked_for=self.looked_for)
