"""Settings that may change while it runs; see `engine/operate/settings_desk.py`."""

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.bus.command import Command, Envelope
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import EngineRequest
from engine.bus.settings_reports import SettingsReport

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class GetSettings(EngineRequest[SettingsReport], frozen=True, kw_only=True):
    """Settings that may change while it runs, and what the files say that does not count yet."""

    async def answer(self, engine: "EngineAnswers", /) -> SettingsReport:
        """See `Request.answer`."""
        return engine.settings.report()


class OfferSettings(Command[Acknowledged], frozen=True, kw_only=True):
    """What the files say now, from the supervisor, which reads them: all of it or nothing.

    Tightening acts at once. With something looser among it, all waits for `AdoptSettings`: then
    this is declined, as needing a confirmation, however often it is asked.

    Attributes:
        values: of all settings that may change while it runs, by name.
        at_next_start: names of other settings that the files say otherwise.
        trouble: why the files cannot be gone by; then nothing changes.
    """

    values: dict[str, Decimal]
    at_next_start: tuple[str, ...] = ()
    trouble: str = ""

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        return await engine.settings.offer(envelope, self)


class AdoptSettings(Command[Acknowledged], frozen=True, kw_only=True):
    """Go by what the files say, looser as it is."""

    is_confirmed: bool = False
    code: str | None = None

    async def act(self, engine: "EngineAnswers", envelope: Envelope, /) -> Acknowledged | Declined:
        """See `Command.act`."""
        return await engine.settings.adopt(envelope, is_confirmed=self.is_confirmed, code=self.code)
