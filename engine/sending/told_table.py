"""What was told of each plan, by numbers that only grow, until its engine has it booked."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from engine.domain.engines import MAIN
from engine.domain.told import TransactionNews
from engine.sending.asked import Run

TOLD_MAX: Final = 500
"""Of what is told in one answer."""

SCHEMA: Final = """
create table if not exists tellings (
  number integer primary key autoincrement, client_order_id text not null, news blob not null,
  engine text not null default 'main', is_acknowledged integer not null default 0
);
create index if not exists tellings_of on tellings (client_order_id);
"""

_UNTOLD: Final = "create index if not exists untold on tellings (number) where not is_acknowledged"
_ADDED: Final = {
    "engine": "text not null default 'main'",
    "is_acknowledged": "integer not null default 0",
}
"""What tables of an earlier version lack."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What was told, with its number; numbers only grow."""

    number: int
    news: TransactionNews


class ToldTable:
    """Part of the sender's file; see the module and `NonceTable`."""

    def __init__(
        self,
        run: Run,
        together: Callable[[], AbstractContextManager[None]],
        engine_of: Callable[[str], str | None],
    ) -> None:
        """Add what a table of an earlier version lacks.

        Args:
            run: runs a statement.
            together: has all changes of a block stand or fall together.
            engine_of: says whose a plan is, None if it was never handed over.
        """
        self._run = run
        self._together = together
        self._engine_of = engine_of
        has = {name for _, name, *_ in self._run("pragma table_info(tellings)")}
        for name, kind in _ADDED.items():
            if name not in has:
                self._run(f"alter table tellings add column {name} {kind}")
        self._run(_UNTOLD)

    def put(self, news: TransactionNews, *, engine: str = MAIN) -> None:
        """Tell, as part of the change that is being made.

        `engine` is whose it is, if it was never handed over.
        """
        of_plan = self._engine_of(news.client_order_id)
        self._run(
            "insert into tellings (client_order_id, news, engine) values (?, ?, ?)",
            (
                news.client_order_id,
                msgspec.json.encode(news),
                engine if of_plan is None else of_plan,
            ),
        )

    def after(self, number: int) -> list[Told]:
        """Return what was told after a number, at most `TOLD_MAX`, oldest first."""
        found = self._run(
            "select number, news from tellings where number > ? order by number limit ?",
            (number, TOLD_MAX),
        )
        return [
            Told(number=count, news=msgspec.json.decode(content, type=TransactionNews))
            for count, content in found
        ]

    def untold(self, engine: str, number: int) -> list[Told]:
        """Return what was told of an engine's after a number, and is not acknowledged.

        At most `TOLD_MAX`, oldest first.
        """
        found = self._run(
            "select number, news from tellings"
            " where engine = ? and number > ? and not is_acknowledged order by number limit ?",
            (engine, number, TOLD_MAX),
        )
        return [
            Told(number=count, news=msgspec.json.decode(content, type=TransactionNews))
            for count, content in found
        ]

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Keep that these are booked for good."""
        with self._together():
            for number in numbers:
                self._run("update tellings set is_acknowledged = 1 where number = ?", (number,))

    def newest_number(self) -> int:
        """Return the number of what was told last, 0 if nothing was."""
        ((newest,),) = self._run("select max(number) from tellings")
        return newest or 0

    def of(self, client_order_id: str) -> Told | None:
        """Return what was told last of a plan, None if nothing was."""
        found = self._run(
            "select number, news from tellings where client_order_id = ?"
            " order by number desc limit 1",
            (client_order_id,),
        )
        if not found:
            return None
        number, content = found[0]
        return Told(number=number, news=msgspec.json.decode(content, type=TransactionNews))
