"""A bad way to Telegram, in simulated time: `python -m tests.bot.network_campaign --trials 1000`.

Of all calls 30 % are answered by 429, 10 % hang past the time limit, of 5 % the answer is lost
though they were carried out; in every fourth trial nothing comes through for 20 to 90 s. Through it
go alerts that are critical, prompts of approvals (with the engine's own approvals behind them),
other news and answers, from the ledger's notices to the chat of the emulator, by the product's
feed, alert desk, outbox and library.
"""

import argparse
import asyncio
import random
import re
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from telegram import Bot

from bot.alert_desk import make_alert_desk
from bot.answer import Answer
from bot.notices import NoticeFeed
from bot.render.screen import Screen
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority, Settled
from bot.telegram.pacing import Pace
from bot.telegram.replies import make_messages
from bot.telegram.requests import opt_in_to_durations
from bot.telegram.sender import Line, Sender
from bot.telegram.teller import Teller
from bot.threads import Threads
from engine.domain.approvals import ApprovalState
from engine.domain.units import NS_PER_S
from engine.facade.front_end import FrontEndSettings
from tests.bot import samples
from tests.bot.alerts.makers import killed
from tests.bot.asking_engine import AskingEngine
from tests.bot.bad_wire import SEND_S, Wire
from tests.simulation.virtual_time import VirtualLoop
from tests.telegram.emulator import OPERATOR_ID, TOKEN, TelegramEmulator

SPAN_S: Final = 60.0
"""Within so long everything is put into the chat."""

END_S: Final = 400.0
"""By then all of it has to be settled."""

_NEWS: Final = re.compile(r"(?:Opportunity|\d+ notices)\b[^#]*#(\d+) ")
"""News of one priority, and its number, counted by the ledger; the first one of several."""

CHANNEL = "telegram"
TAPPED = 0.7
"""So many prompts are tapped, some of them too late."""

OUTAGES = 4
"""In one of so many trials nothing comes through for a while, for prompts too long."""


@dataclass
class Result:
    """What trials came to."""

    trials: int = 0
    calls: int = 0
    critical: int = 0
    approvals: int = 0
    shown: int = 0
    undelivered: int = 0
    executed: int = 0
    answers: int = 0
    news: int = 0
    delays_s: list[float] = field(default_factory=list)
    retries_s: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Trial:
    """Some minutes of one chat."""

    def __init__(self, seed: int, result: Result) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.result = result
        self.loop = asyncio.get_running_loop()
        self.emulator = TelegramEmulator(clock=self.loop.time)
        self.engine = AskingEngine(self.now_ns)
        self.wire = Wire(self.emulator, self.chance)
        self.has_outage = seed % OUTAGES == 0
        if self.has_outage:
            began_s = self.chance.uniform(0, SPAN_S)
            self.wire.outage_s = (began_s, began_s + self.chance.uniform(20, 90))
        self.critical_at_s: dict[str, float] = {}
        self.seen_at_s: dict[str, float] = {}
        self.settled: list[tuple[int, Settled]] = []
        self.shown: set[str] = set()
        self.told: dict[int, None] = {}
        self.answers = 0
        self.news = 0

    def now_ns(self) -> int:
        return samples.AT_NS + int(self.loop.time() * NS_PER_S)

    def fail(self, what: str) -> None:
        self.result.failures.append(f"seed {self.seed}: {what}")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Outbox]:
        """Run the product's parts around the wire."""
        line = Line(token=TOKEN, base_url="http://x/bot", file_url="", send_s=SEND_S)
        line.bot = Bot(TOKEN, request=self.wire, get_updates_request=self.wire)
        sender = Sender(line=line, chat_id=OPERATOR_ID, send_s=SEND_S)
        settings = FrontEndSettings(alert_look_s=0.5, health_s=3_600.0)
        outbox = Outbox(sender, pace=Pace(per_s=1.0, burst=5, now_s=self.loop.time))
        deliver = Teller(outbox).deliver
        chat = f"telegram-{OPERATOR_ID}"
        alerts = make_alert_desk(
            self.engine, settings, source=CHANNEL, chat=chat, own_by="me", deliver=deliver,
            clock=self.now_ns,
        )  # fmt: skip
        feed = NoticeFeed(
            facade=self.engine, reader=CHANNEL, opportunity_usd_min=Decimal(1), deliver=deliver,
            threads=Threads(chat), alerts=alerts,
        )  # fmt: skip
        running = [
            asyncio.ensure_future(one)
            for one in (outbox.run(), alerts.run(), feed.run(), self.watch(), self.tick())
        ]
        try:
            yield outbox
        finally:
            for task in running:
                task.cancel()
            for one in await asyncio.gather(*running, return_exceptions=True):
                if isinstance(one, Exception):
                    self.fail(f"a part ended: {one!r}")

    async def watch(self) -> None:
        """See when something stands in the chat, and tap what can be."""
        while True:
            changed = self.emulator.changed
            now_s = self.loop.time()
            for entry in self.emulator.chats.from_bot():
                if news := _NEWS.match(entry.text):
                    self.told[int(news[1])] = None
                for name in self.critical_at_s.keys() - self.seen_at_s.keys():
                    if f"engine {name} " in entry.text:
                        self.seen_at_s[name] = now_s
                for nonce in _approving(entry):
                    if nonce not in self.shown:
                        self.shown.add(nonce)
                        if self.chance.random() < TAPPED:
                            at_s = self.chance.uniform(0.3, 70)
                            self.loop.call_later(at_s, self.engine.tap, nonce)
            await changed.wait()

    async def tick(self) -> None:
        while True:
            self.engine.tick()
            await asyncio.sleep(0.5)

    async def run(self) -> None:
        """Put all in, wait, and judge."""
        acts = (
            [self.alert] * self.chance.randint(1, 4)
            + [self.ask] * self.chance.randint(1, 5)
            + [self.answer] * self.chance.randint(2, 15)
            + [self.tell] * self.chance.randint(0, 12)
        )
        self.chance.shuffle(acts)
        at_s = sorted(self.chance.uniform(0, SPAN_S) for _ in acts)
        self.emulator.person_writes("/start")  # no bot writes first
        async with self.opened() as self.outbox:
            await asyncio.sleep(1)
            for act, due_s in zip(acts, at_s, strict=True):
                await asyncio.sleep(max(0.0, due_s - self.loop.time()))
                act()
            while self.loop.time() < END_S and not self.is_settled():
                await asyncio.sleep(0.5)
            await asyncio.sleep(1)
        self.judge()

    def alert(self) -> None:
        """The latch of another engine is set by somebody else."""
        name = f"k{len(self.critical_at_s)}"
        self.critical_at_s[name] = self.loop.time()
        self.engine.tell(killed(engine=name, at_ns=self.now_ns()))

    def ask(self) -> None:
        self.engine.ask_for(len(self.engine.known), Decimal(self.chance.randint(1, 100)))

    def answer(self) -> None:
        self.answers += 1
        number = self.answers
        for message in make_messages(
            Answer(screen=Screen(title=f"answer {number}.")),
            priority=Priority.ANSWER,
            on_settled=lambda how: self.settled.append((number, how)),
        ):
            self.outbox.put(message)

    def tell(self) -> None:
        self.news += 1
        self.engine.tell(samples.seen(profit_usd=9.0 + self.news, number=1_000 + self.news))

    def is_settled(self) -> bool:
        asked = self.engine.known.keys()
        return (
            self.seen_at_s.keys() == self.critical_at_s.keys()
            and len(self.settled) == self.answers
            and self.engine.ends.keys() == asked
            and self.engine.delivered.get(CHANNEL, 0) >= len(self.engine.stored)
        )

    def judge(self) -> None:
        """Hold what came of it against the claims."""
        result, engine = self.result, self.engine
        result.trials += 1
        result.calls += self.wire.calls
        result.retries_s += self.wire.retries_s
        result.critical += len(self.critical_at_s)
        result.answers += self.answers
        result.news += self.news
        result.approvals += len(engine.known)
        result.shown += len(self.shown)
        result.executed += len(engine.executed)
        for name, at_s in self.critical_at_s.items():
            if name not in self.seen_at_s:
                self.fail(f"{name} is critical and was not told")
            elif not self.has_outage:
                result.delays_s.append(self.seen_at_s[name] - at_s)
        self._judge_approvals()
        self._judge_order()
        if engine.delivered.get(CHANNEL, 0) < len(engine.stored):
            self.fail("news was not delivered")
        given_up = [number for number, how in self.settled if how is not Settled.DELIVERED]
        if given_up or len(self.settled) < self.answers or self.outbox.dropped_count:
            self.fail(f"answers were given up: {given_up}, {len(self.settled)} settled")

    def _judge_approvals(self) -> None:
        engine = self.engine
        half_ns = engine.approvals.rules.deliver_ns
        for nonce, approval in engine.known.items():
            state = engine.ends.get(nonce)
            in_time = engine.shown_at_ns.get(nonce, 1 << 62) < approval.asked_at_ns + half_ns
            self.result.undelivered += state is ApprovalState.UNDELIVERED
            if state is None:
                self.fail(f"{approval.approval_id} has no end")
            if state is ApprovalState.EXPIRED and not in_time:
                self.fail(f"{approval.approval_id} waited though nobody was shown it")
            if state is ApprovalState.UNDELIVERED and in_time:
                self.fail(f"{approval.approval_id} was shown and is void as undelivered")
            if nonce in engine.executed and nonce not in self.shown:
                self.fail(f"{approval.approval_id} was carried out and stood in no chat")
            executed = len(engine.executed)
            engine.tap(nonce)
            if len(engine.executed) > executed:
                self.fail(f"{approval.approval_id} can be approved after its end")
        twice = len(engine.executed) - len(set(engine.executed))
        if twice:
            self.fail("an approval was carried out twice")

    def _judge_order(self) -> None:
        """What has one priority comes to the chat in the order in which it was said."""
        if [*self.told] != sorted(self.told):
            self.fail(f"news came as {[*self.told]}")
        critical = sorted(self.seen_at_s, key=lambda name: int(name[1:]))
        if [*self.seen_at_s] != critical:
            self.fail(f"what is critical came as {[*self.seen_at_s]}")
        texts = [entry.text for entry in self.emulator.chats.from_bot()]
        places = [
            next((at for at, text in enumerate(texts) if f"answer {number}." in text), -1)
            for number in range(1, self.answers + 1)
        ]
        if -1 in places or places != sorted(places):
            self.fail(f"answers stand at {places}")


def _approving(entry: Any) -> list[str]:
    """Return the nonces of a message's buttons that approve."""
    return [
        button["callback_data"].split()[-1]
        for row in entry.buttons
        for button in row
        if button["text"].startswith("Approve ")
    ]


def play(*, trials: int, seed: int) -> Result:
    """Run so many trials."""
    opt_in_to_durations()
    result = Result()
    for number in range(seed, seed + trials):
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(_one(number, result))
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number - seed + 1} of {trials}")
    return result


async def _one(seed: int, result: Result) -> None:
    await Trial(seed, result).run()


def main() -> int:
    """Run the campaign and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    result = play(trials=asked.trials, seed=asked.seed)
    delays_s = sorted(result.delays_s)
    print(
        f"{result.trials} trials, {result.calls} calls: {result.critical} critical messages, median"
        f" {statistics.median(delays_s):.2f} s, worst {delays_s[-1]:.1f} s;"
        f" {result.approvals} approvals, {result.shown} shown, {result.undelivered} undelivered,"
        f" {result.executed} carried out; {result.answers} answers, {result.news} news;"
        f" retry_after {statistics.mean(result.retries_s):.2f} s; {len(result.failures)} failures"
    )
    for failure in result.failures[:20]:
        print(f"FAILED: {failure}")
    return int(bool(result.failures))


if __name__ == "__main__":
    sys.exit(main())
