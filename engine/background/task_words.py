"""Which tasks are switched off by a person: a small file, durable before anybody is told."""

import os
from pathlib import Path

import msgspec

from engine.domain.errors import FatalError


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """The last word on a task.

    Attributes:
        asked_at_ns: when it was asked for: what lets more run counts only if it is later.
    """

    is_on: bool
    by: str
    asked_at_ns: int


class TaskWords:
    """What was switched last, by task.

    Raises:
        FatalError: the file is there and says nothing: a task that was switched off might run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._words: dict[str, Word] = {}
        try:
            self._words = msgspec.json.decode(path.read_bytes(), type=dict[str, Word])
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError) as error:
            raise FatalError(
                f"{path} cannot be read ({error}): remove it, and every background task is on"
            ) from error

    def is_on(self, name: str) -> bool:
        """Say whether a task may run; one that nobody switched may."""
        word = self._words.get(name)
        return word is None or word.is_on

    def word(self, name: str) -> Word | None:
        """Return the last word on a task."""
        return self._words.get(name)

    def set(self, name: str, word: Word) -> None:
        """Keep a word on a task; returns once it is on disk."""
        words = {**self._words, name: word}
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(words))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._words = words
