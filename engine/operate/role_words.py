"""What a role says to its supervisor by a pipe: ready, alive, lines for the terminal, its end.

The pipe needs neither log nor disk. Lines stand one below the other; whatever is none of the first
three kinds is why the role ended.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Final, Self

READY_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_READY_FD"
LAST_WORDS_BYTES_MAX: Final = 1_000
HUNG_S: Final = 15.0
"""A role that gives no sign of life for so long hangs."""
LOOK_S: Final = 1.0

_READY: Final = b"ready"
_ALIVE: Final = b"alive"
_SAY: Final = b"say "
_READ_BYTES: Final = 4_096


def announce_ready() -> None:
    """Tell the supervisor, if there is one, that this role answers now."""
    _tell_supervisor(_READY + b"\n")


def give_sign_of_life() -> None:
    """Tell the supervisor, if there is one, that this role's loop still turns."""
    _tell_supervisor(_ALIVE + b"\n")


def leave_last_words(text: str) -> None:
    """Tell the supervisor, if there is one, why this role ends: its log may be on a full disk."""
    _tell_supervisor(text.encode()[:LAST_WORDS_BYTES_MAX])


def say_at_terminal(text: str) -> bool:
    """Have the supervisor print a line at its terminal; False if there is no supervisor."""
    line = " ".join(text.split()).encode()[:LAST_WORDS_BYTES_MAX]
    return _tell_supervisor(_SAY + line + b"\n")


def _tell_supervisor(content: bytes) -> bool:
    descriptor = os.environ.get(READY_ENVIRONMENT_NAME)
    if descriptor is None:
        return False
    with contextlib.suppress(OSError):
        os.write(int(descriptor), content)
    return True


class RoleWords:
    """The supervisor's end of the pipe of one process; it is open in a `with` block.

    Attributes:
        is_ready: it answers.
        is_settled: set once it is ready, or once it cannot become so any more.
        last: why it ended, in its own words; complete after the block.
    """

    def __init__(self, descriptor: int, *, on_said: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._on_said = on_said
        self._unread = b""
        self._is_quiet = True
        self.is_ready = False
        self.is_settled = asyncio.Event()
        self.last = ""

    def __enter__(self) -> Self:
        """Listen from now on."""
        os.set_blocking(self._descriptor, False)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        """Take what the process left, and close."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self._read()
        if self._unread:
            self._take(self._unread)
        os.close(self._descriptor)

    async def until_hung(self) -> None:
        """Wait until the role says nothing, not even that it lives, for `HUNG_S`.

        Looks are counted and not time: a supervisor that was itself held up blames nobody.
        """
        quiet_looks = 0
        while quiet_looks * LOOK_S < HUNG_S:
            await asyncio.sleep(LOOK_S)
            quiet_looks = quiet_looks + 1 if self._is_quiet else 0
            self._is_quiet = True

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):  # a process of the role's own may hold the pipe
            while taken := os.read(self._descriptor, _READ_BYTES):
                self._is_quiet = False
                *lines, self._unread = (self._unread + taken).split(b"\n")
                for line in lines:
                    self._take(line)
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self.is_settled.set()

    def _take(self, line: bytes) -> None:
        if line == _READY:
            self.is_ready = True
            self.is_settled.set()
        elif line == _ALIVE:
            pass
        elif line.startswith(_SAY):
            self._on_said(line.removeprefix(_SAY).decode(errors="replace"))
        else:
            self.last = f"{self.last}\n{line.decode(errors='replace')}".strip()
