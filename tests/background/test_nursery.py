"""A run ends with the same result however often it and all around it are killed."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import pytest_asyncio

from engine.background.ports import Outcome, Task
from engine.background.runs import Ended
from engine.background.sealed import Kind
from engine.domain.errors import BadValueError
from engine.domain.runs import How
from tests.background.nurseries import PATIENT, Open, files_of, given, opened, plainly, same
from tests.background.patient_tasks import FLAG
from tests.background.sample_tasks import PRIMES, WALK
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def honest(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Open]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FLAG, str(tmp_path_factory.mktemp("flag") / "flag"))
        async with opened(tmp_path_factory.mktemp("honest"), PATIENT) as open_:
            yield open_


@asynccontextmanager
async def half_way(open_: Open, *tasks: Task[Any]) -> AsyncIterator[list[asyncio.Task[Ended]]]:
    """Begin runs, wait until each has kept a state and waits, and let them go on at the end."""
    flag = Path(os.environ[FLAG])
    flag.touch()  # noqa: ASYNC240 - a test
    try:
        running = [asyncio.create_task(open_.nursery.run(task, given())) for task in tasks]
        async with asyncio.timeout(PATIENCE_S):
            for task in tasks:
                while not _has_state(open_, task):
                    await asyncio.sleep(0.005)
        yield running
    finally:
        flag.unlink()  # noqa: ASYNC240 - a test


def _has_state(open_: Open, task: Task[Any]) -> bool:
    files = files_of(open_, task)
    sealed = files.load_given()
    return sealed is not None and files.state_of(sealed.run) is not None


def pid_of(open_: Open) -> int:
    """Return the process of the one run."""
    (attempt,) = open_.nursery._server.attempts.values()
    assert attempt.process is not None
    return attempt.process.pid


async def test_a_run_ends_as_it_does_undisturbed_and_passes_on_what_it_learned(
    honest: Open,
) -> None:
    learned = _learned(honest, PRIMES)
    for seed in (1, 2):
        expected = plainly(PRIMES, given(seed), learned)
        ended = await honest.nursery.run(PRIMES, given(seed))

        assert (ended.how, ended.why, ended.resumed) == (How.DONE, "", 0)
        assert same(PRIMES, ended.outcome, expected)
        assert 0 < ended.own_s < ended.cpu_s
        await honest.nursery.settle(PRIMES.name)
        learned = expected.learned


async def test_what_began_runs_and_how_long_they_were_open_is_told_beside_what_they_took(
    honest: Open,
) -> None:
    before = honest.nursery.spent()
    begun_s = time.monotonic()
    ended = await honest.nursery.run(WALK, given(3))
    await honest.nursery.settle(WALK.name)
    took_s, spent = time.monotonic() - begun_s, honest.nursery.spent()

    assert 0 < spent.open_s - before.open_s <= took_s
    runs_s = (spent.cpu_s - spent.serving_s) - (before.cpu_s - before.serving_s)
    assert runs_s == pytest.approx(ended.cpu_s)
    assert spent.serving_s > 0


@pytest.mark.parametrize("task", [WALK, PRIMES])
async def test_a_run_that_is_killed_goes_on_from_its_state_to_the_same_result(
    honest: Open, task: Any
) -> None:
    expected = plainly(task, given(), _learned(honest, task))
    async with half_way(honest, task) as (running,):
        os.kill(pid_of(honest), signal.SIGKILL)

    ended = await running

    assert ended.resumed == 1
    assert same(task, ended.outcome, expected)
    await honest.nursery.settle(task.name)


def _learned(open_: Open, task: Any) -> Any:
    sealed, _ = files_of(open_, task).page(Kind.LEARNED)
    if sealed is None:
        return None
    return msgspec.msgpack.decode(sealed.content, type=task.state | None)


async def test_all_runs_go_on_when_the_fork_server_is_killed(honest: Open) -> None:
    both: tuple[Task[Any], ...] = (WALK, PRIMES)
    expected = [plainly(task, given(), _learned(honest, task)) for task in both]
    async with half_way(honest, *both) as running:
        group = honest.nursery.group
        assert group is not None
        os.kill(group, signal.SIGKILL)

    ended = await asyncio.gather(*running)

    for task, one, other in zip(both, ended, expected, strict=True):
        assert one.resumed == 1
        assert same(task, one.outcome, other)
        await honest.nursery.settle(task.name)
    assert honest.groups[-2:] == [None, honest.nursery.group]
    assert honest.nursery.group not in {group, None}


async def test_one_signal_to_the_group_holds_all_runs_and_another_lets_them_go_on(
    honest: Open,
) -> None:
    expected = plainly(PRIMES, given(), _learned(honest, PRIMES))
    async with half_way(honest, PRIMES) as (running,):
        process, group = psutil.Process(pid_of(honest)), honest.nursery.group
        assert group is not None
        os.killpg(group, signal.SIGSTOP)
        async with asyncio.timeout(PATIENCE_S):
            while process.status() != psutil.STATUS_STOPPED:
                await asyncio.sleep(0.001)
        os.killpg(group, signal.SIGCONT)

    ended = await running

    assert same(PRIMES, ended.outcome, expected)
    await honest.nursery.settle(PRIMES.name)


async def test_a_run_that_is_killed_while_it_is_held_goes_on_after_the_hold(honest: Open) -> None:
    expected = plainly(PRIMES, given(), _learned(honest, PRIMES))
    async with half_way(honest, PRIMES) as (running,):
        group = honest.nursery.group
        assert group is not None
        os.killpg(group, signal.SIGSTOP)
        os.kill(pid_of(honest), signal.SIGKILL)
        os.killpg(group, signal.SIGCONT)

    ended = await running

    assert (ended.resumed, same(PRIMES, ended.outcome, expected)) == (1, True)
    await honest.nursery.settle(PRIMES.name)


async def test_a_run_that_is_stopped_by_its_caller_goes_on_the_next_time(honest: Open) -> None:
    expected = plainly(WALK, given(), _learned(honest, WALK))
    async with half_way(honest, WALK) as (running,):
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        assert honest.nursery.interrupted() == {WALK.name}
        with pytest.raises(BadValueError, match="has an interrupted run"):
            await honest.nursery.run(WALK, given(8))
    ended = await honest.nursery.run(WALK, None)

    assert ended.resumed == 1
    assert same(WALK, ended.outcome, expected)
    await honest.nursery.settle(WALK.name)
    with pytest.raises(BadValueError, match="no interrupted run"):
        await honest.nursery.run(WALK, None)


async def test_a_result_stands_until_it_is_settled(tmp_path: Path) -> None:
    async with opened(tmp_path) as first:
        ended = await first.nursery.run(PRIMES, given())
    async with opened(tmp_path) as second:
        assert second.nursery.interrupted() == {PRIMES.name}
        again = await second.nursery.run(PRIMES, None)

        assert again.run_id == ended.run_id
        assert same(PRIMES, again.outcome, ended.outcome)
        assert second.nursery.group is None, "nothing had to run"
        await second.nursery.settle(PRIMES.name)
        assert second.nursery.interrupted() == frozenset()
        assert _learned(second, PRIMES) == _outcome(ended).learned


def _outcome(ended: Ended) -> Outcome[Any]:
    assert ended.outcome is not None
    return ended.outcome


async def test_damaged_and_newer_states_are_told_and_the_run_ends_all_the_same(
    tmp_path: Path,
) -> None:
    expected = plainly(PRIMES, given())
    async with opened(tmp_path) as first:
        files = files_of(first, PRIMES)
        run = files.begin(given())
        with files.open_page(Kind.STATE) as page:
            page.write(b"whatever", version=9, run=run)

    async with opened(tmp_path) as second:
        ended = await second.nursery.run(PRIMES, None)

    assert same(PRIMES, ended.outcome, expected)
    (told,) = second.troubles
    assert "the state of count_primes is of version 9, newer than 1: not used" in told.what


async def test_garbage_in_place_of_all_that_was_kept_is_told_and_a_run_begins_anew(
    tmp_path: Path,
) -> None:
    for kind in Kind:
        (tmp_path / f"sandbox.count_primes.{kind.name.lower()}").write_bytes(os.urandom(5_000))

    async with opened(tmp_path) as open_:
        assert open_.nursery.interrupted() == frozenset()
        assert len(open_.troubles) == 3, "the state, what was learned, and what a run was given"
        ended = await open_.nursery.run(PRIMES, given())

        assert same(PRIMES, ended.outcome, plainly(PRIMES, given()))
