"""A new run takes more of the market in: when it is wanted, late enough, and between plans."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.wiring import anew as anew_module
from engine.wiring.anew import Anew
from tests.patience import PATIENCE_S

BINANCE = VenueId("binance")


class Plans:
    """Whether no plan is under way, and how often that was asked."""

    def __init__(self) -> None:
        self.is_idle = True
        self.asked = asyncio.Event()

    def __call__(self) -> bool:
        self.asked.set()
        return self.is_idle


@contextmanager
def running(anew: Anew) -> Iterator["asyncio.Task[None]"]:
    task = asyncio.create_task(anew.run())
    try:
        yield task
    finally:
        task.cancel()


async def ended(task: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(PATIENCE_S):
        await task


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anew_module, "RUN_S_MIN", 0.0)
    monkeypatch.setattr(anew_module, "LOOK_S", 0.001)


async def test_it_waits_for_a_moment_without_a_plan_under_way() -> None:
    plans = Plans()
    plans.is_idle = False
    anew = Anew(plans)
    anew.want(BINANCE, "it is back")
    with running(anew) as task:
        for _ in range(3):
            plans.asked.clear()
            await plans.asked.wait()
        assert not task.done()
        plans.is_idle = True

        with pytest.raises(TransientError, match="binance: it is back; the engine starts anew"):
            await ended(task)


async def test_plans_that_never_end_do_not_put_it_off_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(anew_module, "PLANS_S_MAX", 0.02)
    plans = Plans()
    plans.is_idle = False
    anew = Anew(plans)
    anew.want(BINANCE, "it is back")
    with running(anew) as task, pytest.raises(TransientError):
        await ended(task)


async def test_a_reason_that_is_gone_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = Plans()
    anew = Anew(plans)
    anew.want(BINANCE, "it is back")
    anew.want(BINANCE, "")
    with running(anew) as task:
        monkeypatch.setattr(anew_module, "RUN_S_MIN", 3_600.0)
        anew.want(BINANCE, "it is back")  # a run that has just begun goes on

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.shield(task)
        assert not plans.asked.is_set()
