"""A person's word on a transfer: to whoever signs first, then through the engine to the trader."""

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.bus.command import Command, Envelope
from engine.bus.reports import Declined
from engine.bus.request import Roles
from engine.bus.work_reports import WorkDone
from engine.domain.transfer_life import TransferOrder
from engine.domain.transfers import transfer_id_of

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class BeginTransfer(Command[WorkDone], frozen=True, kw_only=True):
    """Begin a transfer on the terms that were shown: a loosening, judged by the engine.

    Attributes:
        order: the terms; its id is made of the command's, so that one command begins one.
    """

    timeout_s = 20.0

    order: TransferOrder
    is_confirmed: bool = False
    code: str | None = None

    async def ask(self, roles: Roles, /) -> WorkDone | Declined:
        """Tell the signer who allows it, before the engine; take back what came to nothing."""
        envelope = self.envelope
        if envelope is None or not (self.is_confirmed or self.code is not None):
            return await roles.engine.call(self, timeout_s=self.timeout_s)
        order = named(self.order, envelope)
        if why := await roles.witness.allowed_transfer(envelope, order, self.code):
            return Declined(why=why)
        reply = await roles.engine.call(self, timeout_s=self.timeout_s)
        if isinstance(reply, Declined):
            await roles.witness.took_back(envelope.target, transfer_id=order.transfer_id)
        return reply

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> WorkDone | Declined:
        """See `Command.act`."""
        return await engine.begin_transfer(
            envelope,
            named(self.order, envelope),
            is_confirmed=self.is_confirmed,
            code=self.code,
        )


def named(order: TransferOrder, envelope: Envelope) -> TransferOrder:
    """Return terms with the id of the command that begins them."""
    return replace(order, transfer_id=transfer_id_of(envelope.id))
