"""What the role `workers` answers, and what a person may have it do."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.background.history import History
from engine.background.machine import NeverHeld, WorkMachine
from engine.background.schedule import Schedule
from engine.background.task_words import TaskWords
from engine.bus.command import seal
from engine.bus.records import TaskActRecord
from engine.bus.reports import Declined, Unknown
from engine.bus.work_reports import TaskReport, TaskState, WorkDone
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How, RunLine
from engine.operate.ease import Ease
from engine.operate.role_uses import RoleUses
from engine.requests.work import GetResources, GetTask, GetWork, RunTask, SwitchTask
from engine.wiring.work_answers import WorkAnswers, times_of
from tests.background.tasks import HandRunner, Shelf, make_task

NOW_NS = 1_790_000_000 * 10**9


@dataclass
class Office:
    answers: WorkAnswers
    runner: HandRunner
    stored: list[TaskActRecord] = field(default_factory=list)
    later: list[TaskActRecord] = field(default_factory=list)
    is_ledger_away: bool = False
    now_ns: int = NOW_NS


@pytest.fixture
def office(tmp_path: Path) -> Office:
    tasks, runner = [make_task("one"), make_task("two", cron="0 4 * * *")], HandRunner()
    history = History(tmp_path / "runs", ["one", "two"])
    words = TaskWords(tmp_path / "words.json")
    machine = WorkMachine(at_once=5, cpu_s=lambda: runner.spent().cpu_s, hold=NeverHeld())

    async def store(record: TaskActRecord) -> None:
        if made.is_ledger_away:
            raise TransientError("the ledger is away")
        made.stored.append(record)

    def store_later(record: TaskActRecord) -> None:
        made.later.append(record)

    async def take(*_: object) -> None:
        raise NotImplementedError

    answers = WorkAnswers(
        tasks=tasks,
        schedule=Schedule(
            tasks=tasks,
            runner=runner,
            fetch=Shelf(),
            take=take,
            history=history,
            words=words,
            machine=machine,
            clock=time.time_ns,
            steady=time.monotonic,
            seed=1,
            memory_mb=190,
        ),
        runner=runner,
        history=history,
        words=words,
        machine=machine,
        uses=RoleUses(),
        ease=Ease(),
        basis=Basis.SANDBOX,
        clock=lambda: made.now_ns,
        memory_mb_max=300,
        store=store,
        store_later=store_later,
    )
    made = Office(answers, runner)
    return made


def switch(*, is_on: bool, at_ns: int = NOW_NS, name: str = "one") -> SwitchTask:
    return seal(SwitchTask(name=name, is_on=is_on), by="me", at_ns=at_ns)


async def state_of(office: Office, name: str = "one") -> TaskState:
    report = await office.answers.answer(GetTask(name=name))
    assert isinstance(report, TaskReport)
    return report.line.state


async def test_off_acts_at_once_also_while_the_ledger_is_away_and_on_does_not(
    office: Office,
) -> None:
    office.is_ledger_away = True
    done = await office.answers.answer(switch(is_on=False))
    assert done == WorkDone(text="one is off")
    assert await state_of(office) is TaskState.OFF
    assert [act.action for act in office.later] == ["task one off"]

    refused = await office.answers.answer(switch(is_on=True, at_ns=NOW_NS + 1))
    assert isinstance(refused, Declined)
    assert "the ledger is away" in refused.why
    assert await state_of(office) is TaskState.OFF

    office.is_ledger_away = False
    assert await office.answers.answer(switch(is_on=True, at_ns=NOW_NS + 2)) == WorkDone(
        text="one is on"
    )
    assert [act.action for act in office.stored] == ["task one on"]
    assert await state_of(office) is TaskState.IDLE


async def test_what_was_asked_before_it_was_switched_off_does_not_switch_it_on(
    office: Office,
) -> None:
    await office.answers.answer(switch(is_on=False, at_ns=NOW_NS))

    refused = await office.answers.answer(switch(is_on=True, at_ns=NOW_NS - 1))

    assert isinstance(refused, Declined)
    assert await state_of(office) is TaskState.OFF


async def test_a_command_is_carried_out_once_however_often_it_arrives(office: Office) -> None:
    command = seal(RunTask(name="one"), by="me", at_ns=NOW_NS, ref="m7")
    first = await office.answers.answer(command)
    again = await office.answers.answer(command)

    assert first == again == WorkDone(text="one is next, it waits for room")
    assert len(office.later) == 1


@pytest.mark.parametrize("what", ["forged", "late", "bare"])
async def test_an_envelope_that_is_not_right_changes_nothing(office: Office, what: str) -> None:
    command = switch(is_on=False)
    assert command.envelope is not None
    if what == "bare":
        with pytest.raises(BadValueError):
            await office.answers.answer(replace(command, envelope=None))
    else:
        expired = replace(command.envelope, expires_at_ns=NOW_NS)
        bad = replace(command, name="two") if what == "forged" else command
        envelope = command.envelope if what == "forged" else expired
        refused = await office.answers.answer(replace(bad, envelope=envelope))
        assert isinstance(refused, Declined)
    assert await state_of(office, "one") is TaskState.IDLE
    assert await state_of(office, "two") is TaskState.IDLE
    assert office.later == office.stored == []


async def test_a_task_that_is_off_is_not_run_and_one_in_quarantine_is(office: Office) -> None:
    await office.answers.answer(switch(is_on=False))
    refused = await office.answers.answer(seal(RunTask(name="one"), by="me", at_ns=NOW_NS))
    assert isinstance(refused, Declined)

    office.runner.bad["two"] = "crashed five times"
    assert await state_of(office, "two") is TaskState.QUARANTINED
    await office.answers.answer(seal(RunTask(name="two"), by="me", at_ns=NOW_NS))
    assert await state_of(office, "two") is TaskState.WAITING


async def test_no_such_task_is_said(office: Office) -> None:
    assert isinstance(await office.answers.answer(GetTask(name="three")), Unknown)
    for command in (RunTask(name="three"), SwitchTask(name="three", is_on=False)):
        refused = await office.answers.answer(seal(command, by="me", at_ns=NOW_NS))
        assert isinstance(refused, Declined)


async def test_the_last_runs_and_their_mean_are_told(office: Office) -> None:
    for number, how in enumerate((How.DONE, How.CRASHED, How.DONE)):
        office.answers.history.note(
            "one",
            RunLine(
                begun_at_ns=NOW_NS,
                ended_at_ns=NOW_NS,
                how=how,
                wall_s=1.0 + number,
                measured={"hits": float(number)},
            ),
        )

    work = await office.answers.answer(GetWork())
    report = await office.answers.answer(GetTask(name="one"))

    assert isinstance(report, TaskReport)
    assert (report.line.runs, report.line.well, report.line.mean_s) == (3, 2, 2.0)
    assert [run.measured["hits"] for run in report.runs] == [0.0, 1.0, 2.0]
    assert [task.name for task in work.tasks] == ["one", "two"]
    assert work.efficiency is None
    assert work.memory_mb > 1


async def test_resources_are_told_before_the_first_look(office: Office) -> None:
    report = await office.answers.answer(GetResources())
    assert report.roles == []
    assert report.cores >= 1


@pytest.mark.parametrize(
    ("every_s", "said"),
    [(30.0, "every 30 s"), (90.0, "every 1.5 min"), (7_200.0, "every 2 h")],
)
def test_times_are_said_in_their_unit(every_s: float, said: str) -> None:
    assert times_of(make_task(every_s=every_s)) == said
    assert times_of(make_task(cron="0 4 * * *")) == "at 0 4 * * * (UTC)"
