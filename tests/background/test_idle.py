"""Background work runs only where nobody else wants to, and says what the system refuses."""

import multiprocessing
import os
import subprocess
import sys
from typing import Any

import pytest

from engine.background.idle import (
    AUTOGROUP,
    THREAD_COUNTS,
    become_idle,
    one_thread_each,
    small_pages,
)


def as_idle(engine_core: int | None) -> dict[str, Any]:
    refused = become_idle(engine_core=engine_core)
    return {
        "refused": refused,
        "policy": os.sched_getscheduler(0),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "cores": os.sched_getaffinity(0),
    }


def as_refused() -> list[str]:
    def refuse(*_of: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    os.sched_setscheduler = os.setpriority = os.sched_setaffinity = refuse  # type: ignore[assignment]
    return become_idle(engine_core=max(os.sched_getaffinity(0)))


def test_a_process_becomes_idle_work_off_the_engines_core() -> None:
    cores = os.sched_getaffinity(0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(as_idle, [max(cores)])
        after = pool.apply(as_refused)

    told = " ".join(found["refused"])
    assert found["policy"] == os.SCHED_IDLE or "SCHED_IDLE" in told
    assert found["nice"] == 19 or "nice 19" in told
    assert found["cores"] == (cores - {max(cores)} or cores) or "core" in told
    assert after[:2] == [
        "the system refuses the policy SCHED_IDLE: Operation not permitted",
        "the system refuses nice 19: Operation not permitted",
    ]


def as_idle_session() -> tuple[list[str], str]:
    os.setsid()
    return become_idle(), AUTOGROUP.read_text()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel shares nothing among sessions")
def test_a_session_of_its_own_is_made_nice_among_sessions() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        refused, said = pool.apply(as_idle_session)

    assert said.split()[1:] == ["nice", "19"] or "of its session" in " ".join(refused)


def test_a_large_table_of_which_little_is_touched_takes_little_in_background_work() -> None:
    code = """
import numpy, psutil
tables = [numpy.zeros(1_000_000) for _ in range(16)]
before = psutil.Process().memory_info().rss
for table in tables:
    table[500_000] = 1
print(psutil.Process().memory_info().rss - before)
"""
    environment = dict(os.environ)
    small_pages(environment)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert int(done.stdout) < 1_000_000  # with huge pages 2 MB for each


def test_libraries_for_numbers_are_given_one_thread_each() -> None:
    environment = {"OMP_NUM_THREADS": "8", "HOME": "/"}

    one_thread_each(environment)

    assert environment == {"HOME": "/"} | dict.fromkeys(THREAD_COUNTS, "1")
