"""What a killed process had acknowledged is there afterwards, and nothing is there by half."""

from pathlib import Path

import pytest

from engine.storage import sqlite
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage.asking import trades
from tests.storage.conftest import Clock
from tests.storage.kill_campaign import kill_at_random
from tests.storage.killing import end as end_child
from tests.storage.killing import find, losses, start_child, wait_for_line
from tests.storage.model import put_empty_ledger

KILLS = 3


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_ledger_is_killed(tmp_path: Path) -> None:
    summary = kill_at_random(tmp_path / "var", kills=KILLS, seed=20_261_121)

    assert summary.lost == []
    assert summary.problems == []
    assert summary.kills == KILLS
    assert summary.acknowledged > 0


@pytest.mark.slow
async def test_a_killed_ledger_opens_again_by_itself(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    child = start_child(sqlite_settings.data_dir, first=1, count=1_000_000)
    ended = end_child(child, seen=wait_for_line(child, b"ack 5\n"))

    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        stored = {trade.execution_id for trade in (await trades(ledger)).trades}

    assert {f"exec-run1-{number}" for number in ended.acknowledged} <= stored


def test_the_check_itself_notices_what_is_missing(tmp_path: Path) -> None:
    put_empty_ledger(tmp_path / "var")
    child = start_child(tmp_path / "var", first=1, count=3)
    ended = end_child(child, kill=False)
    found = find(tmp_path / "var" / "ledger.sqlite3")

    assert ended.code == 0
    assert losses(found, ended.acknowledged) == []
    assert losses(found, [4]) == ["execution 4", "state 4", "notice 4", "update 4"]


@pytest.mark.slow
@pytest.mark.parametrize("file_kb", [600, 1_500])
def test_a_file_that_cannot_grow_ends_the_ledger_with_one_sentence(
    tmp_path: Path, file_kb: int
) -> None:
    data_dir = tmp_path / "var"
    put_empty_ledger(data_dir)
    child = start_child(
        data_dir, first=1, count=1_000_000, options=["--file-bytes-max", str(file_kb * 1024)]
    )
    ended = end_child(child, kill=False)

    assert ended.code == 3
    assert ended.complaint.startswith("FatalError: the ledger cannot use ")
    assert "ledger.sqlite3" in ended.complaint
    assert "free space" in ended.complaint
    assert ended.complaint.count("\n") == 1
    found = find(data_dir / "ledger.sqlite3")
    assert found.problems == []
    assert losses(found, ended.acknowledged) == []
    assert ended.acknowledged


def test_every_commit_is_synced_to_the_disk(tmp_path: Path) -> None:
    """Weaker than a power cut: asks for the settings that sync, see also `_EXPECTED`."""
    assert "PRAGMA synchronous=FULL" in sqlite._SETTINGS
    assert sqlite._EXPECTED["synchronous"] == 2
