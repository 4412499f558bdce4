import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.domain.errors import BadValueError, FatalError, SettingsError, TransientError, worst_of
from engine.operate import exit_codes
from engine.operate.exit_codes import exit_code_of

ROOT = Path(__file__).resolve().parents[2]


def test_a_fatal_error_inside_nested_groups_is_the_one_that_counts() -> None:
    fatal = FatalError("the disk is full")
    inner = ExceptionGroup("inner", [OSError("x"), TransientError("away"), fatal])
    group = BaseExceptionGroup("outer", [asyncio.CancelledError(), inner, ValueError("y")])

    assert worst_of(group) is fatal
    assert exit_code_of(group) == exit_codes.FATAL


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), exit_codes.BROKEN_SETTINGS),
        (FatalError("x"), exit_codes.FATAL),
        (TransientError("x"), exit_codes.TRANSIENT),
        (BadValueError("x"), 1),
    ],
)
def test_an_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code


@pytest.mark.parametrize("module", ["engine", "bot"])
def test_a_full_disk_under_the_complaint_leaves_the_exit_code(tmp_path: Path, module: str) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "MARKETS": "lvie"}
    command = [sys.executable, "-m", module, *(["migrate"] if module == "engine" else [])]

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=tmp_path, env=environment, stderr=full, check=False)

    assert done.returncode == exit_codes.BROKEN_SETTINGS


def test_a_closed_stderr_leaves_the_exit_code(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "MARKETS": "lvie"}
    command = ["sh", "-c", f"exec {sys.executable} -m engine migrate 2>&- >&-"]

    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False)

    assert done.returncode == exit_codes.BROKEN_SETTINGS
