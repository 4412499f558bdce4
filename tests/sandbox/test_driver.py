"""The market's clock where the machine cannot follow it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.sandbox.driver import BEHIND_S_MAX, Driver
from engine.sandbox.server import open_sandbox
from engine.sandbox.stage import Stage
from tests.patience import PATIENCE_S
from tests.sandbox.rig import paused, write_small_lineup

SPEED = 10.0


class Watch:
    """A time that passes when a test says so."""

    def __init__(self) -> None:
        self.s = 0.0

    def now_s(self) -> float:
        return self.s


@asynccontextmanager
async def driven(folder: Path, watch: Watch) -> AsyncIterator[tuple[Stage, Driver]]:
    settings = paused(lineup_path=write_small_lineup(folder))
    async with open_sandbox(settings) as sandbox:
        driver = Driver(sandbox.stage, speed=SPEED, is_paused=False, now_s=watch.now_s)
        task = asyncio.create_task(driver.run())
        await asyncio.sleep(0)  # it looks at its watch
        yield sandbox.stage, driver
        task.cancel()


async def until(is_met: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_met():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("late_s", [0.3, 2.0, 3_600.0])
async def test_a_market_that_is_not_followed_goes_on_from_where_it_stands(
    tmp_path: Path, late_s: float
) -> None:
    watch = Watch()
    async with driven(tmp_path, watch) as (stage, driver):
        venue_ns, replay_ns = stage.venue_ns(stage.now_ns), stage.now_ns
        watch.s += late_s
        await until(lambda: driver.left_out_ns > 0)

        assert stage.now_ns == replay_ns
        assert driver.left_out_ns == pytest.approx(late_s * SPEED * 1e9)
        assert stage.venue_ns(stage.now_ns) - venue_ns == pytest.approx(late_s * SPEED * 1e9)

        watch.s += 0.01
        await until(lambda: stage.now_ns > replay_ns)
        assert stage.now_ns - replay_ns == pytest.approx(0.01 * SPEED * 1e9)


async def test_what_is_late_by_less_is_made_up_for(tmp_path: Path) -> None:
    watch = Watch()
    late_s = BEHIND_S_MAX - 0.01
    async with driven(tmp_path, watch) as (stage, driver):
        replay_ns = stage.now_ns
        watch.s += late_s
        await until(lambda: stage.now_ns - replay_ns >= late_s * SPEED * 1e9 - 1)

        assert driver.left_out_ns == 0
