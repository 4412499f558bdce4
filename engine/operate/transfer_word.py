"""A person's word that money of ours goes from one exchange to another; see `letting`.

The signer has the person's own word by then; here it is judged, and put into the audit.
"""

from typing import Final, Protocol

from engine.bus.command import Envelope
from engine.bus.reports import Declined
from engine.bus.request import Caller
from engine.bus.transferring import TakeOnTransfer
from engine.bus.work_reports import WorkDone
from engine.domain.errors import TransientError
from engine.domain.transfer_life import TransferOrder
from engine.operate.letting import Letting, let

TAKE_ON_S: Final = 10.0


class Trades(Letting, Protocol):
    """The engine as what lets money go sees it."""

    trader: Caller | None


async def begin(
    engine: Trades,
    envelope: Envelope,
    order: TransferOrder,
    *,
    is_confirmed: bool,
    code: str | None,
) -> WorkDone | Declined:
    """Have a transfer taken on, once it has all that a loosening needs."""
    if engine.trader is None:
        return Declined(why="no orders are placed by this engine: SYNDICATE_EXCHANGES_TRADES")
    asked = engine.step_up.transferring(order)
    declined = await let(engine, envelope, asked, is_confirmed=is_confirmed, code=code)
    if declined is not None:
        return declined
    word = TakeOnTransfer(order=order, engine=envelope.target, by=envelope.by)
    try:
        return await engine.trader.call(word, timeout_s=TAKE_ON_S)
    except TransientError as error:
        return Declined(why=f"allowed, and perhaps not begun: {error}; look at /transfer")
