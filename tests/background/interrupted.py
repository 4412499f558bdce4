"""Interrupts any task, at each point where it may be held and anywhere else, and looks at its end.

A task is in it by being in the list: `TASKS` are those of the product and two examples.
"""

import asyncio
import contextlib
import os
import random
import signal
from typing import Any

import msgspec

from engine.agents.task_list import TASKS as AGENTS
from engine.background.coding import encode_checked
from engine.background.nursery import Nursery
from engine.background.ports import Given, Task
from tests.agents.samples import sample_given
from tests.background import nurseries, sample_tasks
from tests.background.nurseries import as_bytes

TASKS: tuple[Task[Any], ...] = (*sample_tasks.TASKS, *AGENTS)
AT = "tests.background.interrupted:TASKS"


def given_of(task: Task[Any], seed: int) -> Given:
    """Return what a task may be given."""
    if task in sample_tasks.TASKS:
        return nurseries.given(seed)
    return sample_given(task, seed)


def undisturbed(task: Task[Any], given: Given, learned: Any) -> tuple[bytes, int]:
    """Return the outcome of a run, and at how many points it might have been held."""
    generator, count = task.run(given, None, learned), 0
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return as_bytes(task, end.value), count
        count += 1


def interrupted_every(task: Task[Any], given: Given, learned: Any, *, every: int) -> bytes:
    """Interrupt a run at every so manieth point, again and again; return its outcome.

    What goes on after it has the state alone, as that would be kept.
    """
    state, before = None, b""
    while True:
        generator, point = task.run(given, state, learned), 0
        content = before
        while point < every or content == before:  # a task may begin with the state it was given
            try:
                state = next(generator)
            except StopIteration as end:
                return as_bytes(task, end.value)
            content = encode_checked(state, type_=task.state, what="state")
            point += 1
        state = msgspec.msgpack.decode(content, type=task.state)
        before = content


async def in_processes(
    nursery: Nursery,
    calm: Nursery,
    tasks: tuple[Task[Any], ...],
    chance: random.Random,
    *,
    kills_each: int,
) -> tuple[int, list[str]]:
    """Run tasks side by side while their processes are killed or held anywhere.

    What they should end with comes from processes of the same kind, for a library that reckons with
    another number of threads adds in another order.

    Returns:
        how often a run went on, and the tasks which ended otherwise than undisturbed.
    """
    undisturbed = await asyncio.gather(*(calm.run(task, given_of(task, 1)) for task in tasks))
    expected = [as_bytes(task, one.outcome) for task, one in zip(tasks, undisturbed, strict=True)]
    running = [asyncio.create_task(nursery.run(task, given_of(task, 1))) for task in tasks]
    disturbing = asyncio.create_task(_disturb(nursery, chance, kills_each * len(tasks)))
    ended = await asyncio.gather(*running)
    disturbing.cancel()
    await asyncio.gather(disturbing, return_exceptions=True)
    otherwise = []
    for task, one, before in zip(tasks, ended, expected, strict=True):
        if one.outcome is None or as_bytes(task, one.outcome) != before:
            otherwise.append(f"{task.name}: {one.how} {one.why}")
        else:
            await nursery.settle(task.name)
    return sum(one.resumed for one in ended), otherwise


async def _disturb(nursery: Nursery, chance: random.Random, kills: int) -> None:
    """Kill runs, one after another, and hold all of them in between."""
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.0, 0.03))
        if nursery.group is not None and chance.random() < 0.5:
            held = nursery.group
            with contextlib.suppress(ProcessLookupError):
                os.killpg(held, signal.SIGSTOP)
            await asyncio.sleep(chance.uniform(0.0, 0.005))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(held, signal.SIGCONT)
        processes = [one.process for one in nursery._server.attempts.values() if one.process]
        if processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(processes).pid, signal.SIGKILL)
