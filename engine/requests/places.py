"""Switching venues and pairs off and on while running; see `engine/decide/off_list.py`."""

from typing import TYPE_CHECKING

from engine.bus.command import Command, Envelope
from engine.bus.place_reports import PlacesReport
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import EngineRequest
from engine.domain.switched_off import PlaceKind

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class GetPlaces(EngineRequest[PlacesReport], frozen=True, kw_only=True):
    """Ask which venues, or pairs, are on and off."""

    kind: PlaceKind

    async def answer(self, engine: "EngineAnswers", /) -> PlacesReport:
        """See `Request.answer`."""
        return engine.reports.places(self.kind)


class SwitchOff(Command[Acknowledged], frozen=True, kw_only=True):
    """Have no new plan use a venue or a pair, at once; idempotent."""

    kind: PlaceKind
    name: str

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        found = engine.reports.place(self.kind, self.name, engine.clock())
        if isinstance(found, Declined):
            return found
        held, what = engine.core.decider.off, f"{found.kind} {found.name}"
        if held.find(*found.key) is not None:
            # It is a word of its own: what is being switched on meanwhile stays off.
            return await engine.change(envelope, f"{what} is off already", off=held.all)
        return await engine.change(envelope, f"{what} off", off=(*held.all, found))


class SwitchOn(Command[Acknowledged], frozen=True, kw_only=True):
    """Let plans use a venue or a pair again; it needs what letting a limit go up needs.

    What was tightened since it was asked declines that.
    """

    kind: PlaceKind
    name: str
    is_confirmed: bool = False
    code: str | None = None

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        found = engine.reports.place(self.kind, self.name, engine.clock())
        if isinstance(found, Declined):
            return found
        held = engine.core.decider.off.find(*found.key)
        if held is None:
            return engine.now(f"{found.kind} {found.name} is on already")
        asked = engine.step_up.switching_on(held, mode=engine.control.mode)
        return await engine.loosen(envelope, asked, is_confirmed=self.is_confirmed, code=self.code)
