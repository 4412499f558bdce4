"""A person's word that what a halted venue shows is what is so; see `letting`.

Orders go there again after it. What differed stays booked apart, as no gain and no loss.
"""

from typing import Final, Protocol

from engine.bus.command import Envelope
from engine.bus.reports import Declined
from engine.bus.request import Caller
from engine.bus.trading import AdoptVenue
from engine.bus.work_reports import WorkDone
from engine.domain.errors import TransientError
from engine.operate.letting import Letting, let

ADOPT_S: Final = 10.0


class Trades(Letting, Protocol):
    """The engine as what lets a venue go on sees it."""

    trader: Caller | None


async def adopt(
    engine: Trades, envelope: Envelope, venue: str, *, is_confirmed: bool, code: str | None
) -> WorkDone | Declined:
    """Take what a venue shows as what is so, once that has all that a loosening needs."""
    if engine.trader is None:
        return Declined(why="no orders are placed by this engine: SYNDICATE_EXCHANGES_TRADES")
    asked = engine.step_up.adopting(venue, mode=engine.control.mode)
    declined = await let(engine, envelope, asked, is_confirmed=is_confirmed, code=code)
    if declined is not None:
        return declined
    try:
        return await engine.trader.call(AdoptVenue(venue=venue, by=envelope.by), timeout_s=ADOPT_S)
    except TransientError as error:
        return Declined(why=f"allowed, and perhaps not done: {error}; look at /balances")
