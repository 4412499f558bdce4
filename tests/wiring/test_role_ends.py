"""No end of a role is lost on its way from the supervisor to the watch and to the chat."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.bus.health_reports import IncidentReport
from engine.bus.memory import MemoryCaller
from engine.bus.notices import RoleRestarted
from engine.bus.records import Append
from engine.bus.request import Reply, Request
from engine.domain.errors import TransientError, UnstoredError
from engine.domain.health import Incident
from engine.domain.modes import Basis
from engine.operate.clock import make_clock
from engine.requests.health import TellEnds
from engine.requests.request_list import requests_of
from engine.settings.schema import Settings
from engine.storage.ledger import Ledger, open_ledger
from engine.storage.ledger_settings import LedgerSettings
from engine.wiring import role_ends
from engine.wiring.health import watching
from engine.wiring.health_looks import Looks
from engine.wiring.paths import prepare
from engine.wiring.role_ends import ENDS_MAX, TOLD_EACH, TOLD_EVERY, RoleEnds
from tests.patience import PATIENCE_S
from tests.storage.asking import notices

ROLES = ("ledger", "bot", "sandbox")


@dataclass
class Way:
    """The way to the ledger, which a test may close, and on which answers may be lost."""

    ledger: Ledger
    is_closed: Callable[[Request[object]], bool] = lambda _request: False
    loses: int = 0
    asked: list[Request[object]] = field(default_factory=list)

    async def answer(self, request: Request[Reply], /) -> Reply:
        self.asked.append(request)
        if self.is_closed(request):
            raise TransientError("connection refused")
        reply = await self.ledger.answer(request)
        if self.loses:
            self.loses -= 1
            raise UnstoredError("the connection broke")
        return reply

    async def until(self, is_met: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_met():
                await asyncio.sleep(0)

    async def restarts_told(self) -> list[tuple[str, int]]:
        told = [one.notice for one in (await notices(self.ledger)).notices]
        return [(one.role, one.restarts) for one in told if isinstance(one, RoleRestarted)]

    def incidents(self) -> list[Incident]:
        desk = self.ledger.health_desk
        found = [desk.incident(one.number) for one in desk.incidents(99).incidents]
        return [one.incident for one in found if isinstance(one, IncidentReport)]

    def failed(self) -> set[str]:
        return {name for one in self.incidents() for name in one.members}


@contextlib.asynccontextmanager
async def telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, roles: tuple[str, ...] = ROLES
) -> AsyncIterator[tuple[RoleEnds, Way]]:
    """Run a ledger with its watch, and what tells it of ends; nothing is waited for."""
    monkeypatch.setattr(role_ends, "WAIT_S_FIRST", 0.0)
    monkeypatch.setattr(role_ends, "WAIT_S_LONGEST", 0.0)
    paths, clock = prepare(str(tmp_path / "var")), make_clock()
    looks = Looks(roles=(), callers={}, alone="ledger", tests={})
    async with (
        open_ledger(LedgerSettings(data_dir=paths.data_dir), clock=clock) as ledger,
        watching(Settings(), paths, ledger, looks, clock=clock, look_s=PATIENCE_S),
    ):
        way = Way(ledger)
        caller = MemoryCaller(requests_of("ledger"), way)
        ends = RoleEnds(caller, basis=Basis.SANDBOX, clock=clock, roles=roles)
        running = asyncio.create_task(ends.run())
        try:
            yield ends, way
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_an_end_is_heard_and_told_however_long_the_ledger_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, monkeypatch) as (ends, way):
        way.is_closed = lambda _request: True
        ends.ended("ledger", "killed by SIGKILL", 1)
        ends.ended("bot", "killed by SIGKILL", 1)
        await way.until(lambda: len(way.asked) > 200)
        ends.ended("sandbox", "killed by SIGKILL", 1)
        way.is_closed = lambda _request: False
        await way.until(lambda: sum(isinstance(one, Append) for one in way.asked) == 3)

        assert way.failed() == {"role/ledger", "role/bot", "role/sandbox"}
        async with asyncio.timeout(PATIENCE_S):
            while await way.restarts_told() != [("ledger", 1), ("bot", 1), ("sandbox", 1)]:
                await asyncio.sleep(0)


async def test_an_end_is_heard_while_the_database_takes_nothing_and_told_once_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, monkeypatch) as (ends, way):
        way.is_closed = lambda request: isinstance(request, Append)
        ends.ended("bot", "exit code 1", 1)
        await way.until(lambda: sum(isinstance(one, Append) for one in way.asked) > 3)

        assert way.failed() == {"role/bot"}
        assert await way.restarts_told() == []
        way.is_closed = lambda _request: False
        async with asyncio.timeout(PATIENCE_S):
            while await way.restarts_told() != [("bot", 1)]:
                await asyncio.sleep(0)


async def test_an_end_whose_answer_was_lost_is_told_again_and_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, monkeypatch) as (ends, way):
        way.loses = 3
        ends.ended("bot", "killed by SIGKILL", 1)
        await way.until(lambda: sum(isinstance(one, Append) for one in way.asked) == 1)
        await way.until(lambda: way.loses == 0)

        (incident,) = way.incidents()
        assert sum(isinstance(one, TellEnds) for one in way.asked) == 4
        assert incident.members["role/bot"].failures == 1
        assert [one.text for one in incident.lines] == [
            "down: it ended: killed by SIGKILL",
            "restart 1 by the supervisor",
        ]
        ends.ended("sandbox", "killed by SIGKILL", 1)
        await way.until(lambda: way.failed() == {"role/bot", "role/sandbox"})
        assert [len(one.ends) for one in way.asked if isinstance(one, TellEnds)] == [1] * 5


async def test_each_end_of_a_role_that_ends_again_and_again_is_heard_and_few_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 2 * TOLD_EVERY + 1
    async with telling(tmp_path, monkeypatch) as (ends, way):
        for number in range(1, count):
            ends.ended("bot", "exit code 1", number)
        ends.ended("bot", "exit code 2")  # for good
        ends.ended("sandbox", "exit code 2")
        told = [("bot", one) for one in (*range(1, TOLD_EACH + 1), TOLD_EVERY, 2 * TOLD_EVERY)]
        async with asyncio.timeout(PATIENCE_S):
            while await way.restarts_told() != told:
                await asyncio.sleep(0)

        assert way.failed() == {"role/bot", "role/sandbox"}
        lines = [line.text for one in way.incidents() for line in one.lines]
        assert [one for one in lines if one.startswith("restart ")] == [
            f"restart {number} by the supervisor" for number in range(1, count)
        ]


async def test_of_one_role_so_many_ends_wait_for_the_ledger_and_push_out_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, monkeypatch) as (ends, way):
        way.is_closed = lambda _request: True
        ends.ended("bot", "killed by SIGKILL", 1)
        for number in range(1, 3 * ENDS_MAX):
            ends.ended("ledger", "exit code 75", number)
        way.is_closed = lambda _request: False
        await way.until(lambda: way.failed() == {"role/bot", "role/ledger"})

        (request,) = [one for one in way.asked if isinstance(one, TellEnds)]
        assert len(request.ends) == ENDS_MAX + 1


async def test_what_ends_beside_a_further_engine_is_told_and_is_no_failure_of_the_first_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(tmp_path, monkeypatch, roles=()) as (ends, way):
        ends.ended("engine", "killed by SIGKILL", 1)
        async with asyncio.timeout(PATIENCE_S):
            while await way.restarts_told() != [("engine", 1)]:
                await asyncio.sleep(0)

        assert way.failed() == set()
