"""Transfers that persons allowed, and withdrawals that were signed: each once, for ever.

In the signer's own file. Every change is there with a sync before anything follows from it, as it
is rare and what it guards is all that an account has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from engine.domain.transfer_life import Part, TransferOrder
from engine.signing.journal import Journal

SCHEMA = """
create table if not exists transfers (
  transfer_id text primary key, engine text not null, by text not null, heard_ns integer not null,
  due_ns integer not null, content blob not null, is_taken_back integer not null default 0
) without rowid;
create table if not exists withdrawn (
  transfer_id text not null, part text not null, at_ms integer not null,
  primary key (transfer_id, part)
) without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A transfer that a person allowed.

    Attributes:
        heard_ns: when, and `due_ns` from when on it may be sent, both by this machine's clock.
    """

    engine: str
    by: str
    heard_ns: int
    due_ns: int
    order: TransferOrder
    is_taken_back: bool = False


class WithdrawJournal:
    """The part of an installation's file that is about withdrawals."""

    def __init__(self, journal: Journal) -> None:
        """Make its tables at the first start.

        Raises:
            FatalError: it cannot be used.
        """
        self._journal = journal
        journal.make(SCHEMA)

    def allowed(self, transfer_id: str) -> Allowed | None:
        """Return what a person allowed under an id; None for nothing."""
        found = self._journal.run(
            "select engine, by, heard_ns, due_ns, content, is_taken_back from transfers"
            " where transfer_id = ?",
            (transfer_id,),
        )
        if not found:
            return None
        engine, by, heard_ns, due_ns, content, is_taken_back = found[0]
        return Allowed(
            engine=engine,
            by=by,
            heard_ns=heard_ns,
            due_ns=due_ns,
            order=msgspec.msgpack.decode(content, type=TransferOrder),
            is_taken_back=bool(is_taken_back),
        )

    def allow(self, one: Allowed) -> None:
        """Keep a person's word; returns once no loss of power can lose it."""
        with self._journal.durably():
            self._journal.run(
                "insert into transfers values (?, ?, ?, ?, ?, ?, 0)",
                (
                    *(one.order.transfer_id, one.engine, one.by, one.heard_ns, one.due_ns),
                    msgspec.msgpack.encode(one.order),
                ),
            )

    def take_back(self, engine: str, transfer_id: str) -> None:
        """Keep that nothing more is signed of a transfer of an engine, or of all of its with ""."""
        with self._journal.durably():
            self._journal.run(
                "update transfers set is_taken_back = 1"
                " where engine = ? and (transfer_id = ? or ? = '')",
                (engine, transfer_id, transfer_id),
            )

    def signed(self, transfer_id: str) -> frozenset[Part]:
        """Return which parts of a transfer were signed."""
        found = self._journal.run(
            "select part from withdrawn where transfer_id = ?", (transfer_id,)
        )
        return frozenset(Part(part) for (part,) in found)

    def add(
        self, transfer_id: str, part: Part, charges: Mapping[str, int], *, day: int, at_ms: int
    ) -> None:
        """Keep that a part is signed now; returns once no loss of power can lose it.

        Raises:
            FatalError: it cannot be written, or that part was signed before.
        """
        with self._journal.durably():
            self._journal.run("insert into withdrawn values (?, ?, ?)", (transfer_id, part, at_ms))
            self._journal.charge(day, charges)
