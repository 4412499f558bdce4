"""Disks that refuse: full, mounted read-only, a file that nothing may change, a closed folder."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_BLOCK = b"\0" * 4_096


def mount_small(folder: Path, *, size: str) -> None:
    """Mount a disk of its own at a new folder."""
    folder.mkdir(mode=0o700)
    _mount("-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder))


def fill(folder: Path) -> Path:
    """Leave no byte free on the disk of a folder; returns what to remove again."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(_BLOCK)
    assert os.statvfs(folder).f_bavail == 0
    return ballast


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let every path below a folder refuse writing; files that are open stay open."""
    _mount("--bind", str(folder), str(folder))
    _mount("-o", "remount,bind,ro", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Let a file be neither written, nor removed, nor replaced."""
    set_it = subprocess.run(
        ["chattr", "+i", str(path)], capture_output=True, text=True, check=False
    )
    if set_it.returncode:
        pytest.skip(f"no immutable files here: {set_it.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)


@contextmanager
def without_rights(folder: Path, mode: int) -> Iterator[None]:
    """Let a folder have another mode for a while."""
    folder.chmod(mode)
    try:
        yield
    finally:
        folder.chmod(0o700)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
