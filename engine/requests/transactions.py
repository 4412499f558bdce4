"""What a person asks of the role that sends transactions."""

from typing import Any, ClassVar

from engine.bus.command import Command
from engine.bus.reports import Declined
from engine.bus.request import SenderRequest
from engine.bus.sending import Sending
from engine.bus.sending_reports import ContractsReport, TransactionsReport
from engine.bus.work_reports import WorkDone


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


class PauseContract(Command[WorkDone], frozen=True, kw_only=True):
    """Pause our contract on a chain; asked twice it is paused once, or reverts and changes nothing.

    It only takes risk away, so it is signed while killed too, and never comes too late.
    """

    role: ClassVar[str] = "sender"
    timeout_s = 10.0

    chain: str

    async def answer(self, engine: Any, /) -> WorkDone | Declined:
        """See `Request.answer`; here it is the sender."""
        sending: Sending = engine
        if self.envelope is None:
            return Declined(why="a command without its envelope")
        return await sending.pause_contract(self.chain, self.envelope.by)
