"""Each start-up failure is one sentence that says what is wrong and what to do."""

import resource
import socket
import sqlite3
from pathlib import Path

import pytest

from engine.operate import exit_codes
from tests.scenarios.rig import CALM, run_engine_command, running_installation
from tests.storage.model import put_empty_ledger
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


def _code_line(code: int) -> str:
    return f"syndicate: exit code {code}: {exit_codes.meaning_of(code)}"


def _contents(data_dir: Path) -> dict[Path, bytes]:
    """Return what is kept of an installation: all but logs, locks and what `run` holds."""
    return {
        path: path.read_bytes()
        for path in data_dir.rglob("*.*")
        if path.is_file() and path.suffix not in {".log", ".lock", ".sock", ".json"}
    }


async def test_an_unknown_setting_refuses_the_start(tmp_path: Path) -> None:
    (tmp_path / "syndicate.toml").write_text("[limits]\npositon_usd = 5\n")

    code, said = await run_engine_command(tmp_path / "var", "run")

    assert code == exit_codes.BROKEN_SETTINGS
    assert "limits.positon_usd" in said
    assert "position_usd" in said
    assert said.splitlines()[1:] == [_code_line(code)]


async def test_a_data_directory_that_cannot_be_written_refuses_the_start(tmp_path: Path) -> None:
    code, said = await run_engine_command(
        tmp_path / "var", "run", SYNDICATE_DATA_DIR="/sys/syndicate"
    )

    assert code == exit_codes.FATAL
    assert "cannot be written" in said
    assert "SYNDICATE_DATA_DIR" in said
    assert said.splitlines()[1:] == [_code_line(code)]


async def test_a_busy_port_refuses_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code, said = await run_engine_command(
            tmp_path / "var", "run", SYNDICATE_MARKETS_SANDBOX_PORT=str(port)
        )

    assert code == exit_codes.FATAL
    assert str(port) in said
    assert "Traceback" not in said


@pytest.mark.campaign
async def test_a_second_start_names_the_first(tmp_path: Path) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, speed=CALM) as installation,
    ):
        await installation.until_live()
        code, said = await run_engine_command(tmp_path / "var", "run")

        assert code == exit_codes.FATAL
        assert f"process {installation.process.pid}" in said


async def test_a_corrupt_database_refuses_the_start_and_names_the_restore(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    database = data_dir / "ledger.sqlite3"
    backup = data_dir / "backups" / "ledger-20260101T000000.000Z.sqlite3"
    put_empty_ledger(data_dir)
    backup.parent.mkdir(exist_ok=True)
    backup.write_bytes(database.read_bytes())
    database.write_bytes(b"not a database at all " * 500)

    code, said = await run_engine_command(data_dir, "run")

    assert code == exit_codes.FATAL
    assert f"make restore FILE={backup}" in said
    assert "Traceback" not in said
    before = _contents(data_dir)
    assert (await run_engine_command(data_dir, "run"))[0] == exit_codes.FATAL
    assert _contents(data_dir) == before, "what starts it again and again changes nothing"
    assert (await run_engine_command(data_dir, "restore", str(backup)))[0] == exit_codes.OK
    assert (await run_engine_command(data_dir, "migrate"))[0] == exit_codes.OK


async def test_a_database_of_a_newer_version_refuses_the_start(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    put_empty_ledger(data_dir)
    with sqlite3.connect(data_dir / "ledger.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999_future'")
    database.close()

    code, said = await run_engine_command(data_dir, "run")

    assert code == exit_codes.FATAL
    assert "newer" in said
    assert "Traceback" not in said


async def test_a_full_disk_refuses_the_start(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, hard))
    try:
        code, said = await run_engine_command(tmp_path / "var", "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert code == exit_codes.FATAL
    assert "disk" in said or "space" in said
    assert "Traceback" not in said
