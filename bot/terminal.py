"""Where lines come from and text goes to; a pipe. A person at a terminal is in `bot.prompt`."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import IO, Final, Protocol

LINES_WAITING_MAX: Final = 1000
"""Lines of a pipe that are read ahead; the pipe waits beyond it."""

_NOBODY: Final = (
    "The input ended without a command: nobody is at this terminal, so everything is stopped.\n"
    "To run without one, set TELEGRAM_BOT_TOKEN and TELEGRAM_OPERATOR_ID; make demo needs nobody.\n"
)
_log = logging.getLogger(__name__)


class Terminal(Protocol):
    """What the console needs of its surroundings."""

    def lines(self) -> AsyncIterator[str]:
        """Return lines until the end of input."""
        ...

    def write(self, text: str) -> None:
        """Show lines of text."""
        ...


class PipeTerminal:
    """A pipe or a file. A thread reads it, for a regular file cannot be awaited.

    The thread is a daemon: nothing can interrupt a blocked read, and closing must not wait for it.
    """

    def __init__(self, source: IO[str], target: IO[str]) -> None:
        self._source = source
        self._target = target
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue()

    async def lines(self) -> AsyncIterator[str]:
        """Return lines until the end of input, or until nobody reads the answers."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting
        room = threading.Semaphore(LINES_WAITING_MAX)

        def read() -> None:
            try:
                for line in self._source:
                    room.acquire()
                    loop.call_soon_threadsafe(waiting.put_nowait, line)
                loop.call_soon_threadsafe(waiting.put_nowait, None)
            except (RuntimeError, ValueError, OSError):
                # The loop or the stream was closed while the read was blocked: nobody listens.
                return

        threading.Thread(target=read, name="terminal lines", daemon=True).start()
        is_empty = True
        while (line := await waiting.get()) is not None:
            is_empty = False
            room.release()
            yield line
        if is_empty:
            self.write(_NOBODY)

    def write(self, text: str) -> None:
        """Write lines of text; on a full disk they are lost, without a reader the chat ends."""
        try:
            self._target.write(text + "\n")
            self._target.flush()
        except BrokenPipeError:
            self._waiting.put_nowait(None)
        except OSError as error:
            _log.warning("an answer cannot be written: %s", error.strerror)
