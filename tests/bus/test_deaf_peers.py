"""Peers that accept and never answer: whoever asks one says so, and goes on."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import notices, threads
from bot.dispatch import Dispatcher
from bot.telegram import inbox
from bot.threads import Threads
from engine.bus import unix_socket
from engine.bus.command import seal
from engine.bus.reports import KillReport
from engine.bus.unix_socket import SocketCaller
from engine.bus.wire import PROTOCOL_VERSION
from engine.domain.errors import TransientError
from engine.facade import killing, notice_log
from engine.facade.client import BusFacade
from engine.facade.doors import Doors, EngineDoor
from engine.facade.front_end import FrontEndSettings
from engine.facade.notice_log import NoticeLog
from engine.operate import outbox
from engine.operate.kill_latch import KillLatch
from engine.operate.outbox import Outbox
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill
from tests.patience import PATIENCE_S
from tests.storage.makers import make_latch_record

SOON_S = 0.1


@dataclass
class Deaf:
    path: Path
    greets: bool = True
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.greets:
            writer.write(PROTOCOL_VERSION.to_bytes(4))
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                pass
        writer.close()


@pytest.fixture
async def deaf(tmp_path: Path) -> AsyncIterator[Deaf]:
    deaf = Deaf(tmp_path / "deaf.sock")
    server = await asyncio.start_unix_server(deaf.serve, deaf.path)
    yield deaf
    server.close()


@pytest.fixture
async def caller(deaf: Deaf) -> AsyncIterator[SocketCaller]:
    caller = SocketCaller(deaf.path, role="engine")
    yield caller
    await caller.aclose()


@pytest.fixture(autouse=True)
async def ends() -> AsyncIterator[None]:
    """Whatever is asked here ends long before a test gives up."""
    async with asyncio.timeout(PATIENCE_S / 2):
        yield


async def test_a_request_to_one_that_greets_is_told_as_slow(caller: SocketCaller) -> None:
    async with asyncio.timeout(PATIENCE_S / 4):
        with pytest.raises(TransientError, match=r"engine did not answer within 0\.1 s"):
            await caller.call(GetStatus(), timeout_s=SOON_S)


async def test_a_request_to_one_that_does_not_even_greet_is_told_as_slow(
    deaf: Deaf, caller: SocketCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf.greets = False
    monkeypatch.setattr(unix_socket, "CONNECT_TIMEOUT_S", SOON_S)
    async with asyncio.timeout(PATIENCE_S / 4):
        with pytest.raises(TransientError, match="did not answer"):
            await caller.call(GetStatus(), timeout_s=PATIENCE_S)


async def test_a_reader_of_notices_is_told_in_the_time_that_it_waits_and_a_bit(
    caller: SocketCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_log, "ANSWER_S", SOON_S)
    async with asyncio.timeout(PATIENCE_S / 4):
        with pytest.raises(TransientError, match=r"within 0\.15 s"):
            await NoticeLog(caller).read("a", wait_s=0.05)
        with pytest.raises(TransientError, match=r"within 0\.1 s"):
            await NoticeLog(caller).done("a", 1)


async def test_records_for_a_ledger_that_does_not_answer_are_sent_again(
    caller: SocketCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "CALL_TIMEOUT_S", SOON_S)
    waiting = Outbox(caller)
    with pytest.raises(TransientError, match="the ledger is away"):
        await waiting.put_durably(make_latch_record(number=1), timeout_s=SOON_S)

    with pytest.raises(TransientError, match=r"within 0\.1 s"):
        await waiting._send_next(waiting._rest)

    assert waiting.waiting == 1
    assert await waiting.drain(timeout_s=SOON_S) == 1


async def test_a_kill_past_deaf_roles_sets_the_latch_and_says_who_did_not_answer(
    caller: SocketCaller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(killing, "PATH_S", 3.0)  # enough for a busy disk
    latch = KillLatch(tmp_path)
    latch.create()
    command = seal(Kill(why="test"), by="me", at_ns=time.time_ns())

    report = await BusFacade(
        Doors("main", EngineDoor(caller=caller, latch=latch)), caller, latch
    ).ask(command)

    assert isinstance(report, KillReport)
    assert report.latch_file.is_done
    assert "within 3 s" in report.engine.text
    assert "within 3 s" in report.ledger.text


class Deafness:
    """A facade that takes every request and answers none."""

    async def ask(self, _request: object, /) -> None:
        await asyncio.Event().wait()


async def test_a_chat_tells_an_engine_that_does_not_answer_and_its_inbox_goes_on_without_a_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module, name in (
        (inbox, "STORE_S_MAX"),
        (inbox, "STORE_S_MAX_AWAY"),
        (threads, "LOAD_S_MAX"),
        (notices, "_CONFIRM_S_MAX"),
    ):
        monkeypatch.setattr(module, name, SOON_S)
    facade: object = Deafness()
    settings = FrontEndSettings(ask_s=SOON_S)
    dispatcher = Dispatcher(facade=facade, settings=settings, clock=time.time_ns)  # type: ignore[arg-type]
    with pytest.raises(TransientError, match=r"no answer to GetStatus within 0\.1 s"):
        await dispatcher.ask(GetStatus())

    kept = inbox.Inbox(facade)  # type: ignore[arg-type]
    assert await kept.store([{"update_id": 1}]) is None
    assert kept.is_away

    loading = asyncio.create_task(Threads("chat").load(facade))  # type: ignore[arg-type]
    await asyncio.sleep(3 * SOON_S)
    assert not loading.done(), "it asks again"
    loading.cancel()
