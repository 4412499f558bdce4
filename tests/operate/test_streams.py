"""What a parent, a terminal or a disk does to a process's streams never changes what it does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.operate import exit_codes

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
from engine.operate.endings import exit_code_after
from engine.operate.streams import put_out, say, say_last

def work():
    with open(__file__) as file:
        assert file.fileno() > 2, file.fileno()
    sys.stdin.read()
    say_last("✔ said last")
    (put_out if "--asked" in sys.argv else say)("✔ said")
    return 5

sys.exit(exit_code_after(work))
"""


def end_of(tmp_path: Path, redirections: str, *arguments: str) -> tuple[int, bytes]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    line = f"exec {sys.executable} {program} {' '.join(arguments)} {redirections}"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
    }
    done = subprocess.run(
        ["sh", "-c", line], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "redirections",
    ["", "<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", ">/dev/full", ">/dev/full 2>/dev/full"],
)
def test_closed_full_and_narrow_streams_leave_the_exit_code(
    tmp_path: Path, redirections: str
) -> None:
    assert end_of(tmp_path, redirections)[0] == 5


def test_unknown_characters_become_question_marks(tmp_path: Path) -> None:
    assert end_of(tmp_path, "") == (5, b"? said\n")


def test_what_was_asked_for_and_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    assert end_of(tmp_path, "", "--asked") == (5, b"? said")
    assert end_of(tmp_path, ">/dev/full 2>&-", "--asked")[0] == exit_codes.FATAL
