"""What is known of each chain: by what it is known again, and in which tokens there was something.

A token of which our places once had something is looked at ever after: that there is nothing left
of it is to be told, too.
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from engine.sending.asked import Run
from engine.sending.facts import ChainMark

SCHEMA: Final = """
create table if not exists marks (chain_id integer primary key, mark blob not null);
create table if not exists gained_in (
  chain_id integer not null, token text not null, asset text not null, decimals integer not null,
  primary key (chain_id, token)
) without rowid;
create table if not exists held_in (
  chain_id integer not null, token text not null, primary key (chain_id, token)
) without rowid;
"""


class ChainTable:
    """Part of the sender's file; see the module and `NonceTable`."""

    def __init__(self, run: Run, together: Callable[[], AbstractContextManager[None]]) -> None:
        self._run = run
        self._together = together
        self._gained_in: set[tuple[int, str]] = set()

    def mark(self, chain_id: int) -> ChainMark | None:
        """Return by what a chain is known again, None before anything is known of it."""
        found = self._run("select mark from marks where chain_id = ?", (chain_id,))
        return msgspec.json.decode(found[0][0], type=ChainMark) if found else None

    def keep_mark(self, chain_id: int, mark: ChainMark) -> None:
        """Keep by what a chain is known again."""
        with self._together():
            self.put_mark(chain_id, mark)

    def put_mark(self, chain_id: int, mark: ChainMark) -> None:
        """Keep it, as part of the change that is being made."""
        self._run(
            "insert or replace into marks values (?, ?)", (chain_id, msgspec.json.encode(mark))
        )

    def gains_in(self, chain_id: int, token: str, *, asset: str, decimals: int) -> None:
        """Note that gains of a chain are in a token, too."""
        if (chain_id, token) in self._gained_in:
            return
        with self._together():
            self._run(
                "insert or ignore into gained_in values (?, ?, ?, ?)",
                (chain_id, token, asset, decimals),
            )
        self._gained_in.add((chain_id, token))

    def gained_in(self, chain_id: int) -> list[tuple[str, str, int]]:
        """Return in which tokens there were gains of a chain: address, asset, decimals."""
        return [
            (token, asset, decimals)
            for token, asset, decimals in self._run(
                "select token, asset, decimals from gained_in where chain_id = ? order by token",
                (chain_id,),
            )
        ]

    def held_in(self, chain_id: int, now: Collection[str]) -> set[str]:
        """Return of which tokens the wallet has something now, or once had.

        Args:
            chain_id: of the chain.
            now: of which it has something.
        """
        known = {
            token
            for (token,) in self._run("select token from held_in where chain_id = ?", (chain_id,))
        }
        if fresh := sorted({*now} - known):
            with self._together():
                for token in fresh:
                    self._run("insert or ignore into held_in values (?, ?)", (chain_id, token))
        return known | {*now}
