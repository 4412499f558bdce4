"""The sender's table of truths, each until the ledger has it: a file beside that of the nonces.

All that is in it can be worked out again from what was told, so it is written without waiting for
the disk, and never in the way of what is sent.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.domain.errors import FatalError
from engine.domain.truths import Truth

GIVEN_MAX: Final = 50
"""Of what is given to the ledger at once."""

_SCHEMA: Final = """
create table if not exists truths (
  number integer primary key, truth blob, is_kept integer not null
);
create index if not exists unkept on truths (number) where not is_kept;
"""


class TruthTable:
    """Truths by the number of what was told; see the module."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it at the first start.

        Raises:
            FatalError: it cannot be used.
        """
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=0.2)
            self._run("pragma journal_mode = wal")
            self._run("pragma synchronous = normal")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise FatalError(f"the table of truths {path} cannot be used: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def has(self, number: int) -> bool:
        """Say whether it is known what the telling of a number came to."""
        return bool(self._run("select 1 from truths where number = ?", (number,)))

    def put(self, number: int, truth: Truth | None) -> None:
        """Keep what a telling came to; nothing where it is no trade's."""
        content = None if truth is None else msgspec.json.encode(truth)
        self._run(
            "insert or ignore into truths values (?, ?, ?)", (number, content, int(truth is None))
        )

    def unkept(self) -> list[tuple[int, bytes]]:
        """Return what the ledger does not have yet, oldest first, as JSON, with its number."""
        found = self._run(
            "select number, truth from truths where not is_kept order by number limit ?",
            (GIVEN_MAX,),
        )
        return [(int(number), bytes(content)) for number, content in found]

    def kept(self, numbers: Sequence[int]) -> None:
        """Note that the ledger has them."""
        for number in numbers:
            self._run("update truths set is_kept = 1 where number = ?", (number,))

    def _run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            with closing(self._database.execute(statement, tuple(values))) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:
            raise FatalError(f"the table of truths {self._path} cannot be used: {error}") from error
