"""The file of a chain's discoveries outlives a crash, and one that is damaged is begun anew."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.chains.discovery.cache_file import change, open_cache
from tests.chains.discovery.pretend_chain import PretendChain, cache_at, pair, pools_in, scan_of

WRITER = """
import asyncio, sys
from pathlib import Path
from tests.chains.discovery.test_cache_file import long_chain
from tests.chains.discovery.pretend_chain import cache_at, scan_of
chain = long_chain()
scan = scan_of(chain, cache_at(Path(sys.argv[1])), log_span=1)
scan._span.given = lambda: None
scan._told = lambda told: print("span", flush=True)
asyncio.run(scan.catch_up(chain.head))
"""


def long_chain() -> PretendChain:
    chain = PretendChain()
    for number in range(1, 301):
        chain.mine(pair(number, 1_000 + number, serial=number))
    return chain


@pytest.mark.parametrize("spans", [2, 120])
async def test_a_killed_process_loses_nothing_that_it_had_read(tmp_path: Path, spans: int) -> None:
    path = tmp_path / "a"
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    for _ in range(spans):
        assert await writer.stdout.readline() == b"span\n"
    writer.kill()
    await writer.wait()
    chain, cache = long_chain(), cache_at(path)
    known = cache.count()

    found = await scan_of(chain, cache).catch_up(chain.head)

    assert spans - 1 <= known < 300
    assert found == 300 - known
    assert {block for _, block in pools_in(cache)} == set(range(1, 301))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no file of ours at all" * 500),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(b""),
        lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 99"),
        lambda path: sqlite3.connect(path).executescript("DELETE FROM chain; "),
    ],
    ids=["other file", "cut", "empty", "other form", "of no chain"],
)
def test_a_file_that_cannot_be_used_is_put_aside(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    path = tmp_path / "a"
    cache = open_cache(path, chain_id=1)
    with change(cache):
        cache.executemany(
            "INSERT INTO ends VALUES (?, ?)", [(number, "0x") for number in range(5_000)]
        )
    cache.close()
    damage(path)

    told: list[str] = []
    again = open_cache(path, chain_id=1, on_anew=told.append)

    assert len(told) == 1
    assert again.execute("SELECT count(*) FROM ends").fetchone() == (0,)
    assert path.with_name("a.damaged").exists()


def in_a_files_place(folder: Path) -> Path:
    (folder / "file").write_bytes(b"")
    return folder / "file" / "a"


def beside_what_stays(folder: Path) -> Path:
    (folder / "a").write_bytes(b"no file of ours at all" * 500)
    (folder / "a.damaged" / "full").mkdir(parents=True)
    return folder / "a"


@pytest.mark.parametrize("where", [in_a_files_place, beside_what_stays])
def test_where_no_file_can_be_all_is_held_in_memory_and_that_is_said(
    tmp_path: Path, where: Callable[[Path], Path]
) -> None:
    told: list[str] = []

    cache = open_cache(where(tmp_path), chain_id=1, tell=told.append)
    with change(cache):
        cache.execute("INSERT INTO ends VALUES (1, '0x')")

    assert cache.execute("SELECT * FROM ends").fetchall() == [(1, "0x")]
    (why,) = told
    assert why.startswith("a is not kept over a restart: ")


def test_a_file_of_another_chain_is_not_believed(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "a", chain_id=1)
    cache.execute("INSERT INTO ends VALUES (1, '0x')")
    cache.close()

    assert open_cache(tmp_path / "a", chain_id=10).execute("SELECT * FROM ends").fetchall() == []


def test_a_change_is_whole_or_none(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "a", chain_id=1)

    def half_of_it() -> None:
        with change(cache):
            cache.execute("INSERT INTO ends VALUES (1, '0x')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_of_it()

    assert cache.execute("SELECT * FROM ends").fetchall() == []
