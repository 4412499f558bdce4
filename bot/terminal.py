"""Where lines come from and text goes to: a person at a terminal, or a pipe."""

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from typing import IO, Final, Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

from bot import command_table

PROMPT: Final = "syndicate> "
LINES_WAITING_MAX: Final = 1000
"""Lines of a pipe that are read ahead; the pipe waits beyond it."""

_NOBODY: Final = (
    "The input ended without a command: nobody is at this terminal, so everything is stopped.\n"
    "To run without one, set TELEGRAM_BOT_TOKEN and TELEGRAM_OPERATOR_ID; make demo needs nobody.\n"
)
_LEAVING: Final = "Ctrl-C once more, on an empty line, stops everything."
_log = logging.getLogger(__name__)


class Terminal(Protocol):
    """What the console needs of its surroundings."""

    def lines(self) -> AsyncIterator[str]:
        """Return lines until the end of input."""
        ...

    def write(self, text: str) -> None:
        """Show lines of text."""
        ...


class CommandCompleter(Completer):
    """Completes commands and their choices from the command table."""

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Return what may stand at the cursor."""
        del complete_event
        line = document.text_before_cursor.lstrip()
        head, space, rest = line.partition(" ")
        if not space:
            for entry in command_table.COMMANDS:
                if f"/{entry.name}".startswith(head or "/"):
                    yield Completion(
                        f"/{entry.name}",
                        start_position=-len(head),
                        display_meta=entry.short_help,
                    )
            return
        for entry in command_table.COMMANDS:
            if head == f"/{entry.name}" and entry.grammar and " " not in rest:
                for choice in entry.grammar[0].choices:
                    if choice.startswith(rest):
                        yield Completion(choice, start_position=-len(rest))


class PromptTerminal:
    """A person: line editing, history of this session, completion; text stands above the prompt."""

    def __init__(self) -> None:
        self._session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(), completer=CommandCompleter(), complete_while_typing=True
        )

    async def lines(self) -> AsyncIterator[str]:
        """Return lines until Ctrl-D, or Ctrl-C twice on an empty line."""
        is_leaving = False
        while True:
            with patch_stdout():
                try:
                    line = await self._session.prompt_async(PROMPT)
                except EOFError:
                    return
                except KeyboardInterrupt:
                    # What is half typed is cleared by the next prompt; a habit of the shell must
                    # not end the engine.
                    if is_leaving and not self._session.default_buffer.text:
                        return
                    is_leaving = True
                    self.write(_LEAVING)
                    continue
            is_leaving = False
            yield line

    def write(self, text: str) -> None:
        """Show lines of text above the prompt."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


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
