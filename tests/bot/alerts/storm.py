"""A thousand alerts in a minute of a clock that is told: how many messages, and which were missed.

``python -m tests.bot.alerts.storm --trials 200``, from the ledger's notices to the emulated phone.
"""

import argparse
import asyncio
import random
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.alerts.table import row_of
from engine.bus.notices import LateFill, LimitHit, Notice, VenueLost
from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.opportunities import Reason
from engine.facade.front_end import FrontEndSettings
from tests.bot import samples
from tests.bot.alerts.makers import killed
from tests.bot.conftest import Chat, Clock
from tests.bot.fake_facade import FakeFacade
from tests.bot.people import OWNER
from tests.telegram.emulator import TOKEN, TelegramEmulator

ALERTS = 1_000
MINUTE_MS = 60_000
MESSAGES_MAX = 12
CRITICAL_MAX = 8
SLOW = 10
"""So many come one by one, and get messages of their own, before the others."""

PATTERNS = ("even", "burst", "slow start", "restart")
_KILLED = re.compile(r"KILLED: engine k\d+")
_LEFT_OUT = re.compile(r"Too many alerts: ([\d,]+) more")


@dataclass(frozen=True)
class Result:
    """What a trial came to."""

    pattern: str
    messages: int
    missed: list[str]
    counted: int

    @property
    def is_good(self) -> bool:
        return self.messages <= MESSAGES_MAX and not self.missed and self.counted == ALERTS


def make_settings(base_url: str) -> FrontEndSettings:
    return FrontEndSettings(
        telegram_token=TOKEN,
        telegram_people=(OWNER,),
        telegram_base_url=base_url,
        poll_s=1,
        send_s=5.0,
        chat_sends_per_s=1_000.0,
        chat_send_burst=100,
        alert_look_s=0.005,
        health_s=3_600.0,
    )


def ordinary(number: int, rng: random.Random, at_ns: int) -> Notice:
    """Return a notice of a thing of its own."""
    engine_id, basis = f"e{number}", Basis.SANDBOX
    match rng.randrange(3):
        case 0:
            return LateFill(
                at_ns=at_ns, basis=basis, engine_id=engine_id, execution_id=f"x{number}",
                opportunity_id=f"o{number}", pair="BTC-USD", fills=1,
                profit_usd=samples.sums().realised,
            )  # fmt: skip
        case 1:
            return LimitHit(
                at_ns=at_ns, basis=basis, engine_id=engine_id,
                reason=Reason.POSITION_LIMIT, detail="1,000 of 1,000",
            )  # fmt: skip
        case _:
            return VenueLost(
                at_ns=at_ns, basis=basis, engine_id=engine_id, venue=VenueId("gemini"),
                fault=Fault.DISCONNECTED, books=6,
            )  # fmt: skip


def moments(pattern: str, rng: random.Random) -> list[int]:
    """Return when the alerts come, in milliseconds of the minute."""
    if pattern == "burst":
        start = rng.randrange(MINUTE_MS - 1_000)
        return sorted(start + rng.randrange(1_000) for _ in range(ALERTS))
    if pattern == "slow start":
        slow = [number * 3_000 for number in range(SLOW)]
        return slow + sorted(rng.randrange(33_000, MINUTE_MS) for _ in range(ALERTS - SLOW))
    return sorted(rng.randrange(MINUTE_MS) for _ in range(ALERTS))


class Trial:
    """One minute."""

    def __init__(self, chat: Chat, clock: Clock, seed: int) -> None:
        self.rng = random.Random(seed)
        self.pattern = PATTERNS[seed % len(PATTERNS)]
        self.chat, self.clock = chat, clock
        critical = 1 if self.pattern == "slow start" else self.rng.randint(1, CRITICAL_MAX)
        first = SLOW if self.pattern == "slow start" else 0
        self.critical = set(self.rng.sample(range(first, ALERTS), critical))
        self.names: list[str] = []

    async def run(self) -> Result:
        at_ms = moments(self.pattern, self.rng)
        half = ALERTS // 2 if self.pattern == "restart" else ALERTS
        start_ns = self.clock.now_ns
        for part in (range(half), range(half, ALERTS)):
            if not part:
                continue
            async with self.chat.start():
                for number in part:
                    self.clock.now_ns = start_ns + at_ms[number] * 1_000_000
                    await self._tell(number)
                await self._until_taken(part[-1] + 1)
        async with self.chat.start():
            self.clock.now_ns = start_ns + MINUTE_MS * 1_000_000 - 1
            await self._until_taken(ALERTS)
            messages = len(self.chat.emulator.transcript()) - 1
            self.clock.advance(20)
            await self.chat.emulator.wait_until(lambda: self._counted() >= ALERTS)
        texts = self.chat.emulator.transcript()[1:]
        missed = [name for name in self.names if not any(f"engine {name} " in t for t in texts)]
        return Result(self.pattern, messages, missed, self._counted())

    async def _tell(self, number: int) -> None:
        if number in self.critical:
            name = f"k{number}"
            self.names.append(name)
            self.chat.facade.tell(killed(engine=name, at_ns=self.clock.now_ns))
            # It waits for nothing: its message is there at this very moment of the clock.
            await self.chat.emulator.wait_until(
                lambda: any(f"engine {name} " in text for text in self.chat.emulator.transcript())
            )
        else:
            notice = ordinary(number, self.rng, self.clock.now_ns)
            assert row_of(notice).severity(notice) > 1
            self.chat.facade.tell(notice)
            if self.pattern == "slow start" and number < SLOW:
                await self._until_taken(number + 1)
                self.clock.advance(2.5)
                await self.chat.emulator.wait_until(
                    lambda: len(self.chat.emulator.transcript()) == number + 2
                )
            elif number % 10 == 0:
                await asyncio.sleep(0)

    async def _until_taken(self, count: int) -> None:
        await self.chat.wait_until(
            lambda: self.chat.facade.delivered.get("telegram-alerts", 0) >= count
        )

    def _counted(self) -> int:
        """Return how many alerts the chat tells of: by themselves, or counted by the storm."""
        texts = self.chat.emulator.transcript()[1:]
        storms = [int(m[1].replace(",", "")) for t in texts if (m := _LEFT_OUT.search(t))]
        killed_ones = [m[0] for text in texts if (m := _KILLED.search(text))]
        repeats = len(killed_ones) - len(set(killed_ones))
        return len(texts) - repeats - len(storms) + sum(storms)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Chat, Clock]]:
    clock = Clock()
    async with TelegramEmulator(clock=clock.seconds).serve() as phone:
        chat = Chat(phone, FakeFacade(), clock, make_settings(phone.base_url))
        async with chat.start():
            await chat.say("/start")
        yield chat, clock


async def run_trial(seed: int) -> Result:
    """Run one minute."""
    async with opened() as (chat, clock):
        return await Trial(chat, clock, seed).run()


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    results: dict[str, list[Result]] = {pattern: [] for pattern in PATTERNS}
    began_s = time.monotonic()
    for seed in range(asked.seed, asked.seed + asked.trials):
        result = await run_trial(seed)
        results[result.pattern].append(result)
        if not result.is_good:
            print(f"seed {seed}: {result}")
    for pattern, some in results.items():
        worst = max((one.messages for one in some), default=0)
        failed = sum(not one.is_good for one in some)
        print(f"{pattern}: {len(some)} trials, {failed} failures, at most {worst} messages")
    print(f"{time.monotonic() - began_s:.0f} s")
    return int(any(not one.is_good for some in results.values() for one in some))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
