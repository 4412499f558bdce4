"""While the operator can be neither heard nor told, it pauses; the gap is told afterwards."""

from bot.telegram.blindness import Blindness, Gap
from engine.requests.safety import Pause
from tests.bot.conftest import Chat
from tests.telegram.faults import Fault, Kind


class Watched:
    """A chat whose silence is what the test says."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.silent_s = 0.0
        self.pauses = 0
        self.told: list[Gap] = []
        self._refuses = refuses
        self.blindness = Blindness(
            blind_s=60,
            pause_s=600,
            silent_s=lambda: self.silent_s,
            pause=self._pause,
            tell=self.told.append,
        )

    async def _pause(self, _silent_s: float) -> bool:
        self.pauses += 1
        return self.pauses > self._refuses

    async def through(self, *silences: float) -> "Watched":
        for self.silent_s in silences:
            await self.blindness.look()
        return self


async def test_a_short_silence_is_no_gap() -> None:
    watched = await Watched().through(0, 25, 0, 59, 3)
    assert (watched.pauses, watched.told) == (0, [])


async def test_a_gap_is_told_once_and_says_whether_it_paused() -> None:
    watched = await Watched().through(0, 59, 61, 599, 1, 2, 3)
    assert watched.told == [Gap(599, is_paused=False)]
    assert watched.pauses == 0

    await watched.through(0, 599, 600, 601, 4_000, 0, 25, 0)
    assert watched.told[1:] == [Gap(4_000, is_paused=True)]
    assert watched.pauses == 1


async def test_a_pause_that_was_not_taken_is_asked_for_again() -> None:
    watched = await Watched(refuses=2).through(600, 601, 602, 603, 0)
    assert watched.pauses == 3
    assert watched.told == [Gap(603, is_paused=True)]


async def test_a_telegram_that_stays_away_pauses_and_the_gap_is_told_with_a_way_on(
    chat: Chat,
) -> None:
    async with chat.start_with(blind_s=0.2, blind_pause_s=0.6, poll_s=1):
        await chat.say("/version")
        chat.emulator.script("getUpdates", *[Fault(Kind.SERVER_ERROR)] * 30)
        await chat.facade.wait_until_entered(Pause, 1)
        chat.emulator.forget_faults()
        told = "You could not be reached for"
        await chat.emulator.wait_until(
            lambda: any(told in text for text in chat.emulator.transcript())
        )
        (text,) = [one for one in chat.emulator.transcript() if told in one]

    assert "It was paused meanwhile" in text
    assert chat.facade.effects == ["pause"]
    (pause,) = [one for one in chat.facade.asked if isinstance(one, Pause)]
    assert pause.envelope is not None
    assert pause.envelope.by.startswith("the chat, blind for ")
