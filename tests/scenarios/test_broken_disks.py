"""On a disk that refuses, a kill holds by every way, what broke is told, and nothing is lost."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from engine.bus.reports import StatusReport
from engine.operate import exit_codes
from tests.patience import PATIENCE_S
from tests.scenarios.broken_disks import fill, immutable, mount_small, read_only, without_rights
from tests.scenarios.rig import Installation, run_engine_command, running_installation
from tests.storage.model import prepared
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Broken = Callable[[], AbstractContextManager[None]]


async def _trade(installation: Installation) -> None:
    await installation.until_live()
    await installation.go_to_paper()
    await installation.until_told("Paper trade")


async def _kill(installation: Installation, way: str) -> str:
    """Kill by one way; returns the answer, if the way has one."""
    if way == "phone":
        return await installation.say("/kill", "Latch file: ")
    if way == "shell":
        code, said = await run_engine_command(installation.data_dir, "kill")
        assert code == exit_codes.OK, said
        return said
    if way == "signal":
        os.kill(installation.role("engine").pid, signal.SIGUSR1)
    else:
        (installation.data_dir / "kill-latch").unlink()
    return ""


async def _plans_nothing(installation: Installation) -> bool:
    """Watch the engine refuse what it finds."""
    before = await installation.until_status(lambda status: status.is_killed)

    def has_refused(status: StatusReport) -> bool:
        return status.refused.get("killed", 0) > before.refused.get("killed", 0)

    status = await installation.until_status(has_refused)
    return status.is_killed and status.planned == before.planned


WAYS = ("phone", "shell", "signal")


async def _kills(installation: Installation, broken: Broken, ways: Sequence[str]) -> None:
    """Kill by each way while the file stays as it is; mended, each is cleared from the shell."""
    for way in ways:
        with broken():
            said = await _kill(installation, way)
            if said:
                assert "ngine: stopped, it makes no plan" in said
                assert re.search("atch file.*: not set", said)
                assert "edger: stored, it holds over restarts" in said
            assert await _plans_nothing(installation)
            assert (installation.data_dir / "kill-latch").read_text() == "clear\n"
        code, said = await run_engine_command(installation.data_dir, "unkill", stdin=b"clear\n")
        assert (code, "the latch is clear" in said) == (exit_codes.OK, True)
    before = await installation.until_live()
    await installation.until_status(lambda status: status.planned > before.planned)


@pytest.mark.own_mounts
@pytest.mark.parametrize(
    "ways",
    [
        # Every way once, and every kind of break once; all of each by all of the other takes long.
        pytest.param((("phone",), ("signal",), ("shell",)), id="each"),
        pytest.param((WAYS, WAYS, WAYS), id="all", marks=pytest.mark.campaign),
    ],
)
async def test_a_kill_holds_whatever_keeps_the_latch_file_as_it_is(
    tmp_path: Path, ways: tuple[Sequence[str], Sequence[str], Sequence[str]]
) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(data_dir, phone) as installation,
    ):
        await _trade(installation)
        await _kills(installation, lambda: read_only(data_dir), ways[0])
        await _kills(installation, lambda: without_rights(data_dir, 0o500), ways[1])
        # Last, as it ends the test where files cannot be made immutable.
        await _kills(installation, lambda: immutable(data_dir / "kill-latch"), ways[2])


@pytest.mark.own_mounts
@pytest.mark.parametrize(
    "way",
    # One by the phone, of a ledger that has ended there, is in the test below.
    [pytest.param(one, marks=pytest.mark.campaign) for one in ("phone", "shell", "signal", "file")],
)
async def test_a_kill_holds_on_a_full_disk_and_over_the_restart(tmp_path: Path, way: str) -> None:
    data_dir = tmp_path / "var"
    mount_small(data_dir, size="64m")
    async with TelegramEmulator().serve() as phone:
        async with running_installation(data_dir, phone) as installation:
            await _trade(installation)
            ballast = fill(data_dir)
            said = await _kill(installation, way)

            if said:
                assert "ngine: stopped, it makes no plan" in said
                assert re.search("atch file.*: set, it holds over restarts", said)
            assert await _plans_nothing(installation)
            ballast.unlink()
        if way == "signal":
            return  # of the engine's memory alone: it ends with the process
        async with running_installation(data_dir, phone) as installation:
            assert await _plans_nothing(installation)


@pytest.mark.own_mounts
async def test_a_disk_that_fills_up_loses_nothing_and_a_read_only_one_refuses_all_but_kills(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    mount_small(data_dir, size="64m")
    prepared(data_dir)
    await _refuses_every_start_but_that_of_a_kill(data_dir)
    async with TelegramEmulator().serve() as phone:
        async with running_installation(data_dir, phone) as installation:
            await _trade(installation)
            ballast = fill(data_dir)

            await installation.until_told("The ledger has ended for good")
            await installation.until_status(lambda status: status.recording_failure is not None)
            await installation.say("/status", "recording stopped: No space left on device")
            before = await installation.until_live()
            phone.person_writes("/resume")
            await installation.until_told("Not done")
            after = await installation.until_status(
                lambda status: status.refused.get("ledger_behind", 0) > 0
            )
            assert after.planned == before.planned, "no plan without a ledger"
            said = await _kill(installation, "phone")
            assert "ngine: stopped, it makes no plan" in said
            assert re.search("atch file.*: set, it holds over restarts", said)
            assert await _plans_nothing(installation)
            trades = re.findall(r"Paper trade .*\n.*\n.*\((\S+)\)", "\n".join(phone.transcript()))
            assert await installation.stop() == exit_codes.FATAL
        said = (tmp_path / "var.log").read_text()
        assert said.splitlines()[-1].startswith(f"syndicate: exit code {exit_codes.FATAL}: ")
        assert "the disk is full" in said
        assert "Traceback" not in said + _logs(data_dir)

        ballast = fill(data_dir)  # what was closed may have left some room
        code, said = await run_engine_command(data_dir, "run")
        assert (code, "free space" in said) == (exit_codes.FATAL, True)
        ballast.unlink()
        async with running_installation(data_dir, phone) as installation:
            assert await _plans_nothing(installation)
            stored = {line.opportunity_id for line in (await installation.trades()).trades}
    assert trades
    assert stored >= set(trades)


# `test_refusals_to_start.py` has a short one of its kind.
@pytest.mark.campaign
@pytest.mark.own_mounts
async def test_a_disk_too_small_for_anything_refuses_the_start(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    mount_small(data_dir, size="64k")

    code, said = await run_engine_command(data_dir, "run")

    assert code == exit_codes.FATAL
    assert "disk" in said or "space" in said
    assert "Traceback" not in said + _logs(data_dir)


async def _refuses_every_start_but_that_of_a_kill(data_dir: Path) -> None:
    with read_only(data_dir):
        code, said = await run_engine_command(data_dir, "run")
        kill_code, kill_said = await run_engine_command(data_dir, "kill")

    assert (code, "Read-only file system" in said) == (exit_codes.FATAL, True)
    assert kill_code == exit_codes.FAILED
    assert "not set: the file can be neither written nor removed" in kill_said
    assert "KILL FAILED" in kill_said
    assert "Traceback" not in said + kill_said


@pytest.mark.campaign
async def test_a_folder_that_may_not_be_entered_ends_everything(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(data_dir, phone) as installation,
    ):
        await _trade(installation)
        with without_rights(data_dir, 0o000):
            async with asyncio.timeout(PATIENCE_S):
                assert await installation.process.wait() == exit_codes.TRANSIENT
            code, said = await run_engine_command(data_dir, "kill")
            again, refused = await run_engine_command(data_dir, "run")

    assert "run/supervisor.lock was taken" in (tmp_path / "var.log").read_text()
    assert "(Permission denied)" in (tmp_path / "var.log").read_text()
    assert code == exit_codes.FAILED
    assert "the engine may not be asked from here: Permission denied" in said
    assert (again, "cannot be written" in refused) == (exit_codes.FATAL, True)


def _logs(data_dir: Path) -> str:
    return "".join(path.read_text() for path in (data_dir / "logs").glob("*.log"))
