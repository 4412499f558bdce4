"""What processes use, looked at from beside them: real ones."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.operate.role_uses import RoleUses, role_of


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("python -m engine role engine", "engine"),
        ("python -X dev -m engine role workers", "workers"),
        ("python -m bot", "bot"),
        ("python -m engine run", ""),
        ("sh -c sleep", ""),
        ("", ""),
    ],
)
def test_a_role_is_known_by_its_command_line(line: str, role: str) -> None:
    assert role_of(line.split()) == role


def test_files_sockets_and_processor_time_of_a_process_are_seen() -> None:
    own = psutil.Process()
    steady_s = 0.0
    uses = RoleUses(parent=lambda: own, steady=lambda: steady_s)
    uses.look()
    (before,) = [one for one in uses.uses if one.role == "supervisor"]

    with socket.socket(), open(os.devnull, "rb"):  # noqa: PTH123
        used_s = own.cpu_times().user
        while own.cpu_times().user - used_s < 0.1:
            sum(range(10_000))
        steady_s = 1.0
        uses.look()

    (after,) = [one for one in uses.uses if one.role == "supervisor"]
    assert after.files >= before.files + 2
    assert after.sockets == before.sockets + 1
    assert after.cores >= 0.1
    assert after.memory_mb > 1
    assert after.leak_mb_h is None


def test_a_process_that_began_anew_begins_a_new_series_and_one_that_ended_is_gone() -> None:
    script = "import sys; sys.stdin.read()"
    uses = RoleUses(parent=psutil.Process)
    arguments = [sys.executable, "-c", script, "-m", "bot"]
    for _ in range(2):
        process = psutil.Popen(arguments, stdin=-1)
        try:
            uses.look()
            assert "bot" in {one.role for one in uses.uses}
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
    uses.look()
    assert "bot" not in {one.role for one in uses.uses}


def test_without_a_parent_nothing_is_seen() -> None:
    uses = RoleUses(parent=lambda: None)
    uses.look()
    assert uses.uses == []


HIDDEN = """
import sys, time
from engine.signing.guards import guard_memory
guard_memory()
print("hidden", flush=True)
sys.stdin.read()
"""

LOOK = """
import sys
from pathlib import Path
import psutil
from engine.operate.role_uses import RoleUses
uses = RoleUses(parent=lambda: psutil.Process(int(sys.argv[1])))
uses.look()
print({one.role: (one.memory_mb > 1, one.files) for one in uses.uses})
"""


def test_a_role_that_lets_nobody_look_is_shown_with_its_memory_and_no_files() -> None:
    root = Path(__file__).resolve().parents[2]
    hidden = subprocess.Popen(
        [sys.executable, "-c", HIDDEN, "-m", "engine", "role", "signer"],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert hidden.stdout is not None
        assert hidden.stdout.readline() == b"hidden\n"
        done = subprocess.run(
            [sys.executable, "-c", LOOK, str(os.getpid())],
            cwd=root, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        hidden.communicate()
    assert done.returncode == 0, done.stderr
    files = r"\d+" if os.geteuid() == 0 else "0"  # root is let look at anything
    assert re.search(rf"'signer': \(True, {files}\)", done.stdout)
