"""What a person asks of the role that sends transactions."""

from engine.bus.request import SenderRequest
from engine.bus.sending import Sending
from engine.bus.sending_reports import ContractsReport, TransactionsReport


class GetTransactions(SenderRequest[TransactionsReport], frozen=True, kw_only=True):
    """The newest transactions, with what became of each."""

    most: int = 10

    async def answer(self, sending: Sending, /) -> TransactionsReport:
        """See `Request.answer`."""
        return sending.transactions(self.most)


class GetContracts(SenderRequest[ContractsReport], frozen=True, kw_only=True):
    """Our contract on each chain: code, roles, pause, balances."""

    async def answer(self, sending: Sending, /) -> ContractsReport:
        """See `Request.answer`."""
        return await sending.contracts()
