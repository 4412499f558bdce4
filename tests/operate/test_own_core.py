"""A core for the engine alone: who runs where, and what keeps it awake."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import Iterator

import psutil
import pytest

from engine.domain.errors import FatalError
from engine.operate.own_core import CORE_ENVIRONMENT_NAME, own_core, set_core_aside
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="a core aside needs two of them"
)


@pytest.fixture(autouse=True)
def all_cores() -> Iterator[set[int]]:
    cores = os.sched_getaffinity(0)
    yield cores
    os.sched_setaffinity(0, cores)


def children() -> set[psutil.Process]:
    """Children of this process; tests before may have left some."""
    return set(psutil.Process().children())


async def until_spinning(child: psutil.Process) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while os.sched_getscheduler(child.pid) != os.SCHED_IDLE:
            await asyncio.sleep(0.01)


async def test_the_loop_has_the_last_core_and_nothing_else_runs_there(all_cores: set[int]) -> None:
    environment: dict[str, str] = {}
    set_core_aside(environment)
    last = max(all_cores)
    assert os.sched_getaffinity(0) == all_cores - {last}

    before = children()
    async with own_core(environment):
        assert os.sched_getaffinity(0) == {last}
        assert await asyncio.to_thread(os.sched_getaffinity, 0) == all_cores - {last}
        (child,) = children() - before
        await until_spinning(child)
        assert os.sched_getaffinity(child.pid) == {last}

    assert os.sched_getaffinity(0) == all_cores - {last}
    assert not child.is_running()


async def test_without_a_core_aside_nothing_is_changed(all_cores: set[int]) -> None:
    before = children()
    async with own_core({}):
        assert os.sched_getaffinity(0) == all_cores
        assert children() <= before


async def test_what_keeps_the_core_awake_ends_with_a_killed_engine() -> None:
    program = textwrap.dedent("""
        import asyncio, os
        from engine.operate.own_core import own_core, set_core_aside
        async def main():
            set_core_aside(os.environ)
            async with own_core(os.environ):
                print("on", flush=True)
                await asyncio.sleep(600)
        asyncio.run(main())
    """)
    engine = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert engine.stdout is not None
    assert await engine.stdout.readline() == b"on\n"
    (child,) = psutil.Process(engine.pid).children()
    await until_spinning(child)
    os.kill(engine.pid, signal.SIGKILL)
    await engine.wait()
    async with asyncio.timeout(PATIENCE_S):
        while child.is_running():
            await asyncio.sleep(0.01)


def test_one_core_is_refused_with_what_to_do(all_cores: set[int]) -> None:
    os.sched_setaffinity(0, {min(all_cores)})
    environment: dict[str, str] = {}
    with pytest.raises(FatalError, match="this is 1 core: set it to shared"):
        set_core_aside(environment)
    assert CORE_ENVIRONMENT_NAME not in environment
