"""An engine pushes background work aside for what it is there for, and decides as without."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from engine.background.hold_page import Page
from engine.background.hold_watch import LOOK_S, HoldWatch
from engine.background.switches import Switch, Trigger
from engine.bus.command import seal
from engine.domain.approvals import ApprovalAct
from engine.domain.modes import Mode
from engine.facade.client import BusFacade
from engine.requests.approvals import AnswerApproval, GetApprovals
from engine.requests.safety import Kill, SetMode
from engine.settings.schema import BackgroundSettings, MarketsSettings, Settings
from engine.wiring.one_process import open_roles
from tests.background.busy_group import BusyGroup, busy_group, opened
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared

SETTINGS = Settings(
    markets=MarketsSettings(sandbox_speed=2.0),
    background=BackgroundSettings(hold_usd_min=Decimal(0), hold_ms=5),
)
ME = "telegram:4242"


class Watched:
    """An engine beside background work, with the watch of that."""

    def __init__(self, facade: BusFacade, watch: HoldWatch) -> None:
        self.facade = facade
        self._watch = watch

    async def switch(self, is_it: Callable[[Switch], bool]) -> Switch:
        """Wait for a switch."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._watch.look()
                for one in self._watch.switches.report().newest:
                    if is_it(one):
                        return one
                await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def watched(folder: Path, busy: BusyGroup) -> AsyncIterator[Watched]:
    paths = prepared(folder)
    watch = HoldWatch(Page.make(paths.hold_page))
    watch.follow(opened(busy))
    try:
        async with open_roles(SETTINGS, paths) as facade:
            yield Watched(facade, watch)
    finally:
        watch.close()


def has(switch: Switch, trigger: Trigger) -> bool:
    return switch.trigger is trigger or bool(switch.others & 1 << trigger)


@pytest.mark.slow
async def test_an_engine_holds_work_for_opportunities_answers_and_kills(tmp_path: Path) -> None:
    with busy_group() as busy:
        async with watched(tmp_path, busy) as engine:
            found = await engine.switch(lambda one: one.trigger is Trigger.OPPORTUNITY)
            assert found.holder == "engine-main"
            assert found.subject
            assert found.led_to

            wanted = SetMode(mode=Mode.APPROVE, is_confirmed=True)
            await insist(engine.facade, seal(wanted, by=ME, at_ns=time.time_ns()))
            waiting = await first_waiting(engine.facade)
            answer = AnswerApproval(nonce=waiting, said=ApprovalAct.REJECT)
            await insist(engine.facade, seal(answer, by=ME, at_ns=time.time_ns()))
            await engine.switch(lambda one: has(one, Trigger.APPROVAL))

            await insist(engine.facade, seal(Kill(why="test"), by=ME, at_ns=time.time_ns()))
            told = await engine.switch(lambda one: has(one, Trigger.KILL))

            os.kill(os.getpid(), signal.SIGUSR1)
            await engine.switch(lambda one: has(one, Trigger.KILL) and one != told)


async def first_waiting(facade: BusFacade) -> str:
    """Wait until something is asked."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await insist(facade, GetApprovals())
            if report.waiting:
                return report.waiting[0].nonce
            await asyncio.sleep(LOOK_S)
