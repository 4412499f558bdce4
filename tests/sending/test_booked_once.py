"""What is told of transactions is booked once, whichever engine lives, and kept until it is."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.bus.performance import BooksReport
from engine.bus.records import Append, IntentRecord
from engine.bus.reports import PnlReport, TradesReport
from engine.bus.request import Reply, Request
from engine.bus.sending import Acknowledge
from engine.bus.unix_socket import open_server
from engine.domain.assets import AssetCode
from engine.domain.errors import TransientError
from engine.domain.handed import Handed
from engine.domain.modes import Basis, Money
from engine.domain.orders import Intent, OrderState, Receipt, Transaction
from engine.domain.plans import AtomicPlan, wallet_of
from engine.domain.told import Chore, Fate, TransactionNews
from engine.requests.money import GetPnl, GetTrades
from engine.requests.performance import GetBooks
from engine.requests.request_list import requests_of
from engine.sending.nonces import NonceTable
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.wiring.sender_answers import SenderAnswers
from tests.patience import PATIENCE_S
from tests.sending import booking_engine
from tests.storage import makers
from tests.storage.conftest import sqlite_model, with_model  # noqa: F401 - a fixture
from tests.storage.makers import make_atomic_plan, make_atomic_record

ROOT = Path(__file__).parents[2]
GAS = Decimal("0.000123456789012345")
GAIN = Decimal("9.5")


@dataclass
class Here:
    """A role that is asked in this process, and may be away, or deaf to one kind of question."""

    role: Any
    deaf_to: type[Any] | None = None
    asked: list[Any] = field(default_factory=list)

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        return await self.answer(request)

    async def answer(self, request: Request[Reply], /) -> Reply:
        self.asked.append(request)
        if self.deaf_to is not None and isinstance(request, self.deaf_to):
            raise TransientError("away")
        return await request.answer(self.role)


@dataclass
class Place:
    """A ledger and a sender's table, which outlive engines."""

    ledger: Here
    sender: Here
    table: NonceTable

    @property
    def books(self) -> Ledger:
        return self.ledger.role  # type: ignore[no-any-return]

    async def hand_over(self, number: int = 1) -> str:
        """Have a plan intended and handed over, as an engine did."""
        plan = live_plan(number)
        name = f"{plan.plan_id}-t"
        sent = Transaction(
            client_order_id=name,
            plan_id=plan.plan_id,
            chain=plan.chain,
            wallet=plan.wallet,
            sent_at_ns=plan.decided_at_ns,
            state=OrderState.SENT,
            gains_at=msgspec.convert(f"{plan.chain}-recovery", str),  # type: ignore[arg-type]
        )
        intent = IntentRecord(run_id="r0", basis=Basis.SANDBOX, intent=Intent.of(plan, [sent]))
        await self.books.answer(Append(records=[intent]))
        self.table.hand_over(
            Handed(client_order_id=name, plan=plan, pools=(), engine="main", at_ns=1)
        )
        return name

    def tell(self, name: str, fate: Fate, version: int, receipt: Receipt | None = None) -> None:
        self.table.tell(
            TransactionNews(client_order_id=name, version=version, fate=fate, receipt=receipt)
        )
        self.sender.role.told.set()

    def tell_chore(self, name: str, version: int, gas: Decimal) -> None:
        chore = Chore(
            what="nonce 7 was filled",
            wallet=wallet_of("ethereum"),
            asset=AssetCode("ETH"),
            gas=gas,
        )
        self.table.tell(
            TransactionNews(
                client_order_id=name,
                version=version,
                fate=Fate.CANCELLED if gas else Fate.UNDONE,
                chore=chore,
            )
        )
        self.sender.role.told.set()

    def unacknowledged(self) -> int:
        return len(self.table.told.untold("main", 0))

    async def profits(self) -> list[Decimal]:
        report = await self.books.answer(GetTrades(limit=99))
        assert isinstance(report, TradesReport)
        assert {one.money for one in report.trades} <= {Money.LIVE}
        return [one.profit_usd for one in report.trades]

    async def held(self) -> Mapping[tuple[str, str], Decimal]:
        """What the ledger says is held, once it agrees with what made it."""
        books = await self.books.answer(GetBooks())
        assert isinstance(books, BooksReport)
        assert books.differences == []
        return {(one.venue, one.asset): one.held for one in books.held if one.held}


def live_plan(number: int = 1) -> AtomicPlan:
    return msgspec.structs.replace(make_atomic_plan(number=number), is_live=True)


def receipt(number: int = 1, *, why: str = "") -> Receipt:
    transaction = make_atomic_record(number=number, why=why).execution.transaction
    assert transaction is not None
    assert transaction.receipt is not None
    return transaction.receipt


async def until(is_met: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            met = is_met()
            if await met if asyncio.iscoroutine(met) else met:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def settings(tmp_path: Path, sqlite_model: Path) -> LedgerSettings:  # noqa: F811 - a fixture
    return with_model(LedgerSettings(data_dir=tmp_path / "var"), sqlite_model)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[NonceTable]:
    opened = NonceTable(tmp_path / "nonces.sqlite3")
    yield opened
    opened.close()


@asynccontextmanager
async def at_work(settings: LedgerSettings, table: NonceTable) -> AsyncIterator[Place]:
    async with open_ledger(settings, clock=lambda: makers.NOW_NS) as ledger:
        yield Place(Here(ledger), Here(SenderAnswers(table)), table)


async def test_what_ended_while_no_engine_lived_is_booked_by_the_next_and_once(
    settings: LedgerSettings, table: NonceTable
) -> None:
    async with at_work(settings, table) as place:
        name = await place.hand_over()
        place.tell(name, Fate.SUCCEEDED, 1, receipt())
        for _ in range(2):
            async with booking_engine.running(place.ledger, place.sender):
                await until(lambda: place.unacknowledged() == 0)

        assert await place.profits() == [Decimal("9.14")]
        assert await place.held() == {
            ("ethereum", "ETH"): Decimal("-0.00018"),
            ("ethereum-recovery", "USD"): GAIN,
        }


async def test_what_is_told_of_a_plan_that_an_earlier_engine_booked_corrects_it_once(
    settings: LedgerSettings, table: NonceTable
) -> None:
    async with at_work(settings, table) as place:
        name = await place.hand_over()
        place.tell(name, Fate.SUCCEEDED, 1, receipt())
        async with booking_engine.running(place.ledger, place.sender):
            await until(lambda: place.unacknowledged() == 0)
        place.tell(name, Fate.UNDONE, 2)
        async with booking_engine.running(place.ledger, place.sender):
            await until(lambda: place.unacknowledged() == 0)
        undone = await place.profits(), await place.held()
        place.tell(name, Fate.REVERTED, 3, receipt(why="reverted"))
        for _ in range(2):
            async with booking_engine.running(place.ledger, place.sender):
                await until(lambda: place.unacknowledged() == 0)

        assert sum(undone[0]) == 0
        assert undone[1] == {}
        assert sum(await place.profits()) == Decimal("-0.36")
        assert await place.held() == {("ethereum", "ETH"): Decimal("-0.00018")}


async def test_nothing_is_acknowledged_before_the_ledger_has_it(
    settings: LedgerSettings, table: NonceTable
) -> None:
    async with at_work(settings, table) as place:
        name = await place.hand_over()
        place.ledger.deaf_to = None
        async with booking_engine.running(place.ledger, place.sender) as engine:
            place.ledger.deaf_to = Append
            place.tell(name, Fate.SUCCEEDED, 1, receipt())
            await until(lambda: engine.outbox.waiting > 0)
            await engine.handing.confirm()
            before = place.unacknowledged()
            place.ledger.deaf_to = None
            await until(lambda: place.unacknowledged() == 0)

        assert before == 1
        assert await place.profits() == [Decimal("9.14")]


async def test_what_no_plan_was_carried_out_by_is_a_cost_to_the_wei_in_whichever_run(
    settings: LedgerSettings, table: NonceTable
) -> None:
    async with at_work(settings, table) as place:
        place.tell_chore("hole-1", 1, GAS)
        async with booking_engine.running(place.ledger, place.sender) as engine:
            await until(lambda: place.unacknowledged() == 0)
            assert engine.live == {("ethereum", "ETH"): -GAS}
        first = await place.held()
        place.tell_chore("hole-1", 2, Decimal(0))  # its block is gone ...
        place.tell_chore("hole-1", 3, GAS * 2)  # ... and the next one was dearer
        for _ in range(2):
            async with booking_engine.running(place.ledger, place.sender):
                await until(lambda: place.unacknowledged() == 0)
        pnl = await place.books.answer(GetPnl(days=36_500))

        assert first == {("ethereum", "ETH"): -GAS}
        assert await place.held() == {("ethereum", "ETH"): -GAS * 2}
        assert isinstance(pnl, PnlReport)
        assert (pnl.live.upkeep, pnl.live.unpriced) == (1, 3)  # nobody values ETH here
        assert (pnl.executions, pnl.live.executions) == (0, 0)


async def test_killed_between_booking_and_acknowledgement_it_is_booked_once(
    settings: LedgerSettings, table: NonceTable, tmp_path: Path
) -> None:
    sockets = [tmp_path / f"{name}.sock" for name in ("ledger", "sender")]

    def on_fatal(error: Exception) -> None:
        raise error

    async with at_work(settings, table) as place:
        place.sender.deaf_to = Acknowledge
        async with (
            open_server(sockets[0], requests_of("ledger"), place.ledger, on_fatal=on_fatal),
            open_server(sockets[1], requests_of("sender"), place.sender, on_fatal=on_fatal),
        ):
            name = await place.hand_over()
            place.tell(name, Fate.SUCCEEDED, 1, receipt())
            place.tell_chore("hole-1", 1, GAS)
            for _ in range(2):
                with child(*sockets):
                    await until(lambda: has_asked(place.sender, Acknowledge))
                place.sender.asked.clear()
            kept = place.unacknowledged()
            place.sender.deaf_to = None
            with child(*sockets):
                await until(lambda: place.unacknowledged() == 0)

        assert kept == 2
        assert await place.profits() == [Decimal("9.14")]
        assert await place.held() == {
            ("ethereum", "ETH"): Decimal("-0.00018") - GAS,
            ("ethereum-recovery", "USD"): GAIN,
        }


def has_asked(role: Here, kind: type[Any]) -> bool:
    return any(isinstance(one, kind) for one in role.asked)


@contextlib.contextmanager
def child(*sockets: Path) -> Iterator[None]:
    """Run an engine as a process of its own, and kill it at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sending.booking_engine", *map(str, sockets)], cwd=ROOT
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
