"""What a role beside the engine has the ledger keep."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from engine.bus.notices import RecordsDropped, WorkTrouble
from engine.bus.records import Append, NoticeRecord, Record
from engine.bus.request import Reply, Request
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis
from engine.wiring import for_ledger
from engine.wiring.for_ledger import ForLedger
from tests.patience import PATIENCE_S


class PickyLedger:
    """A ledger that is away until it is told to be there, and refuses some records for good."""

    def __init__(self, *refused: str, is_there: bool = True) -> None:
        self.stored: list[NoticeRecord] = []
        self.changed = asyncio.Event()
        self.is_there = is_there
        self._refused = refused

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        self.changed.set()
        if not self.is_there:
            raise TransientError("the ledger does not answer")
        assert isinstance(request, Append)
        (record,) = request.records
        assert isinstance(record, NoticeRecord)
        if record.record_id in self._refused:
            raise BadValueError("no such record is kept")
        self.stored.append(record)
        return None  # type: ignore[return-value]

    async def aclose(self) -> None:
        """Nothing is open."""

    @property
    def names(self) -> list[str]:
        return [one.record_id for one in self.stored]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self.changed.clear()
                await self.changed.wait()


def trouble(name: str) -> NoticeRecord:
    notice = WorkTrouble(at_ns=1, basis=Basis.SANDBOX, task="gas", what="it failed")
    return NoticeRecord(record_id=name, notice=notice)


def rank(record: Record) -> int:
    assert isinstance(record, NoticeRecord)
    return int(record.record_id.startswith("money"))


@asynccontextmanager
async def storing(
    ledger: PickyLedger, names: Sequence[str], *, most: int = 100
) -> AsyncIterator[ForLedger]:
    records = ForLedger(
        ledger, kind="work", basis=Basis.SANDBOX, clock=lambda: 7, rank=rank, most=most
    )
    for name in names:
        records.store_later(trouble(name))
    running = asyncio.create_task(records.run())
    try:
        yield records
        assert not running.done()
    finally:
        running.cancel()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(for_ledger, "RETRY_S", 0.0)


async def test_a_record_that_the_ledger_refuses_for_good_holds_up_no_other() -> None:
    ledger = PickyLedger("bad")
    async with storing(ledger, ["bad", "good"]):
        await ledger.until(lambda: bool(ledger.stored))
    assert ledger.names == ["good"]


async def test_records_wait_for_a_ledger_that_is_away_and_keep_their_order() -> None:
    ledger = PickyLedger(is_there=False)
    names = [str(number) for number in range(5)]
    async with storing(ledger, names) as records:
        await ledger.changed.wait()
        ledger.is_there = True
        await ledger.until(lambda: len(ledger.stored) == 5)
    assert ledger.names == names
    assert records.left_out_count == 0


async def test_of_too_many_the_newest_that_count_least_are_left_out_and_told() -> None:
    ledger = PickyLedger(is_there=False)
    names = ["first", "second", "money 1", "third", "money 2", "money 3"]
    async with storing(ledger, names, most=4) as records:
        assert records.left_out_count == 2
        ledger.is_there = True
        await ledger.until(lambda: len(ledger.stored) == 5)
    assert ledger.names[:4] == ["first", "money 1", "money 2", "money 3"]
    assert ledger.stored[4].notice == RecordsDropped(
        at_ns=7, basis=Basis.SANDBOX, kind="work", count=2
    )


async def test_what_was_left_out_is_told_once() -> None:
    ledger = PickyLedger()
    async with storing(ledger, ["a", "b", "c"], most=2) as records:
        await ledger.until(lambda: len(ledger.stored) == 3)
        records.store_later(trouble("d"))
        await ledger.until(lambda: len(ledger.stored) == 4)
    told = [one for one in ledger.stored if isinstance(one.notice, RecordsDropped)]
    assert len(told) == 1
    assert ledger.names[-1] == "d"
    assert records.left_out_count == 1
