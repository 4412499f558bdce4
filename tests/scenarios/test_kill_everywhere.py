"""A kill holds although its file cannot be written, and says what is true of each role."""

import asyncio
from pathlib import Path

import pytest

from engine.bus.reports import StatusReport
from tests.patience import PATIENCE_S
from tests.scenarios.rig import (
    Installation,
    command,
    environment,
    run_engine_command,
    running_installation,
)
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


async def test_a_kill_holds_in_a_folder_that_cannot_be_written_and_over_a_sigkill(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(data_dir, phone) as installation,
    ):
        await installation.until_live()
        await installation.go_to_paper()
        await installation.until_told("Paper trade")
        data_dir.chmod(0o500)
        try:
            said = await installation.say("/kill", "Latch file: not set")
            assert "Engine: stopped" in said
            assert "Ledger: stored" in said
            assert await _plans_nothing(installation)

            code, shell = await run_engine_command(data_dir, "kill")
            assert (code, "not set" in shell) == (0, True)

            await installation.kill_role("engine")
            await installation.until_live()
            assert await _plans_nothing(installation)
        finally:
            data_dir.chmod(0o700)

        code, shell = await run_engine_command(data_dir, "unkill", stdin=b"clear\n")
        assert (code, "the latch is clear" in shell) == (0, True)
        await installation.until_status(lambda status: status.planned > 0)


async def _plans_nothing(installation: Installation) -> bool:
    """Watch the engine refuse what it finds."""
    before = await installation.until_live()

    def has_refused(status: StatusReport) -> bool:
        return status.refused.get("killed", 0) > before.refused.get("killed", 0)

    status = await installation.until_status(has_refused)
    return status.is_killed and status.planned == before.planned


async def test_in_one_process_too_the_engine_holds_what_the_file_does_not(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    process = await asyncio.create_subprocess_exec(
        *command("-m", "bot", "--one-process"),
        cwd=tmp_path,
        env=environment(data_dir),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    async def until(text: str) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while text not in (line := (await process.stdout.readline()).decode()):
                assert line, f"it ended before it said {text}"

    await until("Syndicate")
    process.stdin.write(b"/mode paper\nyes\n")
    await until("mode paper")
    data_dir.chmod(0o500)
    try:
        process.stdin.write(b"/kill\n")
        await until("KILLED")
        await until("not set")
        process.stdin.write(b"/status\n")
        await until("KILLED")
    finally:
        data_dir.chmod(0o700)
        process.stdin.close()
        await process.wait()
