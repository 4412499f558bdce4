"""What tasks keep is found again wherever it was lost, and no place of copies delays anything."""

import random
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from engine.background.coding import encode_checked
from engine.background.copies import Copies, packed, unpacked
from engine.background.copy_stores import CopyStore, LedgerStore
from engine.background.redis_copies import RedisStore
from engine.background.sealed import GarbageError, Kind
from engine.background.task_files import TaskFiles
from engine.background.trouble import Trouble
from engine.bus.background_copies import GetTaskCopies, KeepTaskCopies, TaskCopy
from engine.bus.memory import MemoryCaller
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.background.nurseries import given
from tests.background.sample_tasks import PRIMES, TASKS, WALK, CountState
from tests.bus.redis_server import RedisServer, running_redis
from tests.storage.conftest import (
    Clock,
    clock,
    postgres,
    settings,
    sqlite_model,
    sqlite_settings,
)

__all__ = ["clock", "postgres", "settings", "sqlite_model", "sqlite_settings"]
NOW_NS = 1_700_000_000_000_000_000
RUN = b"r" * 16


class Shelf:
    """Copies in memory, away when told so."""

    def __init__(self, name: str = "shelf") -> None:
        self.name = name
        self.is_away = False
        self.copies: dict[tuple[str, int], TaskCopy] = {}
        self.put = 0

    async def keep(self, copies: Sequence[TaskCopy]) -> None:
        if self.is_away:
            raise TransientError("away")
        for one in copies:
            self.put += 1
            self.copies[one.task, one.kind] = one

    async def load(self, task: str) -> list[TaskCopy]:
        if self.is_away:
            raise TransientError("away")
        return [one for one in self.copies.values() if one.task == task]

    async def aclose(self) -> None:
        """Nothing is open."""


class Desk:
    """Files of the sample tasks in a folder, and their copies."""

    def __init__(self, folder: Path, *stores: CopyStore) -> None:
        self.folder = folder
        self.troubles: list[Trouble] = []
        self.now_ns = NOW_NS
        folder.mkdir(exist_ok=True)
        self.files = {
            task.name: TaskFiles(folder, task, basis=Basis.SANDBOX, clock=self.clock)
            for task in TASKS
        }
        self.copies = Copies(
            list(self.files.values()), stores, tell=self.troubles.append, clock=self.clock
        )

    def clock(self) -> int:
        self.now_ns += 1
        return self.now_ns

    def learn(self, at: int) -> None:
        """Let a run of the primes end."""
        learned = encode_checked(CountState(at, []), type_=CountState, what="learned")
        self.files[PRIMES.name].settle(learned, run=RUN)

    def learned(self) -> int | None:
        """Return what the primes have learned."""
        found, _ = self.files[PRIMES.name].page(Kind.LEARNED)
        return None if found is None else msgspec.msgpack.decode(found.content, type=CountState).at

    def begin(self, blob: bytes = b"s") -> bytes:
        """Let a run of the walk begin, and keep a state."""
        files = self.files[WALK.name]
        run = files.begin(given())
        with files.open_page(Kind.STATE) as page:
            page.write(blob, version=1, run=run)
        return run

    def lose(self) -> None:
        """Lose the folder."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()


def test_a_copy_is_the_same_again_or_garbage(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "a")
    desk.learn(3)
    sealed, _ = desk.files[PRIMES.name].page(Kind.LEARNED)
    assert sealed is not None
    content, chance = packed(sealed), random.Random(1)
    assert unpacked(content, kind=Kind.LEARNED, task=sealed.task) == sealed

    bombs = [b"", b"(", chance.randbytes(100), content[:-1], bytes(50)]
    bombs.append(bytes.fromhex("28b52ffdc0ffffffffffffff7f") + bytes(10))
    bombs += [content[:at] + b"\xff" + content[at + 1 :] for at in range(len(content))]
    for raw in bombs:
        if raw == content:
            continue
        try:
            assert unpacked(raw, kind=Kind.LEARNED, task=sealed.task) == sealed
        except GarbageError:
            continue


async def test_only_what_is_new_is_put_and_all_of_it_comes_back(tmp_path: Path) -> None:
    shelf = Shelf()
    desk = Desk(tmp_path / "a", shelf)
    desk.learn(3)
    run = desk.begin(b"one")
    await desk.copies.put_all()
    put = shelf.put
    await desk.copies.put_all()
    assert shelf.put == put
    desk.lose()

    await desk.copies.restore()

    assert desk.learned() == 3
    state = desk.files[WALK.name].state_of(run)
    assert state is not None
    assert state.content == b"one"
    found = desk.files[WALK.name].given()
    assert found is not None
    assert found[0] == run
    assert desk.troubles == []


async def test_a_run_that_ended_does_not_come_back(tmp_path: Path) -> None:
    shelf = Shelf()
    desk = Desk(tmp_path / "a", shelf)
    desk.begin()
    await desk.copies.put_all()
    desk.files[WALK.name].forget()
    await desk.copies.put_all()
    desk.lose()

    await desk.copies.restore()

    assert desk.files[WALK.name].load_given() is None


async def test_what_is_here_stands_and_of_copies_the_newest_whole_one_counts(
    tmp_path: Path,
) -> None:
    older, newer = Shelf("older"), Shelf("newer")
    desk = Desk(tmp_path / "a", older, newer)
    desk.learn(1)
    await desk.copies.put_all()
    older.is_away = True
    desk.learn(2)
    await desk.copies.put_all()
    older.is_away = False
    desk.learn(3)
    await desk.copies.restore()
    assert desk.learned() == 3

    desk.lose()
    await Desk(tmp_path / "a", older, newer).copies.restore()
    assert desk.learned() == 2

    desk.lose()
    key = (desk.files[PRIMES.name].name, Kind.LEARNED)
    copy = newer.copies[key]
    newer.copies[key] = TaskCopy(
        task=copy.task, kind=copy.kind, sequence=copy.sequence, at_ns=0, content=b"garbage"
    )
    damaged = Desk(tmp_path / "a", older, newer)
    await damaged.copies.restore()
    assert desk.learned() == 1
    assert ["a copy cannot be used" in one.what for one in damaged.troubles] == [True]


async def test_a_place_that_is_away_is_told_once_and_gets_all_when_it_is_back(
    tmp_path: Path,
) -> None:
    away, here = Shelf("away"), Shelf("here")
    away.is_away = True
    desk = Desk(tmp_path / "a", away, here)
    desk.learn(1)

    for at in (2, 3):
        desk.learn(at)
        await desk.copies.put_all()
    assert desk.copies.figures()["away"].failed == 2
    assert not desk.copies.figures()["here"].is_away
    away.is_away = False
    await desk.copies.put_all()

    assert [one.what for one in desk.troubles] == [
        "copies of what tasks keep do not reach away: away",
        "copies of what tasks keep reach away again",
    ]
    assert away.copies.keys() == here.copies.keys()


async def test_what_a_sandbox_taught_is_nothing_on_live_markets(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "a")
    desk.learn(1)
    live = TaskFiles(desk.folder, PRIMES, basis=Basis.LIVE)

    assert live.page(Kind.LEARNED) == (None, [])


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    (tmp_path / "redis").mkdir()
    async with running_redis(tmp_path / "redis") as server:
        yield server


async def test_redis_keeps_copies_and_whatever_else_is_there_is_not_taken(
    tmp_path: Path, redis: RedisServer
) -> None:
    store = RedisStore(redis.url)
    desk = Desk(tmp_path / "a", store)
    desk.learn(4)
    await desk.copies.put_all()
    async with Redis.from_url(redis.url) as client:
        for kind in (Kind.GIVEN, Kind.STATE):
            await client.set(f"syndicate:background:1:sandbox.count_primes:{int(kind)}", b"\xc1no")
        await client.lpush("syndicate:background:1:sandbox.fit_walk:1", "a list")
    desk.lose()
    again = Desk(tmp_path / "a", store)

    await again.copies.restore()

    assert again.learned() == 4
    assert again.troubles == []
    await store.aclose()


@pytest.mark.parametrize("fault", ["away", "frozen", "flushed", "full"])
async def test_whatever_redis_does_is_told_and_loses_nothing(
    tmp_path: Path, redis: RedisServer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(redis.url)
    desk = Desk(tmp_path / "a", store)
    desk.learn(1)
    await desk.copies.put_all()
    async with Redis.from_url(redis.url) as client:
        if fault == "away":
            await redis.kill()
        elif fault == "frozen":
            redis.freeze()
            monkeypatch.setattr("engine.background.redis_copies.REDIS_S", 0.3)
        elif fault == "flushed":
            await client.flushall()
        else:
            await client.config_set("maxmemory", "1")
    desk.learn(2)

    await desk.copies.put_all()

    is_kept = fault == "flushed"
    figures = desk.copies.figures()[store.name]
    assert (figures.is_away, figures.failed) == (not is_kept, int(not is_kept))
    assert len(desk.troubles) == int(not is_kept)
    assert "hunter2" not in str(desk.troubles)
    assert desk.learned() == 2
    await store.aclose()


async def test_the_ledger_keeps_the_newest_copy_alone(
    tmp_path: Path, settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        store = LedgerStore(MemoryCaller([KeepTaskCopies, GetTaskCopies], ledger))
        desk = Desk(tmp_path / "a", store)
        desk.learn(1)
        await desk.copies.put_all()
        name = desk.files[PRIMES.name].name
        (before,) = [one for one in await store.load(name) if one.content]
        desk.learn(2)
        await desk.copies.put_all()
        await store.keep([before])
        desk.lose()

        await desk.copies.restore()

        assert desk.learned() == 2
        clock.now_ns = 2 * NOW_NS
        assert await ledger.apply_retention() > 0
        assert await store.load(name) == []
