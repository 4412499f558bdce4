"""Making something that takes long once for all processes of a test run, wherever it is wanted."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(paths: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder in which something was made, by whichever process came first.

    The others wait for it. One that fails leaves nothing, and the next one tries again.
    """
    return made_once_at(paths.getbasetemp(), name, make)


def made_once_at(base: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return the same, of a process whose tests have their folders in `base`."""
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, making = shared / name, shared / f"{name}.making-{os.getpid()}"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making.mkdir()
            make(making)
            making.rename(folder)
    return folder
