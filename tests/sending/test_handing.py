"""From the executor over the socket to the chain and back: booked once, as the chain shows it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from engine.bus.booked import BookedReport, GetBooked
from engine.bus.request import Reply, Request
from engine.bus.unix_socket import SocketCaller, open_server
from engine.core.inputs.transaction_told import TransactionTold
from engine.domain.modes import Basis
from engine.domain.orders import Intent
from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate
from engine.execute.finished import Finished
from engine.execute.live_atomic import LiveAtomicExecutor
from engine.operate.handing import Handing
from engine.portfolio.taken_pools import TakenPools
from engine.requests.request_list import requests_of
from engine.sending.desk import ChainDesk
from engine.sending.routes import gain_expected_raw
from engine.wiring.sender_answers import NOT_COME, SenderAnswers
from tests.patience import PATIENCE_S
from tests.sending.sending_world import SendingWorld

pytestmark = pytest.mark.slow


class EmptyLedger:
    """A ledger that has booked nothing yet."""

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        assert isinstance(request, GetBooked)
        return cast("Reply", BookedReport(booked=()))


EMPTY = EmptyLedger()


@dataclass
class Engine:
    """What an engine has of it: executor, way out, and the inputs that came back."""

    sending: SendingWorld
    socket: Path

    def __post_init__(self) -> None:
        self.inputs: list[TransactionTold] = []
        self.intents: list[Intent] = []
        self.finished: list[Finished] = []
        self.caller = SocketCaller(self.socket, role="sender")
        self.handing = Handing(self.caller, EMPTY, engine="main", now_ns=self.sending.now_ns)
        self.handing.take_told = self.take
        known = [
            SimpleNamespace(pool=terms.pool, row=SimpleNamespace(tick_spacing=terms.tick_spacing))
            for terms in self.sending.pools(self.sending.concentrated, self.sending.pair)
        ]
        self.executor = LiveAtomicExecutor(
            sender=self.handing,
            pools=cast("Any", dict(enumerate(known))),
            taken=TakenPools({}),
            is_killed=lambda: False,
            intend=self.intents.append,
            waits_for_intents=False,
        )

    def take(self, told: TransactionTold) -> None:
        self.inputs.append(told)
        at_ns = self.sending.now_ns()
        self.executor.transaction_told(told.news, at_ns)
        self.finished += self.executor.advance(at_ns)

    async def until(self, is_met: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_met():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def served(sending: SendingWorld) -> AsyncIterator[tuple[SenderAnswers, Path]]:
    answers = SenderAnswers(sending.table, basis=Basis.SANDBOX_LIVE)
    socket = sending.folder / "s.sock"

    def on_fatal(error: Exception) -> None:
        raise error

    async with open_server(socket, requests_of("sender"), answers, on_fatal=on_fatal):
        yield answers, socket


@asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    task = asyncio.create_task(engine.handing.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await engine.caller.aclose()


def in_rows(plan: AtomicPlan) -> AtomicPlan:
    steps = tuple(msgspec.structs.replace(step, row=row) for row, step in enumerate(plan.steps))
    return msgspec.structs.replace(plan, steps=steps)


def test_a_plan_of_the_executor_is_booked_with_what_the_chain_gave(sending: SendingWorld) -> None:
    sending.gap()
    plan = in_rows(sending.plan(seconds=60))
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> Engine:
        async with served(sending) as (answers, socket):
            desk.told = answers.told
            engine = Engine(sending, socket)
            async with running(engine):
                engine.executor.start(plan, plan.decided_at_ns)
                await asyncio.wait_for(answers.handed.wait(), PATIENCE_S)
                await desk.step()
                for _ in range(3):
                    sending.world.mine()
                    await desk.step()
                await engine.until(lambda: bool(engine.finished))
            return engine

    engine = sending.run(work)

    (finished,) = engine.finished
    gain = Decimal(gain_expected_raw(plan, sending.route(plan))).scaleb(-18)
    spent_wei = 10**18 - int(sending.world.rpc.ask("eth_getBalance", sending.wallet, "latest"), 16)
    assert finished.execution.profit_quote == gain - Decimal(spent_wei).scaleb(-18)
    assert [one.news.fate for one in engine.inputs] == [Fate.SUCCEEDED]


def test_an_engine_that_starts_anew_learns_of_a_plan_that_never_came_and_it_never_will(
    sending: SendingWorld,
) -> None:
    plan = in_rows(sending.plan(seconds=60))

    async def work(desk: ChainDesk) -> Engine:
        async with served(sending) as (_, socket):
            lost = Engine(sending, socket)
            lost.executor.start(plan, plan.decided_at_ns)  # its way out never ran
            engine = Engine(sending, socket)
            async with running(engine):
                engine.executor.recover(lost.intents[0], sending.now_ns())
                await engine.until(lambda: bool(engine.finished))
            async with running(lost):
                await lost.until(lambda: bool(lost.inputs))
            await desk.step()
            return engine

    engine = sending.run(work)

    (finished,) = engine.finished
    assert finished.execution.profit_quote == 0
    assert engine.inputs[0].news.why == NOT_COME
    assert sending.count() == 0


def test_a_sender_that_is_away_is_handed_the_plan_when_it_is_back(sending: SendingWorld) -> None:
    sending.gap()
    plan = in_rows(sending.plan(seconds=60))

    async def work(desk: ChainDesk) -> None:
        del desk
        engine = Engine(sending, sending.folder / "s.sock")
        async with running(engine):
            engine.executor.start(plan, plan.decided_at_ns)
            await asyncio.sleep(0)
            async with served(sending) as (answers, _):
                await asyncio.wait_for(answers.handed.wait(), PATIENCE_S)

    sending.run(work)

    assert [one.client_order_id for one in sending.table.waiting()] == [f"{plan.plan_id}-t"]
