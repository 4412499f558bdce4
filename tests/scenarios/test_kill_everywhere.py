"""What holds over a SIGKILL of the engine: plans under way end as void, a kill without its file."""

import asyncio
import sqlite3
from contextlib import closing
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

OF_PLANS = (
    "SELECT DISTINCT intents.plan_id, run_id_of_end, void, fills, intents.run_id "
    "FROM intents LEFT JOIN ("
    "SELECT plan_id, run_id AS run_id_of_end, void, (SELECT count(*) FROM orders "
    "JOIN fills USING (client_order_id) WHERE orders.execution_id = executions.execution_id"
    ") AS fills FROM executions) AS ended ON ended.plan_id = intents.plan_id"
)


def plans(data_dir: Path) -> list[tuple[str, str | None, str | None, int | None, str]]:
    """Return each intended plan with its end, and whose it is.

    An end is the run that stored it, why it is void, its fills.
    """
    with closing(sqlite3.connect(f"file:{data_dir}/ledger.sqlite3?mode=ro", uri=True)) as database:
        return list(database.execute(OF_PLANS))


async def kill_a_plan_under_way(installation: Installation) -> str:
    """End an engine with -9 that has one; returns its run."""

    def has_plan_under_way(status: StatusReport) -> bool:
        return status.planned > 0 and not status.records_waiting

    first = await installation.until_status(has_plan_under_way)
    await installation.kill_role("engine")
    told = await installation.until_told("Plan void at restart")
    await installation.until_status(lambda status: status.run_id != first.run_id)
    assert "nothing was filled" in told
    assert first.run_id in told, "it is of the run that was killed"
    return first.run_id


def check_a_plan_under_way_was_void_and_never_sent_again(data_dir: Path, run_id: str) -> None:
    ends = plans(data_dir)
    assert len({plan_id for plan_id, *_ in ends}) == len(ends), "each plan has one end"
    voided = [one for one in ends if one[2] is not None]
    assert run_id in {of_run for *_, of_run in voided}
    assert {(void, fills) for _, _, void, fills, _ in voided} == {("void at restart", 0)}
    assert all(ended_by != of_run for _, ended_by, _, _, of_run in voided)
    # What is under way at a close in order waits for the next start as well.
    left = {of_run for _, ended_by, _, _, of_run in ends if not ended_by}
    assert run_id not in left


async def test_over_a_sigkill_a_plan_is_void_and_a_kill_holds_in_a_folder_that_cannot_be_written(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(data_dir, phone, SYNDICATE_PAPER_LATENCY_FACTOR="100") as installation,
    ):
        await installation.until_live()
        await installation.go_to_paper()
        first_run = await kill_a_plan_under_way(installation)
        await installation.until_status(lambda status: status.planned > 0)
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
        before = await installation.until_live()
        await installation.until_status(lambda status: status.planned > before.planned)
    check_a_plan_under_way_was_void_and_never_sent_again(data_dir, first_run)


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
