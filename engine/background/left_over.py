"""Ends what is left of a group whose leader is gone, such as a run that was stopped as it began.

A run dies with its fork server by a word that it gives the kernel as its first act. One that is
stopped before that stays, stopped, for nobody lets it go on.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

import psutil

SERVER: Final = "engine.background.fork_server"
GROUP_BYTES_MAX: Final = 20


def end_group(group: int) -> int:
    """Kill all of a group that came from a fork server; return how many there were.

    A number that other processes were given since is not theirs: those have another name.
    """
    ended = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and SERVER in process.cmdline():
                process.kill()
                ended += 1
    return ended


class LastGroup:
    """Remembers the group of now, for the role that comes after this one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def end(self) -> None:
        """End what is left of the group before."""
        with contextlib.suppress(OSError, ValueError), self._path.open() as file:
            end_group(int(file.read(GROUP_BYTES_MAX)))

    def keep(self, group: int) -> None:
        """Remember a group; on a full disk none is."""
        with contextlib.suppress(OSError):
            self._path.write_text(str(group))
