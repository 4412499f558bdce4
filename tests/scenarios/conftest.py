"""Tests that mount file systems of their own run in a namespace, which needs no rights."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_INSIDE = "TEST_HAS_OWN_MOUNTS"
_UNSHARE = ("unshare", "--map-root-user", "--mount")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test marked `own_mounts` in a process whose mounts nobody else sees."""
    if pyfuncitem.get_closest_marker("own_mounts") is None or _INSIDE in os.environ:
        return None
    if subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system refuses user namespaces")
    # A short folder: the path of a Unix socket has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="s") as folder:
        options = ["-q", "-p", "no:cacheprovider", f"--basetemp={folder}/t"]
        # Its id may have its group behind it, where tests run side by side.
        test = f"{pyfuncitem.path}::{pyfuncitem.name}"
        done = subprocess.run(
            [*_UNSHARE, sys.executable, "-m", "pytest", *options, test],
            cwd=ROOT,
            env=os.environ | {_INSIDE: "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return True
