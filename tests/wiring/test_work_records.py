"""What the role `workers` has the ledger keep."""

import asyncio

from engine.bus.notices import WorkTrouble
from engine.bus.records import Append, NoticeRecord
from engine.bus.request import Reply, Request
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.wiring.workers_role import Records
from tests.patience import PATIENCE_S


class Refusing:
    """A ledger that refuses one record for good."""

    def __init__(self, refused: str) -> None:
        self.stored: list[str] = []
        self.has_stored = asyncio.Event()
        self._refused = refused

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        assert isinstance(request, Append)
        (record,) = request.records
        assert isinstance(record, NoticeRecord)
        if record.record_id == self._refused:
            raise BadValueError("no such record is kept")
        self.stored.append(record.record_id)
        self.has_stored.set()
        return None  # type: ignore[return-value]

    async def aclose(self) -> None:
        """Nothing is open."""


async def test_a_record_that_the_ledger_refuses_for_good_holds_up_no_other() -> None:
    ledger = Refusing("bad")
    records = Records(ledger)
    for name in ("bad", "good"):
        notice = WorkTrouble(at_ns=1, basis=Basis.SANDBOX, task="gas", what="it failed")
        records.store_later(NoticeRecord(record_id=name, notice=notice))
    running = asyncio.create_task(records.run())
    async with asyncio.timeout(PATIENCE_S):
        await ledger.has_stored.wait()

    assert not running.done()
    assert ledger.stored == ["good"]
    running.cancel()
