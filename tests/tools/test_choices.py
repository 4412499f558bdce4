"""What the commands of the machine say while nothing runs, and what they can be asked for."""

import os
import sqlite3
from pathlib import Path

import pytest

from engine.core.inputs.tick import TICK
from engine.domain.errors import TransientError
from engine.operate import exit_codes
from engine.operate.recorder import Recorder, RecorderSettings
from engine.tools.choices import SHOWN_MAX, backups_to_restore, recordings_to_replay
from engine.wiring.front_end import check_runs
from engine.wiring.paths import Paths
from tests.scenarios.rig import run_engine_command


def record(paths: Paths, run: str, *, ended_s: int) -> None:
    recorder = Recorder(
        RecorderSettings(directory=paths.recordings, segment_bytes=10_000, total_bytes_max=10**9),
        run,
    )
    recorder.write(1, TICK.number, 0, 0, "", b"")
    recorder.flush()
    recorder.close()
    for segment in (paths.recordings / run).iterdir():
        os.utime(segment, (ended_s, ended_s))


@pytest.mark.parametrize("command", [["health"], ["trace"], ["trace", "xyz-1"]])
async def test_a_question_to_a_stopped_program_is_answered_in_a_sentence(
    tmp_path: Path, command: list[str]
) -> None:
    code, said = await run_engine_command(tmp_path / "var", *command)

    assert code == exit_codes.TRANSIENT
    assert said.startswith("syndicate: nothing runs here")
    assert "start it with `make run`" in said
    sentence, code_line = said.splitlines()
    assert "nothing runs here" in sentence
    assert str(exit_codes.TRANSIENT) in code_line


async def test_a_socket_that_a_crash_left_is_nothing_that_runs(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.run.mkdir()
    paths.engine_socket.touch()

    with pytest.raises(TransientError, match="nothing runs here"):
        await check_runs(paths)


def test_recorded_runs_are_listed_newest_first_with_what_replays_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = Paths(tmp_path / "var")
    record(paths, "older", ended_s=1_700_000_000)
    record(paths, "newer", ended_s=1_700_086_400)
    record(Paths(paths.data_dir / "demo"), "a demo", ended_s=1_700_000_060)
    (paths.recordings / "older" / "000001.zst").rename(paths.recordings / "older" / "000002.zst")
    (paths.recordings / "empty").mkdir()

    assert recordings_to_replay(paths).splitlines()[1:] == [
        "  make replay FILE=var/recordings/newer  0.1 MB  ended 2023-11-15 22:13 UTC",
        "  make replay FILE='var/demo/recordings/a demo'  0.1 MB  ended 2023-11-14 22:14 UTC",
        "  make replay FILE=var/recordings/older FROM=2  0.1 MB  ended 2023-11-14 22:13 UTC",
    ]


def test_a_long_list_counts_what_it_leaves_out(tmp_path: Path) -> None:
    for number in range(SHOWN_MAX + 2):
        record(Paths(tmp_path), f"run-{number}", ended_s=1_700_000_000 + number)

    assert recordings_to_replay(Paths(tmp_path)).splitlines()[-1] == "  ... and 2 older"


def test_nothing_recorded_and_no_backup_are_said(tmp_path: Path) -> None:
    assert "No run is recorded" in recordings_to_replay(Paths(tmp_path))
    assert "There is no backup" in backups_to_restore(Paths(tmp_path))


async def test_the_command_of_a_listed_backup_restores_it(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    assert (await run_engine_command(data_dir, "migrate"))[0] == exit_codes.OK
    (data_dir / "backups").mkdir()
    for day in (1, 2):
        backup = data_dir / "backups" / f"ledger-2026010{day}T000000.000Z.sqlite3"
        with sqlite3.connect(data_dir / "ledger.sqlite3") as database:
            database.execute("VACUUM INTO ?", [str(backup)])
        database.close()

    code, said = await run_engine_command(data_dir, "restore")

    assert code == exit_codes.OK
    assert "Nothing was restored" in said
    make, target, file, *_ = said.splitlines()[1].split()
    assert (make, target, file[:5]) == ("make", "restore", "FILE=")
    assert "20260102" in file
    assert (await run_engine_command(data_dir, "restore", file[5:]))[0] == exit_codes.OK
