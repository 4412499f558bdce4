"""A person's word that our contract may run again after a pause; see `letting`."""

from collections.abc import Callable
from typing import Protocol

from engine.bus.command import Envelope
from engine.bus.reports import Declined
from engine.bus.request import Caller
from engine.bus.sending import AskContract
from engine.bus.work_reports import WorkDone
from engine.domain.errors import TransientError
from engine.domain.told import Asked
from engine.operate.letting import Letting, let


class Sends(Letting, Protocol):
    """The engine as what lets the contract run sees it."""

    sender: Caller | None
    why_not_live: Callable[[], str]


async def unpause(
    engine: Sends, envelope: Envelope, chain: str, *, is_confirmed: bool, code: str | None
) -> WorkDone | Declined:
    """Let our contract on a chain run again, once that has all that a loosening needs."""
    if engine.sender is None:
        return Declined(why=engine.why_not_live())
    asked = engine.step_up.letting_run(chain, mode=engine.control.mode)
    declined = await let(engine, envelope, asked, is_confirmed=is_confirmed, code=code)
    if declined is not None:
        return declined
    word = Asked(
        command_id=envelope.id, chain=chain, is_pause=False, by=envelope.by, at_ns=engine.clock()
    )
    try:
        return await engine.sender.call(AskContract(asked=word), timeout_s=AskContract.timeout_s)
    except TransientError as error:
        return Declined(why=f"allowed, and perhaps not done: {error}; look at /contract")
