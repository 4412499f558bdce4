"""What a person asks of the role that sends transactions."""

from typing import TYPE_CHECKING, Any, ClassVar

from engine.bus.command import Command, Envelope
from engine.bus.reports import Declined
from engine.bus.request import Roles, SenderRequest
from engine.bus.sending import Sending
from engine.bus.sending_reports import ContractsReport, TransactionsReport
from engine.bus.work_reports import WorkDone
from engine.domain.told import Asked

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


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
        envelope = self.envelope
        if envelope is None:
            return Declined(why="a command without its envelope")
        return await sending.ask_contract(
            Asked(
                command_id=envelope.id,
                chain=self.chain,
                is_pause=True,
                by=envelope.by,
                at_ns=envelope.at_ns,
            )
        )


class UnpauseContract(Command[WorkDone], frozen=True, kw_only=True):
    """Let our contract on a chain run again: a loosening, judged by the engine as any other."""

    timeout_s = 20.0

    chain: str
    is_confirmed: bool = False
    code: str | None = None

    async def ask(self, roles: Roles, /) -> WorkDone | Declined:
        """Tell the signer who lets it run, before the engine; take back what came to nothing."""
        envelope = self.envelope
        if envelope is None or not (self.is_confirmed or self.code is not None):
            return await roles.engine.call(self, timeout_s=self.timeout_s)
        if why := await roles.witness.let_run(envelope, self.chain, self.code):
            return Declined(why=why)
        reply = await roles.engine.call(self, timeout_s=self.timeout_s)
        if isinstance(reply, Declined):
            await roles.witness.took_back(envelope.target, chain=self.chain)
        return reply

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> WorkDone | Declined:
        """See `Command.act`."""
        return await engine.unpause_contract(
            envelope, self.chain, is_confirmed=self.is_confirmed, code=self.code
        )
