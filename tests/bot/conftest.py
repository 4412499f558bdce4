"""A chat: the emulator, the front-end under test, and an engine made of plain values."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from bot.news import News
from bot.run import run
from engine.facade.front_end import FrontEndSettings
from tests.bot.fake_facade import FakeFacade
from tests.bot.people import OWNER
from tests.bot.samples import AT_NS
from tests.patience import PATIENCE_S
from tests.telegram.emulator import TOKEN, TelegramEmulator


class Clock:
    """A wall clock that stands near the samples' instant and moves only when told."""

    def __init__(self) -> None:
        self.now_ns = AT_NS + 120_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def seconds(self) -> float:
        """Return seconds, as the emulator counts."""
        return self.now_ns / 1e9

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += int(seconds * 1e9)


@dataclass
class Chat:
    """One front-end serving one operator."""

    emulator: TelegramEmulator
    facade: FakeFacade
    clock: Clock
    settings: FrontEndSettings
    news: News = field(default_factory=asyncio.Queue)

    def start(self) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Serve until left; leaving stops in order."""
        return self._serve(self.settings)

    def start_with(self, **changes: object) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Serve with other settings."""
        return self._serve(replace(self.settings, **changes))  # type: ignore[arg-type]

    def start_with_clock(
        self, clock: Callable[[], int]
    ) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Serve with a clock of its own, as a role makes it."""
        return self._serve(self.settings, clock)

    async def say(self, text: str, *, answers: int = 1) -> str:
        """Write as the operator and return the answer."""
        before = len(self.emulator.transcript())
        self.emulator.person_writes(text)
        await self.emulator.wait_until(lambda: len(self.emulator.transcript()) >= before + answers)
        return "\n".join(self.emulator.transcript()[before:])

    async def read(self, text: str) -> str:
        """Write as the operator, turn all pages of the answer, and return all that they say."""
        said = [await self.say(text)]
        screen = self.emulator.chats.from_bot()[-1]
        while following := [b["text"] for row in screen.buttons for b in row if "›" in b["text"]]:
            edits = screen.edits
            self.emulator.person_taps(following[0], message_id=screen.message_id)
            await self.emulator.wait_until(lambda edits=edits: screen.edits > edits)  # type: ignore[misc]
            said.append(screen.text)
        return "\n".join(said)

    async def tap(self, label: str) -> None:
        """Tap a button and wait until the tap is answered."""
        before = len(self.emulator.tap_answers)
        self.emulator.person_taps(label)
        await self.emulator.wait_until(lambda: len(self.emulator.tap_answers) > before)

    async def wait_until(self, is_met: Callable[[], bool]) -> None:
        """Wait until a condition on the engine's side holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_met():
                await self.facade._changed.wait()

    @asynccontextmanager
    async def _serve(
        self, settings: FrontEndSettings, clock: Callable[[], int] | None = None
    ) -> AsyncIterator[asyncio.Task[None]]:
        stop = asyncio.Event()
        serving = asyncio.create_task(
            run(self.facade, settings, stop=stop, clock=clock or self.clock, news=self.news)
        )
        try:
            yield serving
        finally:
            stop.set()
            if not serving.cancelled():
                await serving


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def emulator(clock: Clock) -> AsyncIterator[TelegramEmulator]:
    async with TelegramEmulator(clock=clock.seconds).serve() as served:
        yield served


@pytest.fixture
def chat(emulator: TelegramEmulator, clock: Clock) -> Chat:
    settings = FrontEndSettings(
        telegram_token=TOKEN,
        telegram_people=(OWNER,),
        telegram_base_url=emulator.base_url,
        opportunity_notice_usd_min=Decimal(5),
        poll_s=1,
        send_s=1.0,
        ask_s=5.0,
        conflict_s=3.0,
        chat_sends_per_s=200.0,
        chat_send_burst=50,
        alert_group_wait_s=0.0,
        alert_edit_s=0.0,
        alert_look_s=0.02,
    )
    return Chat(emulator, FakeFacade(), clock, settings)
