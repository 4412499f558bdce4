"""Two engines, each with its supervisor, in one data folder over one ledger."""

import asyncio
import csv
import io
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.bus.reports import ExportReport
from engine.domain.exact import exact_sum
from engine.requests.money import GetExport, GetPnl
from tests.patience import PATIENCE_S, insist
from tests.scenarios.rig import CALM, Installation, run_engine_command, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow

PAPER: dict[str, Any] = {"SYNDICATE_PAPER_MODE_AT_FIRST_START": "paper"}


@asynccontextmanager
async def running_two(
    data_dir: Path, *, speed: int = 5
) -> AsyncIterator[tuple[Installation, Installation]]:
    """Run the engine `main` with ledger, sandbox and chat, and the engine `base` beside it."""
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(data_dir, phone, speed=speed, **PAPER) as main,
    ):
        await main.until_live()
        async with running_installation(
            data_dir, phone, speed=speed, engine_id="base", **PAPER
        ) as base:
            await base.until_live()
            yield main, base


async def table(installation: Installation, name: str) -> list[dict[str, str]]:
    """Return a table of the ledger, of which there is one."""
    report = await insist(installation.facade, GetExport(table=name, days=1))
    assert isinstance(report, ExportReport)
    return list(csv.DictReader(io.StringIO(report.content.decode())))


async def until_both_traded(installation: Installation) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while {one["engine_id"] for one in await table(installation, "trades")} != {"main", "base"}:
            await asyncio.sleep(0.1)


@pytest.mark.campaign
async def test_each_has_its_own_money_and_prices(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    async with running_two(data_dir) as (main, base):
        await until_both_traded(main)
        runs = {one: (await one.until_live()).run_id for one in (main, base)}

        for engine_id in ("main", "base"):
            code, said = await run_engine_command(
                data_dir, "prices", "--json", SYNDICATE_ENGINE_ID=engine_id
            )
            assert code == 0, said
            assert any(row["state"] == "yes" for row in json.loads(said)["rows"])
        assert main.role("ledger").is_running()
        (only,) = psutil.Process(base.process.pid).children()
        assert only.cmdline()[-2:] == ["role", "engine"]

        said = await main.say("/status", "Engine")
        assert re.search(r"base .*\n.*main ", said), said
        pnl = await insist(base.facade, GetPnl())
        assert {one for one, (_, count) in pnl.by_engine.items() if count} == {"base", "main"}
        assert exact_sum(profit for profit, _ in pnl.by_engine.values()) == pnl.realised_usd
        trades, fills = await table(main, "trades"), await table(main, "fills")

    run_of = {one["execution_id"]: (one["engine_id"], one["run_id"]) for one in trades}
    assert set(run_of.values()) == {("main", runs[main]), ("base", runs[base])}
    orders = {(one["client_order_id"], run_of[one["execution_id"]]) for one in fills}
    assert len({order_id for order_id, _ in orders}) == len(orders), "an order of two engines"
    with closing(sqlite3.connect(data_dir / "ledger.sqlite3")) as ledger:
        held = ledger.execute("SELECT DISTINCT engine_id FROM balances ORDER BY 1").fetchall()
    assert held == [("base",), ("main",)]
    assert [one.name for one in (data_dir / "recordings").iterdir()] == [runs[main]]
    own = data_dir / "engines" / "base" / "recordings"
    assert [one.name for one in own.iterdir()] == [runs[base]]


async def test_a_kill_by_name_stops_that_engine_alone(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"

    async def says(*arguments: str, stdin: bytes = b"") -> tuple[int, str]:
        return await run_engine_command(data_dir, *arguments, stdin=stdin)

    async with running_two(data_dir, speed=CALM) as (main, base):
        code, said = await says("kill", "--engine", "bse")
        assert (code, "known: base, main" in said) == (2, True)
        assert not (await main.until_live()).is_killed
        assert not (await base.until_live()).is_killed

        await main.say("/kill base", "Engine base: stopped")
        await base.until_status(lambda status: status.is_killed)
        assert not (await main.until_live()).is_killed
        await main.until_told("KILLED: engine base makes no plans")

        await base.kill_role("engine")
        await base.until_status(lambda status: status.is_killed)

        await main.say("kill market gone", "KILLED: no plans are made")
        await main.until_status(lambda status: status.is_killed)

        code, said = await says("unkill", stdin=b"clear\n")
        assert code == 0, said
        await main.until_status(lambda status: not status.is_killed)
        assert (await base.until_live()).is_killed, "its own latch is set"

        code, said = await says("unkill", "--engine", "base", stdin=b"clear\n")
        assert code == 0, said
        await base.until_status(lambda status: not status.is_killed)

        for once in ("The kill latch is cleared", "The kill latch of engine base is cleared"):
            await main.until_told(once)
            assert sum(once in line for line in main.phone.transcript()) == 1
