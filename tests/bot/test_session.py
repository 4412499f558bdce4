"""The same conversation has the same outcome by Telegram, in a terminal, and by neither."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest

from bot.answer import Answer
from bot.console import run_console
from bot.dispatch import Dispatcher, read_line
from bot.render.plain import write_plain
from bot.session import ChatSession, Choice, Shared, Turn, read_button
from engine.bus.command import LOOSENS, seal
from engine.domain.modes import Mode
from engine.domain.units import NS_PER_S
from engine.facade.front_end import FrontEndSettings
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill, Pause, Resume, SetMode, Unkill
from tests.bot.conftest import Chat, Clock
from tests.bot.fake_facade import CODE, FakeFacade
from tests.bot.test_console import Screenplay
from tests.patience import PATIENCE_S


class Talk(Protocol):
    """A person who talks to the bot."""

    def send(self, line: str) -> None:
        """Say something and go on."""
        ...

    async def expect(self, text: str) -> None:
        """Wait until something is shown that was not expected before."""
        ...

    def choose(self, label: str, *, is_yes: bool) -> None:
        """Answer the second step that was offered last."""
        ...


class Phone:
    """Writes and taps in the emulator."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._seen = 0
        self._toasts_seen = 0

    def send(self, line: str) -> None:
        self._chat.emulator.person_writes(line)

    async def expect(self, text: str) -> None:
        emulator = self._chat.emulator
        await emulator.wait_until(lambda: text in self._shown())
        self._seen, self._toasts_seen = len(emulator.transcript()), len(emulator.tap_answers)

    def choose(self, label: str, *, is_yes: bool) -> None:
        self._chat.emulator.person_taps(label if is_yes else "Leave it")

    def _shown(self) -> str:
        emulator = self._chat.emulator
        toasts = [toast.get("text") or "" for toast in emulator.tap_answers[self._toasts_seen :]]
        return "\n".join([*emulator.transcript()[self._seen :], *toasts])


class Typist:
    """Types in a terminal."""

    def __init__(self, play: Screenplay) -> None:
        self._play = play
        self._seen = 0

    def send(self, line: str) -> None:
        self._play.typed.put_nowait(line)

    async def expect(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while text not in self._play.shown[self._seen :]:
                await self._play._changed.wait()
        self._seen = self._play.shown.index(text, self._seen) + len(text)

    def choose(self, label: str, *, is_yes: bool) -> None:
        del label
        self.send("yes" if is_yes else "no")


class Caller:
    """Hands turns to the session itself, as a third front-end would."""

    def __init__(self, session: ChatSession, group: asyncio.TaskGroup) -> None:
        self._session = session
        self._group = group
        self._shown = ""
        self._nonce = ""
        self._changed = asyncio.Event()

    def send(self, line: str) -> None:
        self._hand_in(Turn(asked=read_line(line), by="me", epoch=self._session.epoch))

    async def expect(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while text not in self._shown:
                await self._changed.wait()
        self._shown = self._shown.partition(text)[2]

    def choose(self, label: str, *, is_yes: bool) -> None:
        del label
        choice = Choice(self._nonce, is_yes)
        self._hand_in(Turn(asked=choice, by="me", epoch=self._session.epoch))

    def _hand_in(self, turn: Turn) -> None:
        self._group.create_task(self._session.answer(turn, self._deliver))

    async def _deliver(self, answer: Answer | None) -> None:
        if answer is not None and answer.confirmation is not None:
            self._nonce = answer.nonce or ""
        self._shown += "too late" if answer is None else write_plain(answer.screen)
        self._changed.set()
        self._changed = asyncio.Event()


Open = Callable[[], AbstractAsyncContextManager[Talk]]


@pytest.fixture(params=["telegram", "terminal", "neither"])
def talk(request: pytest.FixtureRequest, chat: Chat) -> Open:
    """Return what opens a talk with the chat's facade and clock."""

    @asynccontextmanager
    async def by_telegram() -> AsyncIterator[Talk]:
        async with chat.start():
            yield Phone(chat)

    @asynccontextmanager
    async def in_a_terminal() -> AsyncIterator[Talk]:
        play, stop = Screenplay(), asyncio.Event()
        settings = FrontEndSettings(is_interactive=False, ask_s=5.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(
                run_console(chat.facade, settings, stop=stop, clock=chat.clock, terminal=play)
            )
            yield Typist(play)
            stop.set()

    @asynccontextmanager
    async def by_neither() -> AsyncIterator[Talk]:
        dispatcher = Dispatcher(
            facade=chat.facade, settings=FrontEndSettings(ask_s=5.0), clock=chat.clock
        )
        async with asyncio.TaskGroup() as group:
            yield Caller(ChatSession(dispatcher, Shared(60)), group)

    opens: dict[str, Open] = {
        "telegram": by_telegram,
        "terminal": in_a_terminal,
        "neither": by_neither,
    }
    return opens[request.param]


@pytest.fixture
def facade(chat: Chat) -> FakeFacade:
    return chat.facade


async def test_what_lets_the_engine_do_more_takes_two_steps_and_counts_once(
    talk: Open, facade: FakeFacade
) -> None:
    async with talk() as person:
        person.send("/mode paper")
        await person.expect("no real money moves")
        assert facade.mode is Mode.OBSERVE
        person.choose("Go to paper", is_yes=True)
        await person.expect("Mode is paper")
        person.send("/mode observe")
        await person.expect("Mode is observe")

    assert facade.effects == ["mode paper", "mode observe"]


async def test_a_second_step_that_is_declined_or_late_does_nothing(
    talk: Open, facade: FakeFacade, clock: Clock
) -> None:
    async with talk() as person:
        person.send("/resume")
        await person.expect("Resume")
        person.choose("Resume", is_yes=False)
        await person.expect("Left as it is")
        person.send("/mode paper")
        await person.expect("no real money moves")
        clock.advance(61)
        person.choose("Go to paper", is_yes=True)
        await person.expect("too late")

    assert facade.effects == []
    assert facade.count(Resume) == 0


async def test_a_kill_overtakes_all_and_what_was_sent_before_it_loosens_nothing(
    talk: Open, facade: FakeFacade
) -> None:
    await facade.ask(seal(Kill(why="first"), by="file", at_ns=0))
    gate = facade.gates[Pause] = asyncio.Event()

    async with talk() as person:
        person.send("/pause")
        await facade.wait_until_entered(Pause, 1)
        person.send(f"/unkill {CODE}")
        person.send("KILL it")
        await person.expect("Killed")
        gate.set()
        await person.expect("A kill came after it")
        person.send("/version")
        await person.expect("Commit")

    assert facade.is_killed
    assert facade.count(Unkill) == 0


async def test_a_kill_during_a_command_that_loosens_is_repeated_after_it(
    talk: Open, facade: FakeFacade
) -> None:
    await facade.ask(seal(Kill(why="first"), by="file", at_ns=0))
    gate = facade.gates[Unkill] = asyncio.Event()

    async with talk() as person:
        person.send(f"/unkill {CODE}")
        await facade.wait_until_entered(Unkill, 1)
        person.send("kill")
        await person.expect("Killed")
        gate.set()
        await facade.wait_until_entered(Kill, 3)

    assert facade.is_killed
    assert facade.effects[-1] == "kill a kill came while a command was under way"


async def test_a_kill_during_a_confirmed_second_step_is_repeated_after_it(
    talk: Open, facade: FakeFacade
) -> None:
    gate = asyncio.Event()

    async with talk() as person:
        person.send("/mode paper")
        await person.expect("no real money moves")
        facade.gates[SetMode] = gate
        person.choose("Go to paper", is_yes=True)
        await facade.wait_until_entered(SetMode, 2)
        person.send("kill")
        await person.expect("Killed")
        gate.set()
        await facade.wait_until_entered(Kill, 2)

    assert facade.is_killed


async def test_a_kill_voids_a_second_step_that_waits(talk: Open, facade: FakeFacade) -> None:
    async with talk() as person:
        person.send("/resume")
        await person.expect("Resume")
        person.send("kill")
        await person.expect("Killed")
        person.choose("Resume", is_yes=True)
        await person.expect("too late")

    assert facade.count(Resume) == 0


async def test_whatever_fails_or_is_not_understood_is_answered(
    talk: Open, facade: FakeFacade
) -> None:
    facade.is_engine_away = True

    async with talk() as person:
        person.send("/statsu")
        await person.expect("/status")
        person.send("/status")
        await person.expect("the engine is away")

    assert facade.count(GetStatus) == 1


async def test_what_waited_too_long_tightens_and_shows_but_loosens_nothing(
    facade: FakeFacade, clock: Clock
) -> None:
    dispatcher = Dispatcher(facade=facade, settings=FrontEndSettings(), clock=clock)
    session, told = ChatSession(dispatcher, Shared(60)), list[str]()

    async def deliver(answer: Answer | None) -> None:
        assert answer is not None
        told.append(answer.screen.title)

    for line in ("/version", "/resume", "/pause"):
        turn = Turn(asked=read_line(line), by="me", epoch=0, given_at_ns=clock())
        clock.advance(61)
        await session.answer(turn, deliver)

    assert told[1] == "Not done: /resume"
    assert facade.effects == ["pause"]


def test_a_button_carries_no_line_that_is_its_own_second_step() -> None:
    assert read_button("/pause") is not None
    assert read_button(f"/unkill {CODE}") is None
    assert read_button("nonsense") is None


@pytest.mark.parametrize("refused_as", ["not stored", "too old", "before a kill", "in conflict"])
async def test_what_may_not_be_changed_now_is_carried_out_as_far_as_it_tightens(
    facade: FakeFacade, clock: Clock, refused_as: str
) -> None:
    dispatcher = Dispatcher(facade=facade, settings=FrontEndSettings(), clock=clock)
    shared, told = Shared(60), list[str]()
    session = ChatSession(dispatcher, shared, lambda: refused_as == "in conflict")
    given_at_ns = clock() - (3_600 if refused_as == "too old" else 0) * NS_PER_S
    shared.epoch = 1 if refused_as == "before a kill" else 0

    async def say(line: str) -> str:
        asked = read_line(line)
        is_stored = refused_as != "not stored"
        turn = Turn(asked=asked, by="me", epoch=0, given_at_ns=given_at_ns, is_stored=is_stored)
        await session.answer(turn, deliver)
        return told[-1]

    async def deliver(answer: Answer | None) -> None:
        assert answer is not None
        told.append(write_plain(answer.screen))

    facade.mode = Mode.LIVE
    downward = [
        await say(f"{line} {CODE}")
        for line in ("/mode approve", "/mode paper", "/limit position_usd 100", "/fee gemini 90")
    ]
    effects = list(facade.effects)
    facade.mode = Mode.OBSERVE
    upward = [
        await say(f"{line} {CODE}")
        for line in ("/mode paper", "/mode live", "/limit position_usd 900", "/fee gemini 1")
    ]

    assert not any("Not done" in one for one in downward), downward
    assert effects == ["mode approve", "mode paper", "limit position_usd 100", "fee gemini 90"]
    assert all("Not done" in one and LOOSENS not in one for one in upward), upward
    assert facade.effects == effects, "nor was the kill carried out again"
