"""A command is carried out once: however often it comes, in whatever order, over kills."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from engine.bus.command import Command, Envelope, seal
from engine.bus.memory import MemoryCaller
from engine.bus.records import LoadState, StateRecord
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import Caller, Reply, Request
from engine.domain.engines import MAIN
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Mode
from engine.operate import outbox as outbox_module
from engine.operate.once import Once
from engine.operate.outbox import Outbox
from engine.requests.request_list import requests_of
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.effort import examples
from tests.storage.model import put_empty_ledger

S = 1_000_000_000
NOW_NS = 1_700_000_000 * S


class Act(Command[Acknowledged], frozen=True, kw_only=True):
    """Acts after its record is stored, as whatever loosens does."""

    number: int

    async def act(self, engine: "Engine", envelope: Envelope, /) -> Acknowledged | Declined:
        return await engine.carry_out(self.number, envelope)


class Line:
    """A line to the ledger; `dies` is called once what is sent is stored, before it is told."""

    def __init__(self, ledger: Caller) -> None:
        self.dies = asyncio.Event()
        self.is_dying = False
        self._ledger = ledger

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        reply = await self._ledger.call(request, timeout_s=timeout_s)
        if self.is_dying:
            self.dies.set()
            await asyncio.Event().wait()
        return reply


class Engine:
    """Acts once its record is stored."""

    def __init__(self, once: Once, outbox: Outbox, line: Line) -> None:
        self.once, self.outbox, self.line = once, outbox, line
        self.acted: list[int] = []
        self.now_ns = NOW_NS

    async def carry_out(self, number: int, envelope: Envelope) -> Acknowledged | Declined:
        text = f"{number} by {envelope.by}, {len(self.acted)} before"
        done = Acknowledged(text=text, is_killed=False, is_paused=False, mode=Mode.PAPER)
        record = StateRecord(
            record_id=envelope.id,
            at_ns=envelope.at_ns,
            mode=Mode.PAPER,
            is_paused=False,
            limits={},
            by=envelope.by,
            action=str(number),
            outcome=self.once.outcome(envelope, done),
        )
        await self.outbox.put_durably(record)
        self.acted.append(number)
        return done


@asynccontextmanager
async def begun(ledger: Ledger) -> AsyncIterator[Engine]:
    """Begin as an engine does; at the end all that it had in memory is lost."""
    line = Line(MemoryCaller(requests_of("ledger"), ledger))
    state = await ledger.answer(LoadState(day_start_ns=0))
    outbox = Outbox(line)
    once = Once(outbox, lambda: engine.now_ns, target=MAIN, outcomes=state.outcomes)
    engine = Engine(once, outbox, line)
    sending = asyncio.create_task(outbox.run())
    try:
        yield engine
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@asynccontextmanager
async def engine_of(directory: Path) -> AsyncIterator[Engine]:
    """Begin an engine over the ledger of a folder."""
    put_empty_ledger(directory)
    async with (
        open_ledger(LedgerSettings(data_dir=directory), clock=lambda: NOW_NS) as ledger,
        begun(ledger) as engine,
    ):
        yield engine


def act(number: int, *, lasts_s: int | None = 60, target: str = MAIN, ref: str = "m") -> Act:
    expires_at_ns = None if lasts_s is None else NOW_NS + lasts_s * S
    return seal(
        Act(number=number),
        by="me",
        at_ns=NOW_NS,
        ref=f"{ref}{number}",
        expires_at_ns=expires_at_ns,
        target=target,
    )


async def test_a_command_that_comes_again_gets_the_same_answer_and_acts_once(
    tmp_path: Path,
) -> None:
    async with engine_of(tmp_path) as engine:
        together = await asyncio.gather(*(act(1).answer(engine) for _ in range(3)))
        later = await act(1).answer(engine)

        assert isinstance(later, Acknowledged)
        assert {one.text for one in [*together, later] if isinstance(one, Acknowledged)} == {
            later.text
        }
        assert engine.acted == [1]

    async with engine_of(tmp_path) as engine:
        assert await act(1).answer(engine) == later
        assert engine.acted == []


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (act(1, lasts_s=0), "too late"),
        (act(1, target="other"), "'other'"),
        (replace(act(1), number=2), "not what was sealed"),
    ],
)
async def test_an_envelope_that_is_not_right_is_refused(
    tmp_path: Path, command: Act, why: str
) -> None:
    async with engine_of(tmp_path) as engine:
        reply = await command.answer(engine)

        assert isinstance(reply, Declined)
        assert why in reply.why
        assert engine.acted == []


async def test_one_that_was_carried_out_is_answered_the_same_though_it_has_expired_since(
    tmp_path: Path,
) -> None:
    async with engine_of(tmp_path) as engine:
        first = await act(1).answer(engine)
        engine.now_ns += 3_600 * S
        assert await act(1).answer(engine) == first
        assert isinstance(await act(2).answer(engine), Declined)
        assert not isinstance(await act(3, lasts_s=None).answer(engine), Declined)


async def test_a_command_without_an_envelope_and_one_by_a_used_id_do_nothing(
    tmp_path: Path,
) -> None:
    async with engine_of(tmp_path) as engine:
        with pytest.raises(BadValueError, match="without an envelope"):
            await Act(number=1).answer(engine)
        await act(1).answer(engine)
        first, other = act(1).envelope, act(2).envelope
        assert first is not None
        assert other is not None
        stolen = replace(act(2), envelope=replace(other, id=first.id))

        reply = await stolen.answer(engine)
    async with engine_of(tmp_path) as engine:
        later = await stolen.answer(engine)

        assert isinstance(reply, Declined)
        assert reply == later
        assert engine.acted == []


async def test_what_was_taken_back_is_answered_so_by_whoever_starts_next(tmp_path: Path) -> None:
    async with engine_of(tmp_path) as engine:
        await act(1).answer(engine)
        envelope = act(1).envelope
        assert envelope is not None
        engine.once.took_back(envelope, "a kill came")
        await engine.outbox.drain(timeout_s=5)
    async with engine_of(tmp_path) as engine:
        assert await act(1).answer(engine) == Declined(why="a kill came")


async def test_a_failure_is_answered_the_same_too(tmp_path: Path) -> None:
    class Failing(Act, frozen=True, kw_only=True):
        async def act(self, engine: Engine, _envelope: Envelope, /) -> Acknowledged | Declined:
            engine.acted.append(self.number)
            raise TransientError("the ledger is away")

    command = seal(Failing(number=1), by="me", at_ns=NOW_NS)
    async with engine_of(tmp_path) as engine:
        for _ in range(2):
            with pytest.raises(TransientError, match="the ledger is away"):
                await command.answer(engine)
        assert engine.acted == [1]


class Repeated(RuleBasedStateMachine):
    """Commands that come again, out of order and late, at engines that die at any step."""

    loop: asyncio.AbstractEventLoop
    ledger: Ledger
    examples = 0

    def __init__(self) -> None:
        super().__init__()
        Repeated.examples += 1
        self.answers: dict[int, Acknowledged | Declined] = {}
        self.acted: list[int] = []
        self._begin()

    @rule(numbers=st.lists(st.integers(1, 5), min_size=1, max_size=6))
    def come(self, numbers: list[int]) -> None:
        """Several at once, some of them twice."""

        async def ask() -> list[Acknowledged | Declined]:
            return await asyncio.gather(*(self._act(number) for number in numbers))

        for number, answer in zip(numbers, self.loop.run_until_complete(ask()), strict=True):
            assert self.answers.setdefault(number, answer) == answer

    @rule()
    def die(self) -> None:
        """Lose all memory between two commands."""
        self._end()
        self._begin()

    @rule(number=st.integers(1, 5))
    def die_between_record_and_answer(self, number: int) -> None:
        """Die once the record is stored and nothing was done or said yet."""

        async def ask() -> None:
            self.engine.line.is_dying = True
            asking = asyncio.create_task(self._act(number))
            dying = asyncio.create_task(self.engine.line.dies.wait())
            await asyncio.wait({asking, dying}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():  # it was carried out before
                assert self.answers.setdefault(number, asking.result()) == asking.result()
            for task in (asking, dying):
                task.cancel()
            await asyncio.gather(asking, dying, return_exceptions=True)

        self.loop.run_until_complete(ask())
        self._end()
        self._begin()

    @invariant()
    def acts_once(self) -> None:
        """Nothing acted twice, in all lives together."""
        acted = [*self.acted, *self.engine.acted]
        assert len(acted) == len(set(acted))

    async def _act(self, number: int) -> Acknowledged | Declined:
        return await act(number, ref=f"e{Repeated.examples}").answer(self.engine)

    def _begin(self) -> None:
        self.life = begun(self.ledger)
        self.engine = self.loop.run_until_complete(self.life.__aenter__())

    def _end(self) -> None:
        self.acted += self.engine.acted
        self.loop.run_until_complete(self.life.__aexit__(None, None, None))

    def teardown(self) -> None:
        self._end()


def test_commands_that_come_again_out_of_order_over_deaths_act_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "BATCH_S", 0.001)
    loop = asyncio.new_event_loop()
    put_empty_ledger(tmp_path)
    opened = open_ledger(LedgerSettings(data_dir=tmp_path), clock=lambda: NOW_NS)
    Repeated.loop, Repeated.ledger = loop, loop.run_until_complete(opened.__aenter__())
    try:
        run_state_machine_as_test(
            Repeated,
            settings=settings(
                max_examples=examples(25),
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    finally:
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.close()
