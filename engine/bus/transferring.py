"""What the role that places orders is asked of transfers."""

from decimal import Decimal
from typing import Any, ClassVar, Protocol

from engine.bus.command import Command
from engine.bus.report import Declined
from engine.bus.request import Roles, TraderRequest
from engine.bus.transfer_reports import TransfersReport, TransferTermsReport
from engine.bus.work_reports import WorkDone
from engine.domain.transfer_life import TransferOrder
from engine.domain.transfers import digest_of_terms


class GetTransfers(TraderRequest[TransfersReport], frozen=True, kw_only=True):
    """Transfers, those that have not ended first."""

    most: int = 5

    async def answer(self, trading: "Transferring", /) -> TransfersReport:
        """See `Request.answer`."""
        return trading.transfers(self.most)


class GetTransferTerms(TraderRequest[TransferTermsReport], frozen=True, kw_only=True):
    """The terms on which something would be transferred now; nothing is sent.

    Attributes:
        chain: that brings it; empty for the only one that the settings have an address on.
        is_shown: a person is about to see the terms, so that their word may be for them.
    """

    timeout_s: ClassVar[float] = 15.0

    source: str
    target: str
    asset: str
    amount: Decimal
    chain: str = ""
    is_shown: bool = True

    async def answer(self, trading: "Transferring", /) -> TransferTermsReport:
        """See `Request.answer`."""
        return await trading.transfer_terms(self)

    async def ask(self, roles: Roles, /) -> TransferTermsReport:
        """Ask, and keep what is shown by it: a person's word is for that alone."""
        report = await roles.trader.call(self, timeout_s=self.timeout_s)
        if report.order is not None and self.is_shown:
            digest = digest_of_terms(report.order)
            roles.witness.showed(digest, digest, is_sent=True)
        return report


class TakeOnTransfer(TraderRequest[WorkDone | Declined], frozen=True, kw_only=True):
    """Take a transfer on that a person allowed; the same again changes nothing.

    Whoever asks has judged that, and put it into the audit; the signer has the person's own word.
    """

    order: TransferOrder
    engine: str
    by: str

    async def answer(self, trading: "Transferring", /) -> WorkDone | Declined:
        """See `Request.answer`."""
        return trading.take_on_transfer(self)


class CancelTransfer(Command[WorkDone], frozen=True, kw_only=True):
    """Send nothing more of a transfer: it only takes risk away, and is done in one step."""

    role: ClassVar[str] = "trader"
    timeout_s = 10.0

    transfer_id: str

    async def answer(self, engine: Any, /) -> WorkDone | Declined:
        """See `Request.answer`; here it is the trader."""
        trading: Transferring = engine
        if self.envelope is None:
            return Declined(why="a command without its envelope")
        return trading.cancel_transfer(self.transfer_id, self.envelope.by)

    async def ask(self, roles: Roles, /) -> WorkDone | Declined:
        """Take the word back at the signer, too, whatever becomes of the rest."""
        if self.envelope is not None:
            await roles.witness.took_back(self.envelope.target, transfer_id=self.transfer_id)
        reply: WorkDone | Declined = await roles.trader.call(self, timeout_s=self.timeout_s)
        return reply


class Transferring(Protocol):
    """What the role answers of transfers."""

    def transfers(self, most: int) -> TransfersReport:
        """Return transfers."""
        ...

    async def transfer_terms(self, asked: GetTransferTerms) -> TransferTermsReport:
        """Return what a person may say yes to."""
        ...

    def take_on_transfer(self, asked: TakeOnTransfer) -> WorkDone | Declined:
        """Take one on."""
        ...

    def cancel_transfer(self, transfer_id: str, by: str) -> WorkDone | Declined:
        """Send nothing more of one."""
        ...
