"""The role `workers` with a ledger of its own: what a task finds is stored, then advised."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from engine.background.ports import Discovery
from engine.bus.advice_reports import AdviceTaken
from engine.bus.command import seal
from engine.bus.discovery_reports import DiscoveryLine
from engine.bus.memory import MemoryCaller
from engine.bus.reports import AuditReport
from engine.bus.request import Caller, Reply, Request
from engine.bus.work_reports import TaskReport, TaskState, WorkDone
from engine.domain.advice import DatedAdvice, TipAdvice
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How
from engine.operate.clock import make_clock
from engine.requests.advise import Advise
from engine.requests.audit import GetAudit
from engine.requests.discoveries import GetDiscoveries
from engine.requests.request_list import requests_of
from engine.requests.work import GetTask, GetWork, RunTask, SwitchTask
from engine.settings.schema import Settings
from engine.storage.ledger import Ledger, open_ledger
from engine.wiring.advice_lines import chosen_lines
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.paths import Paths, prepare
from engine.wiring.work_answers import WorkAnswers
from engine.wiring.workers_role import open_workers
from tests.background.working_tasks import TASKS, TASKS_AT
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

SETTINGS = Settings()
CLOCK = make_clock()


@dataclass
class Ear:
    """An engine that takes advice."""

    heard: list[tuple[DatedAdvice, ...]] = field(default_factory=list)

    async def answer(self, request: Request[Reply], /) -> Reply:
        assert isinstance(request, Advise)
        self.heard.append(request.advice)
        reply: Any = AdviceTaken(
            in_force=len(request.advice), is_changed=True, run_id="r1", input_seq=len(self.heard)
        )
        return cast("Reply", reply)


class Away:
    """A role that is not there."""

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del request, timeout_s
        raise TransientError("it is away")


@dataclass
class Office:
    answers: WorkAnswers
    ledger: MemoryCaller
    ear: Ear
    group: Callable[[], int | None]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await asyncio.sleep(0.01)

    async def until_runs(self, count: int) -> None:
        await self.until(lambda: len(self.runs()) == count)

    def runs(self) -> list[Any]:
        return list(self.answers.history.runs("counting"))


@asynccontextmanager
async def working(
    paths: Paths, ledger: Ledger, *, has_ledger: bool = True
) -> AsyncIterator[Office]:
    ear = Ear()
    own = MemoryCaller(requests_of("ledger"), ledger)
    callers: dict[str, Caller] = {
        "ledger": own if has_ledger else Away(),
        "engine": MemoryCaller(requests_of("engine"), ear),
        "chains": Away(),
    }
    async with open_workers(
        SETTINGS,
        paths,
        callers,
        clock=CLOCK,
        tasks=TASKS,
        tasks_at=TASKS_AT,
        is_idle=False,
    ) as answers:
        runner: Any = answers.runner
        yield Office(answers, own, ear, lambda: runner.group)


@asynccontextmanager
async def ledger_of(paths: Paths) -> AsyncIterator[Ledger]:
    async with open_ledger(ledger_settings(SETTINGS, paths), clock=CLOCK) as ledger:
        yield ledger


def line(seq: int, tip_gwei: float, score: float) -> DiscoveryLine:
    discovery = Discovery(
        kind="tip_model",
        subject=f"base {seq}",
        says="x",
        figures={},
        score=score,
        holds_s=60.0,
        advice=TipAdvice(chain="base", tip_gwei=tip_gwei),
    )
    return DiscoveryLine(
        seq=seq,
        basis=Basis.SANDBOX,
        task="t",
        agent="a",
        task_run="r",
        discovery=discovery,
        found_at_ns=1,
        seen_at_ns=1,
        seen_count=1,
        expires_at_ns=2,
    )


def test_of_several_words_on_one_thing_the_most_trusted_is_passed_on_of_equals_the_newest() -> None:
    lines = [line(1, 1.0, 0.5), line(3, 3.0, 0.9), line(4, 4.0, 0.9), line(2, 2.0, 0.7)]
    for some in (lines, lines[::-1]):
        (one,) = chosen_lines(some)
        assert (one.seq, one.discovery.advice) == (4, TipAdvice(chain="base", tip_gwei=4.0))
    assert chosen_lines([]) == []


async def test_what_a_task_finds_is_stored_and_advised_and_what_it_learned_is_kept(
    tmp_path: Path,
) -> None:
    paths = prepare(str(tmp_path))
    async with ledger_of(paths) as ledger:
        async with working(paths, ledger) as office:
            run = seal(RunTask(name="counting"), by="me", at_ns=CLOCK())
            assert isinstance(await office.answers.answer(run), WorkDone)
            await office.until(lambda: len(office.runs()) == 1)
            await office.until(lambda: bool(office.ear.heard and office.ear.heard[-1]))
            work = await office.answers.answer(GetWork())
            found = await office.ledger.call(GetDiscoveries())
            group = office.group()

        assert group is not None
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)  # nothing of it is left
        (line,) = found.lines
        assert (line.task, line.agent, line.discovery.kind) == ("counting", "tester", "tip_model")
        (piece,) = office.ear.heard[-1]
        assert piece.discovery == line.seq
        assert piece.advice == TipAdvice(chain="base", tip_gwei=0.5)
        assert work.ended == {"done": 1}
        assert office.runs()[0].measured == {"runs": 1.0, "trades": 0.0}

        async with working(paths, ledger) as office:  # started again
            await office.answers.answer(seal(RunTask(name="counting"), by="me", at_ns=CLOCK()))
            await office.until(lambda: len(office.runs()) == 2)
            assert office.runs()[1].measured["runs"] == 2.0


async def test_while_the_ledger_is_away_a_task_waits_and_says_for_what(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path))
    async with ledger_of(paths) as ledger, working(paths, ledger, has_ledger=False) as office:
        await office.answers.answer(seal(RunTask(name="counting"), by="me", at_ns=CLOCK()))
        await office.until(lambda: office.answers.schedule.waits_for("counting") == "it is away")
        report = await office.answers.answer(GetTask(name="counting"))

    assert isinstance(report, TaskReport)
    assert (report.line.state, report.line.why) == (TaskState.WAITING, "it is away")


async def test_a_group_that_is_killed_costs_no_result(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path))
    async with ledger_of(paths) as ledger, working(paths, ledger) as office:
        for number in range(3):
            await office.answers.answer(seal(RunTask(name="counting"), by="me", at_ns=CLOCK()))
            await office.until(lambda: office.group() is not None)
            group = office.group()
            assert group is not None
            os.killpg(group, signal.SIGKILL)
            await office.until_runs(number + 1)

        assert [run.how for run in office.runs()] == [How.DONE] * 3
        assert [run.measured["runs"] for run in office.runs()] == [1.0, 2.0, 3.0]


async def test_what_is_switched_off_is_in_the_audit_and_stays_off_over_a_restart(
    tmp_path: Path,
) -> None:
    paths = prepare(str(tmp_path))
    async with ledger_of(paths) as ledger:
        async with working(paths, ledger) as office:
            off = seal(SwitchTask(name="counting", is_on=False), by="telegram 42", at_ns=CLOCK())
            await office.answers.answer(off)
            async with asyncio.timeout(PATIENCE_S):
                while not (audit := await office.ledger.call(GetAudit(limit=1))).lines:
                    await asyncio.sleep(0.01)
            assert isinstance(audit, AuditReport)
            assert not audit.broken
            assert (audit.lines[0].by, audit.lines[0].action) == (
                "telegram 42",
                "task counting off",
            )
        async with working(paths, ledger) as office:
            report = await office.answers.answer(GetTask(name="counting"))
            assert isinstance(report, TaskReport)
            assert report.line.state is TaskState.OFF
