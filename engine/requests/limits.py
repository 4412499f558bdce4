"""Changing a limit while running; see `engine/decide/limit_set.py`."""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.bus.command import LOOSENS, Command, Envelope
from engine.bus.reports import Acknowledged, Declined
from engine.domain.errors import BadValueError

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class SetLimit(Command[Acknowledged], frozen=True, kw_only=True):
    """Set the value of a limit; letting more through needs what going up in mode needs.

    What was tightened since it was asked declines that. The value of the settings takes an
    earlier word back, and no value is looser than it.

    Attributes:
        name: as `LimitLine.term` has it.
        only_tightens: letting more through is declined, with whatever it comes.
    """

    name: str
    value: Decimal
    is_confirmed: bool = False
    code: str | None = None
    only_tightens: bool = False

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        limits = engine.core.decider.limits
        try:
            wanted = limits.with_one(self.name, self.value)
        except BadValueError as error:
            return Declined(why=str(error))
        term = limits.find(self.name)
        what = f"{self.name} {self.value:f} {term.unit}"
        if limits.is_looser(wanted):
            if self.only_tightens:
                return Declined(why=LOOSENS)
            asked = engine.step_up.of_limit(
                term, limits[term], self.value, mode=engine.control.mode
            )
            return await engine.loosen(
                envelope, asked, is_confirmed=self.is_confirmed, code=self.code
            )
        return await engine.change(envelope, f"limit {what}", limits=wanted)
