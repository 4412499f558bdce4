"""A person at a terminal: line editing, completion, and a history that lasts.

Loaded only where there is one: the library costs 16 MB and a third of a second.
"""

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

from bot import command_table
from bot.command import CommandEntry, Topic
from bot.dispatch import Invocation, read_line
from bot.grammar import Argument, Form

PROMPT: Final = "syndicate> "
KEPT_BYTES_MAX: Final = 256 * 1024
"""Of a longer history the newer half is kept."""

_LEAVING: Final = "Ctrl-C once more, on an empty line, stops everything."


class CommandCompleter(Completer):
    """Completes commands, their choices and what there is help on, from the command table."""

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
        entry_here = command_table.find(head.removeprefix("/"))
        if entry_here is not None:
            *before, word = rest.split(" ")
            for choice in _choices(entry_here, len([one for one in before if one])):
                if choice.startswith(word.lower()):
                    yield Completion(choice, start_position=-len(word))


def _choices(entry: CommandEntry, number: int) -> Iterable[str]:
    """Return what may stand as the argument with a number, or after ones that were left out."""
    if entry.name == "help" and number == 0:
        return [one.name for one in command_table.COMMANDS] + list(Topic)
    found: list[str] = []
    for argument in entry.grammar[number:]:
        found += argument.choices
        if not _may_be_left_out(argument):
            break
    return found


def _may_be_left_out(argument: Argument) -> bool:
    return argument.may_be_skipped and not argument.is_required


class CommandHistory(FileHistory):
    """The lines of a person, kept over sessions: only those that hold no code."""

    def store_string(self, string: str) -> None:
        """Keep a line, if it is one that may be shown again."""
        if is_kept(string):
            super().store_string(string)


def is_kept(line: str) -> bool:
    """Say whether a line may be kept: what is no command may be anything, a code among them."""
    asked = read_line(line)
    if not isinstance(asked, Invocation):
        return False
    codes = [one.name for one in asked.entry.grammar if one.form is Form.CODE]
    return not any(asked.arguments.text(name) for name in codes)


def open_history(path: Path | None) -> History:
    """Return the history in a file that only this user may read, else one in memory."""
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        path.chmod(0o600)
        _shorten(path)
    except OSError:
        return InMemoryHistory()
    return CommandHistory(str(path))


def _shorten(path: Path) -> None:
    if path.stat().st_size <= KEPT_BYTES_MAX:
        return
    content = path.read_bytes()[-KEPT_BYTES_MAX // 2 :]
    # Entries begin with the line of their time, after an empty one.
    _, _, kept = content.partition(b"\n\n")
    shorter = path.with_suffix(".new")
    with contextlib.suppress(OSError):
        shorter.unlink()
    shorter.touch(0o600)
    shorter.write_bytes(b"\n" + kept)
    shorter.replace(path)


class PromptTerminal:
    """A person; text stands above the prompt."""

    def __init__(self, history: Path | None = None) -> None:
        self._session: PromptSession[str] = PromptSession(
            history=open_history(history),
            completer=CommandCompleter(),
            complete_while_typing=True,
            enable_history_search=False,
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
