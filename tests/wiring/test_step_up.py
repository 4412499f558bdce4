"""Loosenings in a run: codes over all acts, waits over restarts, and what cancels them."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pyotp
import pytest
from msgspec.structs import replace

from engine.bus.command import Command, seal
from engine.bus.notices import LooseningCancelled, LooseningWaits, Notice
from engine.bus.reports import Acknowledged, Declined, StatusReport
from engine.domain.modes import Mode
from engine.facade.client import BusFacade
from engine.operate.clock import SteadyClock
from engine.requests.limits import SetLimit
from engine.requests.overview import GetStatus
from engine.requests.safety import CancelDelayed, Kill, Pause, Resume, SetMode, Unkill
from engine.settings.schema import LimitsSettings, MarketsSettings, OperatorSettings, Settings
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared
from tests.wiring.test_limits_set import line

pytestmark = pytest.mark.slow

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SETTINGS = Settings(
    markets=MarketsSettings(sandbox_speed=1.0),
    limits=LimitsSettings(position_usd=Decimal(1_000)),
    operator=OperatorSettings(loosening_delay_s=3_600),
)
WITH_CODES = replace(
    SETTINGS, operator=OperatorSettings(loosening_delay_s=3_600, totp_secret=SECRET)
)
TIGHT = SetLimit(name="position_usd", value=Decimal(100))
DOUBLE = SetLimit(name="position_usd", value=Decimal(200), is_confirmed=True)
LARGE = SetLimit(name="position_usd", value=Decimal(900), is_confirmed=True)


async def ask(
    facade: BusFacade, command: Command[Acknowledged], *, at_ns: int | None = None
) -> Acknowledged | Declined:
    sealed = seal(command, by="me", at_ns=time.time_ns() if at_ns is None else at_ns)
    return await insist(facade, sealed)


async def status(facade: BusFacade) -> StatusReport:
    return await insist(facade, GetStatus())


async def told(facade: BusFacade, count: int) -> list[Notice]:
    found: list[Notice] = []
    async with asyncio.timeout(PATIENCE_S):
        async for stamped in facade.notices(reader="test"):
            if isinstance(stamped.notice, LooseningWaits | LooseningCancelled):
                found.append(stamped.notice)
                if len(found) == count:
                    return found
    raise AssertionError("the stream ended")


async def test_a_code_is_taken_once_over_all_acts_and_engines(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    async with open_roles(WITH_CODES, paths) as facade:
        bare = await ask(facade, SetMode(mode=Mode.PAPER, is_confirmed=True))
        assert isinstance(bare, Declined)
        assert bare.needs_code
        code = pyotp.TOTP(SECRET).at(int(time.time()))
        up = await ask(facade, SetMode(mode=Mode.PAPER, is_confirmed=True, code=code))
        assert isinstance(up, Acknowledged), up
        await ask(facade, TIGHT)
        await facade.ask(seal(Kill(why="test"), by="me", at_ns=time.time_ns()))
        used = "used before"
        for again in (replace(DOUBLE, code=code), Unkill(code=code)):
            refused = await ask(facade, again)
            assert isinstance(refused, Declined)
            assert used in refused.why
        assert (await line(facade, "position_usd")).limit == "100"
    async with open_roles(WITH_CODES, paths) as facade:
        refused = await ask(facade, Unkill(code=code))
        assert isinstance(refused, Declined)
        assert used in refused.why


async def test_a_large_loosening_waits_over_a_restart_and_acts_when_it_is_due(
    tmp_path: Path,
) -> None:
    paths = prepared(tmp_path)
    async with open_roles(SETTINGS, paths) as facade:
        await ask(facade, TIGHT)
        assert isinstance(await ask(facade, LARGE), Acknowledged)
        assert (await line(facade, "position_usd")).limit == "100"
        (waits,) = (await status(facade)).delayed
        assert waits.what == "limit position_usd 900 USD"
        assert waits.due_at_ns - waits.asked_at_ns == 3_600 * 10**9
        assert isinstance(await ask(facade, DOUBLE), Acknowledged), "a small one cancels nothing"
        assert (await status(facade)).delayed == (waits,)

    late = 3_601 * 10**9
    async with open_roles(SETTINGS, paths) as facade:
        async with asyncio.timeout(PATIENCE_S):
            while (now := await status(facade)).uptime_s < 1:
                await asyncio.sleep(0.02)
        assert now.delayed == (waits,)
        assert (await line(facade, "position_usd")).limit == "200"
    async with open_roles(
        SETTINGS, paths, clock=SteadyClock(wall_ns=lambda: time.time_ns() + late)
    ) as facade:
        async with asyncio.timeout(PATIENCE_S):
            while (await line(facade, "position_usd")).limit != "900":
                await asyncio.sleep(0.02)
        assert (await status(facade)).delayed == ()


async def test_whatever_tightens_or_kills_cancels_what_waits_and_says_so(tmp_path: Path) -> None:
    async with open_roles(SETTINGS, prepared(tmp_path)) as facade:
        await ask(facade, TIGHT)
        tightenings: list[Command[Acknowledged]] = [
            Pause(),
            SetMode(mode=Mode.OBSERVE),
            SetLimit(name="daily_loss_usd", value=Decimal(50)),
            CancelDelayed(),
        ]
        for tightening in tightenings:
            assert isinstance(await ask(facade, LARGE), Acknowledged)
            assert (await status(facade)).delayed
            await ask(facade, tightening)
            assert not (await status(facade)).delayed
        await ask(facade, Resume())
        assert isinstance(await ask(facade, LARGE), Acknowledged)
        await facade.ask(seal(Kill(why="test"), by="me", at_ns=time.time_ns()))
        assert not (await status(facade)).delayed

        notices = await told(facade, 2 * (len(tightenings) + 1))

    assert [type(one) for one in notices] == [LooseningWaits, LooseningCancelled] * 5
    whys = [one.why for one in notices if isinstance(one, LooseningCancelled)]
    assert whys[:4] == [
        "pause", "mode observe", "limit daily_loss_usd 50 USD", "cancelled, nothing waits any more"
    ]  # fmt: skip
    assert "kill latch" in whys[4]
    async with open_roles(SETTINGS, prepared(tmp_path)) as facade:
        assert not (await status(facade)).delayed
