"""An engine acts only while its lease is its own."""

import asyncio
import time
from pathlib import Path

import pytest

from engine.bus.command import seal
from engine.bus.reports import ExportReport, TradesReport
from engine.domain.errors import SupersededError
from engine.domain.modes import Mode
from engine.facade.client import BusFacade
from engine.requests.money import GetExport, GetTrades
from engine.requests.safety import Resume, SetMode
from engine.wiring import engine_role
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared
from tests.wiring.test_one_process import SETTINGS, until

pytestmark = pytest.mark.slow


async def test_an_engine_ends_once_its_lease_is_gone(tmp_path: Path) -> None:
    paths = prepared(tmp_path)

    async def run() -> None:
        async with open_roles(SETTINGS, paths) as facade:
            await until(facade, lambda status: status.found > 0)
            paths.lease("engine").unlink()
            await asyncio.Event().wait()

    with pytest.raises(SupersededError, match="was taken from this engine"):
        await run()


async def outcomes(facade: BusFacade) -> bytes:
    report = await insist(facade, GetExport(table="opportunities"))
    assert isinstance(report, ExportReport)
    return report.content


async def executed(facade: BusFacade) -> int:
    report = await insist(facade, GetTrades(limit=1))
    assert isinstance(report, TradesReport)
    return report.total


async def test_without_its_lease_it_plans_and_changes_nothing_before_it_even_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_role, "LEASE_LOOK_S", 3_600.0)
    paths = prepared(tmp_path)
    async with open_roles(SETTINGS, paths) as facade:
        go_up = seal(SetMode(mode=Mode.PAPER, is_confirmed=True), by="me", at_ns=time.time_ns())
        await insist(facade, go_up)
        before = await until(facade, lambda status: status.planned > 0)
        paths.lease("engine").unlink()
        async with asyncio.timeout(PATIENCE_S):
            while b"killed" not in await outcomes(facade):
                await asyncio.sleep(0.02)

        assert await executed(facade) <= before.planned
        with pytest.raises(SupersededError):
            await facade.ask(seal(Resume(), by="me", at_ns=time.time_ns()))
