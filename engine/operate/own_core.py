"""A core of its own for the engine, kept awake.

A core that falls asleep between two frames wakes up with cold caches, on a rented machine after
others have used them: a frame 3 ms after the last takes two to three times as long as it needs to.
The supervisor keeps all roles off one core and names it to the engine; that runs on it, with a
process beside it that spins whenever the engine sleeps. By its policy (SCHED_IDLE) it runs only if
nobody else wants the core.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from engine.domain.errors import FatalError

CORE_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_CORE"
CORES_LEAST: Final = 2

SPIN: Final = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == int(sys.argv[2]):
    for _ in range(1_000_000):
        pass
"""
"""Ends some 20 ms after the engine, however that ended."""


def set_core_aside(environment: MutableMapping[str, str]) -> None:
    """Keep this process and all that it starts off the last core, and name that to the engine.

    Raises:
        FatalError: this system has no such cores.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < CORES_LEAST:
        found = f"{len(cores)} core" if cores else "a system without them"
        raise FatalError(
            f"SYNDICATE_ENGINE_CORE=own needs Linux and {CORES_LEAST} cores, this is {found}: "
            "set it to shared"
        )
    environment[CORE_ENVIRONMENT_NAME] = str(cores[-1])
    os.sched_setaffinity(0, cores[:-1])


@contextlib.asynccontextmanager
async def own_core(environment: MutableMapping[str, str]) -> AsyncIterator[None]:
    """Run this thread on the core that was set aside, awake, until the block ends.

    Threads for work beside the loop stay where they were. Without such a core nothing is changed.
    """
    core = environment.get(CORE_ENVIRONMENT_NAME)
    if core is None:
        yield
        return
    others = os.sched_getaffinity(0)
    asyncio.get_running_loop().set_default_executor(
        ThreadPoolExecutor(initializer=os.sched_setaffinity, initargs=(0, others))
    )
    spinning = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", SPIN, core, str(os.getpid())),
        stdin=asyncio.subprocess.DEVNULL,
    )
    os.sched_setaffinity(0, {int(core)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, others)
        with contextlib.suppress(ProcessLookupError):
            spinning.kill()
        await spinning.wait()
