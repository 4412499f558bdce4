"""A plan under way when the engine is killed with -9 is told, closed as void, and costs nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.bus.reports import StatusReport
from tests.scenarios.rig import running_installation
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


async def test_a_plan_under_way_at_a_sigkill_is_void_and_told_and_never_sent_again(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(data_dir, phone, SYNDICATE_PAPER_LATENCY_FACTOR="100") as installation,
    ):
        await installation.until_live()
        await installation.go_to_paper()

        def has_plan_under_way(status: StatusReport) -> bool:
            return status.planned > 0 and not status.records_waiting

        first = await installation.until_status(has_plan_under_way)
        await installation.kill_role("engine")
        told = await installation.until_told("Plan void at restart")
        await installation.until_status(lambda status: status.run_id != first.run_id)

        assert "nothing was filled" in told
        assert first.run_id in told, "it is of the run that was killed"

    ends = plans(data_dir)
    assert len({plan_id for plan_id, *_ in ends}) == len(ends), "each plan has one end"
    voided = [one for one in ends if one[2] is not None]
    assert voided
    assert {(void, fills) for _, _, void, fills, _ in voided} == {("void at restart", 0)}
    assert {ended_by != first.run_id for _, ended_by, _, _, _ in voided} == {True}
    # What is under way at a close in order waits for the next start as well.
    left = {run_id for _, ended_by, _, _, run_id in ends if not ended_by}
    assert first.run_id not in left
