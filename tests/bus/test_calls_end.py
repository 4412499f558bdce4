"""Whatever one role waits for of another, of the disk or of the ledger, ends in a bounded time."""

import asyncio
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from engine.bus.memory import MemoryCaller
from engine.bus.records import StateRecord
from engine.bus.reports import KillReport
from engine.bus.request import Request
from engine.bus.unix_socket import SocketCaller, open_server
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.facade import killing
from engine.operate.kill_latch import KillLatch
from engine.operate.outbox import Outbox
from tests.bus.asking import REQUESTS, Hall, Wait
from tests.bus.test_killing import kill, make_killer

PATIENCE_S = 20.0
"""Far beyond the bounds of the tests, which are fractions of a second."""

STATE = StateRecord(
    record_id="s1",
    at_ns=1,
    mode=Mode.OBSERVE,
    is_paused=False,
    limits={},
    by="me",
    action="x",
)


Result = TypeVar("Result")


async def ends(waiting: Awaitable[Result]) -> Result:
    """Wait for what must end; a `TimeoutError` here is a wait without a bound."""
    task = asyncio.ensure_future(waiting)
    done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
    if not done:
        task.cancel()
        pytest.fail("it waits for ever")
    return task.result()


class SilentLedger:
    """Takes what it is asked and never answers."""

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        del request, timeout_s
        await asyncio.Event().wait()


async def test_a_call_over_a_socket_that_is_not_answered_ends(tmp_path: Path) -> None:
    path = tmp_path / "e.sock"
    caller = SocketCaller(path, role="engine")
    async with open_server(path, REQUESTS, Hall(), on_fatal=lambda _error: None):
        with pytest.raises(TransientError, match=r"did not answer within 0\.2 s"):
            await ends(caller.call(Wait(), timeout_s=0.2))
        await caller.aclose()


async def test_a_socket_that_takes_a_connection_and_says_nothing_is_given_up(
    tmp_path: Path,
) -> None:
    path = tmp_path / "e.sock"
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_unix_server(lambda _reader, writer: taken.append(writer), path)
    caller = SocketCaller(path, role="engine")
    async with server:
        with pytest.raises(TransientError):
            await ends(caller.call(Wait(), timeout_s=0.2))
        for writer in taken:
            writer.close()


async def test_a_call_within_a_process_that_is_not_answered_ends() -> None:
    with pytest.raises(TransientError, match="no answer within"):
        await ends(MemoryCaller(REQUESTS, Hall()).call(Wait(), timeout_s=0.2))


async def test_a_change_that_a_silent_ledger_does_not_store_is_told_as_such() -> None:
    outbox = Outbox(SilentLedger())

    with pytest.raises(TransientError, match="not yet stored"):
        await ends(outbox.put_durably(STATE, timeout_s=0.2))

    assert outbox.waiting == 1


async def test_a_silent_ledger_holds_no_closing_up() -> None:
    outbox = Outbox(SilentLedger())
    outbox.put(STATE)

    assert await ends(outbox.drain(timeout_s=0.2)) == 1


async def test_a_disk_that_never_answers_holds_no_kill_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, freed = threading.Event(), threading.Event()

    class StuckLatch(KillLatch):
        def kill(self, *, by: str, why: str) -> None:
            del by, why
            blocked.set()
            freed.wait()

    monkeypatch.setattr(killing, "PATH_S", 0.2)
    try:
        report = await ends(make_killer(StuckLatch(tmp_path)).kill(kill(60)))
    finally:
        freed.set()

    assert blocked.is_set()
    assert isinstance(report, KillReport)
    assert report.engine.is_done
    assert report.ledger.is_done
    assert not report.latch_file.is_done
    assert "the disk does not answer" in report.latch_file.text
