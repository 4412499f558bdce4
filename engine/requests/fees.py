"""Setting the fees that are reckoned with, while running; see `engine/portfolio/fee_set.py`."""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.bus.command import LOOSENS, Command, Envelope
from engine.bus.place_reports import FeesReport
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import EngineRequest
from engine.domain.errors import BadValueError
from engine.domain.fees import fee_words

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class GetFees(EngineRequest[FeesReport], frozen=True, kw_only=True):
    """Ask which fees are in force."""

    async def answer(self, engine: "EngineAnswers", /) -> FeesReport:
        """See `Request.answer`."""
        return engine.reports.fees()


class SetFee(Command[Acknowledged], frozen=True, kw_only=True):
    """Set the taker fee of a venue; a lower one needs what letting a limit go up needs.

    What was tightened since it was asked declines that.

    Attributes:
        bps: None for what the settings say.
        only_tightens: a lower fee is declined, with whatever it comes.
    """

    venue: str
    bps: Decimal | None
    is_confirmed: bool = False
    code: str | None = None
    only_tightens: bool = False

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        venue = engine.reports.fee_venue(self.venue)
        if isinstance(venue, Declined):
            return venue
        fees = engine.core.fees
        try:
            wanted = fees.with_one(venue, self.bps, at_ns=engine.clock())
        except BadValueError as error:
            return Declined(why=str(error))
        if fees.is_looser(wanted):
            if self.only_tightens:
                return Declined(why=LOOSENS)
            asked = engine.step_up.of_fee(
                venue, fees.in_force[venue], self.bps, mode=engine.control.mode
            )
            return await engine.loosen(
                envelope, asked, is_confirmed=self.is_confirmed, code=self.code
            )
        return await engine.change(envelope, fee_words(venue, self.bps), fees=wanted)
