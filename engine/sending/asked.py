"""What people asked to have done to our contract, on disk before anybody is answered.

It is carried out once under the id of its command, as its nonce is kept under that id; and it goes
into the audit once the ledger has it, however often either process ends in between.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from engine.domain.told import Asked

SCHEMA: Final = """
create table if not exists asked (
  command_id text primary key, client_order_id text not null, asked blob not null,
  is_audited integer not null default 0
) without rowid;
"""

NOT_BEGUN: Final = " and ".join(
    f"not exists (select 1 from {table} where {table}.client_order_id = {{0}}.client_order_id)"  # noqa: S608 - ours
    for table in ("lives", "former_lives", "tellings")
)
"""What has neither a nonce nor an end; each table is looked into by its index, however long."""

Run = Callable[..., list[tuple[Any, ...]]]


class AskedTable:
    """Part of the sender's file; see the module and `NonceTable`."""

    def __init__(self, run: Run, together: Callable[[], AbstractContextManager[None]]) -> None:
        self._run = run
        self._together = together

    def keep(self, asked: Asked) -> None:
        """Keep what is asked, once."""
        with self._together():
            self._run(
                "insert or ignore into asked (command_id, client_order_id, asked) values (?, ?, ?)",
                (asked.command_id, asked.client_order_id, msgspec.json.encode(asked)),
            )

    def waiting(self, chain: str) -> list[Asked]:
        """Return what neither has a nonce nor an end, oldest first."""
        return [one for one in self._found(NOT_BEGUN.format("asked")) if one.chain == chain]

    def paused_since(self, chain: str, at_ns: int) -> Asked | None:
        """Return what asked for a pause of a chain's contract after an instant, None if nothing."""
        later = [
            one
            for one in self._found("true")
            if one.chain == chain and one.is_pause and one.at_ns > at_ns
        ]
        return later[0] if later else None

    def of(self, client_order_id: str) -> Asked | None:
        """Return what a transaction was asked for, None if it was not."""
        found = self._found("client_order_id = ?", (client_order_id,))
        return found[0] if found else None

    def unaudited(self) -> list[Asked]:
        """Return what is not known to be in the audit."""
        return self._found("not is_audited")

    def audited(self, command_id: str) -> None:
        """Note that it is in the audit."""
        with self._together():
            self._run("update asked set is_audited = 1 where command_id = ?", (command_id,))

    def _found(self, where: str, values: Sequence[object] = ()) -> list[Asked]:
        found = self._run(f"select asked from asked where {where}", values)  # noqa: S608 - ours
        asked = [msgspec.json.decode(content, type=Asked) for (content,) in found]
        return sorted(asked, key=lambda one: (one.at_ns, one.command_id))
