"""What the log of notices keeps, over each transport."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.bus import wire
from engine.bus.log import Log
from engine.bus.memory import MemoryCaller
from engine.bus.notices import Killed, Notice
from engine.bus.redis_ask import RedisCaller, open_redis_server
from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller, open_server
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis
from engine.facade.notice_log import NoticeLog
from engine.requests.request_list import requests_of
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.bus.redis_server import RedisServer, running_redis
from tests.patience import PATIENCE_S
from tests.storage.makers import NOW_NS
from tests.storage.model import put_empty_ledger


@dataclass
class AtLedger:
    """The ledger's notices, over a transport."""

    directory: Path
    transport: str
    redis: RedisServer | None
    stack: AsyncExitStack
    caller: Caller | None = None
    life: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        self.life = AsyncExitStack()
        put_empty_ledger(self.directory)
        ledger = await self.life.enter_async_context(
            open_ledger(LedgerSettings(data_dir=self.directory), clock=lambda: NOW_NS)
        )
        requests = requests_of("ledger")
        if self.transport == "memory":
            self.caller = MemoryCaller(requests, ledger)
            return
        path = self.directory / "l.sock"
        await self.life.enter_async_context(
            open_server(path, requests, ledger, on_fatal=lambda _: None)
        )
        caller: Any = SocketCaller(path, role="ledger")
        if self.redis is not None:
            await self.life.enter_async_context(
                open_redis_server(
                    self.redis.url, "ledger", requests, ledger, on_fatal=lambda _: None
                )
            )
            caller = RedisCaller(self.redis.url, role="ledger")
        self.life.push_async_callback(caller.aclose)
        self.caller = caller
        await insist(self.open())

    def open(self) -> Log[Notice]:
        assert self.caller is not None
        return NoticeLog(self.caller)

    async def restart(self) -> None:
        await self.life.aclose()
        await self.start()


async def insist(log: Log[Notice]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await log.read("insistent")
            except TransientError:
                await asyncio.sleep(0.01)
            else:
                return


@asynccontextmanager
async def kept_by(kind: str, directory: Path) -> AsyncIterator[AtLedger]:
    async with AsyncExitStack() as stack:
        needs_redis = kind == "redis"
        redis = await stack.enter_async_context(running_redis(directory)) if needs_redis else None
        at_ledger = AtLedger(directory, kind, redis, stack)
        await at_ledger.start()
        yield at_ledger
        await at_ledger.life.aclose()


@pytest.fixture(params=["memory", "sockets", "redis"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AtLedger]:
    async with kept_by(request.param, tmp_path) as kept:
        yield kept


def told(number: int) -> Notice:
    return Killed(at_ns=NOW_NS + number, basis=Basis.SANDBOX, by="me", why=f"{number}")


def numbers(entries: list[Any]) -> list[int]:
    return [int(entry.item.why) for entry in entries]


async def test_what_is_appended_is_read_in_its_order_page_by_page(kept: AtLedger) -> None:
    log = kept.open()
    for first in range(0, 250, 50):
        await log.append([told(number) for number in range(first, first + 50)])

    read: list[Any] = []
    while page := await log.read("a", after=read[-1].seq if read else None, limit=100):
        assert len(page) <= 100
        read += page

    assert numbers(read) == list(range(250))
    seqs = [entry.seq for entry in read]
    assert seqs == sorted(set(seqs))


async def test_what_was_not_done_is_told_again_and_what_was_is_not(kept: AtLedger) -> None:
    log = kept.open()
    await log.append([told(number) for number in range(5)])
    first = await log.read("a")
    assert numbers(await kept.open().read("a")) == [0, 1, 2, 3, 4]

    await log.done("a", first[2].seq)
    await log.done("a", first[0].seq)  # what comes late moves nothing back

    assert numbers(await kept.open().read("a")) == [3, 4]


async def test_each_consumer_has_its_own_position_and_a_slow_one_loses_nothing(
    kept: AtLedger,
) -> None:
    log = kept.open()
    assert await log.read("slow") == await log.read("quick") == []
    await log.append([told(number) for number in range(100)])
    await log.done("quick", (await log.read("quick"))[-1].seq)
    await log.append([told(100)])

    assert numbers(await log.read("quick")) == [100]
    assert numbers(await log.read("slow", limit=1_000)) == list(range(101))


async def test_a_position_beyond_what_there_is_skips_nothing(kept: AtLedger) -> None:
    log = kept.open()
    await log.append([told(0)])
    first = await log.read("a")
    await log.done("a", first[0].seq + 1_000)
    await log.append([told(1)])

    assert numbers(await log.read("a")) == [1]


async def test_a_reader_waits_for_news_and_not_longer_than_it_says(kept: AtLedger) -> None:
    log, other = kept.open(), kept.open()
    assert await log.read("a", wait_s=0.05) == []
    waiting = asyncio.create_task(log.read("a", wait_s=PATIENCE_S))
    await asyncio.sleep(0)  # it looks before there is anything
    await other.append([told(1)])

    async with asyncio.timeout(PATIENCE_S / 2):
        assert numbers(await waiting) == [1]


async def test_what_was_appended_and_done_outlives_a_restart(kept: AtLedger) -> None:
    log = kept.open()
    await log.append([told(number) for number in range(3)])
    await log.done("a", (await log.read("a"))[0].seq)

    await kept.restart()

    after = kept.open()
    await insist(after)
    assert numbers(await after.read("a")) == [1, 2]
    await after.append([told(3)])
    assert numbers(await after.read("a")) == [1, 2, 3]


async def test_an_item_that_is_too_large_is_refused_and_the_log_goes_on(
    kept: AtLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept.transport == "memory":
        pytest.skip("what never leaves the process is not encoded")
    log = kept.open()
    monkeypatch.setattr(wire, "FRAME_BYTES_MAX", 10_000)
    large = Killed(at_ns=NOW_NS, basis=Basis.SANDBOX, by="me", why="x" * 10_000)
    with pytest.raises(BadValueError, match="10000 are allowed"):
        await log.append([large])

    await log.append([told(1)])
    assert numbers(await log.read("a")) == [1]
