"""What is left of a group whose leader is gone is ended, and nothing else is."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.background.left_over import SERVER, LastGroup
from tests.patience import PATIENCE_S

LEADER = """
import os, signal
os.setsid()
if (pid := os.fork()) == 0:
    os.close(1)  # or whoever reads the leader's words waits for this one too
    os.kill(os.getpid(), signal.SIGSTOP)
else:
    os.waitpid(pid, os.WUNTRACED)
    print(os.getpid(), pid, flush=True)
"""


def left_over(name: str) -> tuple[int, psutil.Process]:
    """Leave a stopped process in the group of a leader that is gone."""
    done = subprocess.run(
        [sys.executable, "-c", LEADER, name], stdout=subprocess.PIPE, text=True, check=True
    )
    group, pid = map(int, done.stdout.split())
    return group, psutil.Process(pid)


@pytest.mark.parametrize(("name", "is_ended"), [(SERVER, True), ("something else", False)])
def test_a_stopped_process_of_a_group_before_is_ended_by_the_next_role(
    tmp_path: Path, name: str, *, is_ended: bool
) -> None:
    group, process = left_over(name)
    LastGroup(tmp_path / "group").keep(group)

    LastGroup(tmp_path / "group").end()

    if is_ended:
        process.wait(PATIENCE_S)
    else:
        assert process.status() == psutil.STATUS_STOPPED
        process.kill()


@pytest.mark.parametrize("content", [b"", b"-1", b"0", b"x" * 99, b"\xff", b"999999999999999999"])
def test_whatever_is_remembered_in_its_place_ends_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "group").write_bytes(content)

    LastGroup(tmp_path / "group").end()

    assert psutil.pid_exists(os.getpid())
