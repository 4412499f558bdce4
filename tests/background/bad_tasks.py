"""Tasks that misbehave, each in its own way."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

import msgspec

from engine.background.ports import STATE_BYTES_MAX, Bounds, Given, Outcome, Task


class Plain(msgspec.Struct, frozen=True):
    """A state."""

    step: int
    blob: bytes = b""


Steps = Generator[Any, None, Any]
Body = Callable[[Given, Plain | None], Steps]
SMALL = Bounds(wall_s=1.0, cpu_s=0.6, memory_mb=60)


def _busy(seconds: float) -> None:
    until_s = time.process_time() + seconds
    while time.process_time() < until_s:
        pass


def raises(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    raise ValueError("three is no colour")


def leaves(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    sys.exit(0)


def loops(_: Given, __: Plain | None) -> Steps:
    while True:
        yield Plain(1)


def waits(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    ctypes.CDLL(None).sleep(3_600)


def allocates(_: Given, __: Plain | None) -> Steps:
    held = []
    while True:
        held.append(bytearray(4_000_000))
        yield Plain(len(held))


def allocates_at_once(_: Given, __: Plain | None) -> Steps:
    yield Plain(len(bytearray(8_000_000_000)))


def forks(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    os.fork()


def begins_programs(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    subprocess.run(["true"], check=True)


def connects(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    with socket.socket() as one:
        one.connect(("127.0.0.1", 9))


def forks_natively(_: Given, __: Plain | None) -> Steps:
    """Begin processes past Python, one of which leaves its group."""
    libc = ctypes.CDLL(None)
    for _number in range(3):
        if libc.fork() == 0:
            if _number == 1:
                os.setsid()
            time.sleep(3_600)
    while True:
        yield Plain(1)


def leaves_children(_: Given, __: Plain | None) -> Steps:
    """End well and leave processes behind."""
    libc = ctypes.CDLL(None)
    if libc.fork() == 0:
        os.setsid()
        if libc.fork() == 0:
            time.sleep(3_600)
        os._exit(0)
    yield Plain(1)
    return Outcome()


def exits(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    os._exit(0)


def crashes(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    os.kill(os.getpid(), signal.SIGSEGV)


def wrong_state(_: Given, __: Plain | None) -> Steps:
    while True:
        _busy(0.05)
        yield Plain("one")  # type: ignore[arg-type]


def other_state(_: Given, __: Plain | None) -> Steps:
    while True:
        _busy(0.05)
        yield object()


def large_state(_: Given, __: Plain | None) -> Steps:
    while True:
        _busy(0.05)
        yield Plain(1, bytes(STATE_BYTES_MAX + 1))


def wrong_outcome(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    return Outcome(learned=Plain("one"))  # type: ignore[arg-type]


def no_outcome(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)


def large_learned(_: Given, __: Plain | None) -> Steps:
    yield Plain(1)
    return Outcome(learned=Plain(1, bytes(STATE_BYTES_MAX + 1)))


def killed_always(_: Given, __: Plain | None) -> Steps:
    """As one that the system ends each time, for want of memory."""
    yield Plain(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _task(body: Body) -> Task[Plain]:
    def run(given: Given, state: Plain | None, _: Plain | None) -> Steps:
        return (yield from body(given, state))

    return Task(
        name=body.__name__,
        agent="villain",
        does="harm",
        state=Plain,
        run=run,
        wants=(),
        bounds=SMALL,
    )


TASKS = tuple(
    _task(body)
    for body in (
        *(raises, leaves, loops, waits, allocates, allocates_at_once, forks, begins_programs),
        *(connects, forks_natively, leaves_children, exits, crashes, wrong_state, other_state),
        *(large_state, wrong_outcome, no_outcome, large_learned, killed_always),
    )
)
