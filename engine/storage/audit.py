"""The audit: every act in a chain of hashes, written in the transaction that stores the act.

The hash of a link is over the one before it and its own content, so that no link can be changed,
left out or put in without breaking all that follow; an act that is changed differs from its link.
The newest hash is kept beside the database as well (`audit_head.py`), so that links cut off at the
end are missed. Who can write both, and does, is found by a hash that was noted elsewhere: `/audit`
shows the newest.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import (
    ApprovalEndRecord,
    ApprovalRecord,
    ContractActRecord,
    KeyActRecord,
    LatchRecord,
    MandateRecord,
    StateRecord,
    TaskActRecord,
)
from engine.storage.tables.acts import audit, operator_state

ACTS: Final = (
    StateRecord,
    LatchRecord,
    ApprovalRecord,
    ApprovalEndRecord,
    MandateRecord,
    TaskActRecord,
    ContractActRecord,
    KeyActRecord,
)
"""Records of acts."""

SOURCES: Final[Mapping[str, Table]] = {operator_state.name: operator_state}
"""Tables of acts, each of whose rows has its link. A row has a `record_id` and is never changed."""

BEGINNING: Final = "beginning"
"""Kind of the first link: it holds what was stored before there was a chain."""

GAP: Final = "gap"
"""Kind of a link that says that links before it were missed."""

FIRST_HASH: Final = "0" * 64
PAGE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link."""

    position: int
    hash: str


def link_hash(
    prev_hash: str, *, position: int, kind: str, record_id: str, at_ns: int, content: str
) -> str:
    """Return the hash of a link."""
    text = "\n".join([prev_hash, str(position), kind, record_id, str(at_ns), content])
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def canonical(content: Mapping[str, Any]) -> str:
    """Write content down in the one way that it can be written."""
    return json.dumps(dict(content), sort_keys=True, separators=(",", ":"))


async def load_head(connection: AsyncConnection) -> Head:
    """Load the newest link."""
    newest = await connection.execute(
        select(audit.c.position, audit.c.hash).order_by(audit.c.position.desc()).limit(1)
    )
    row = newest.one_or_none()
    return Head(0, FIRST_HASH) if row is None else Head(row.position, row.hash)


async def link(connection: AsyncConnection, source: Table, record_id: str) -> None:
    """Put an act that was just stored in `source` at the end of the chain."""
    stored = await connection.execute(select(source).where(source.c.record_id == record_id))
    act = stored.mappings().one()
    await note(
        connection,
        source.name,
        record_id=record_id,
        at_ns=act["at_ns"],
        content={name: value for name, value in act.items() if name != "seq"},
    )


async def note(
    connection: AsyncConnection,
    kind: str,
    *,
    record_id: str,
    at_ns: int,
    content: Mapping[str, Any],
) -> None:
    """Put a link at the end of the chain."""
    head = await load_head(connection)
    row: dict[str, Any] = {
        "position": head.position + 1,
        "kind": kind,
        "record_id": record_id,
        "at_ns": at_ns,
        "content": canonical(content),
    }
    hashes = {"prev_hash": head.hash, "hash": link_hash(head.hash, **row)}
    await connection.execute(insert(audit), {**row, **hashes})


async def note_once(
    connection: AsyncConnection,
    kind: str,
    *,
    record_id: str,
    at_ns: int,
    content: Mapping[str, Any],
) -> None:
    """Put a link at the end of the chain, unless what it is of has one."""
    found = await connection.execute(
        select(audit.c.position).where(audit.c.kind == kind, audit.c.record_id == record_id)
    )
    if found.first() is None:
        await note(connection, kind, record_id=record_id, at_ns=at_ns, content=content)


async def has(connection: AsyncConnection, head: Head) -> bool:
    """Say whether a link that was once the newest is in the chain."""
    found = await connection.execute(select(audit.c.hash).where(audit.c.position == head.position))
    return found.scalar_one_or_none() == head.hash


async def close_gap(connection: AsyncConnection, kept: Head | None, *, at_ns: int) -> str | None:
    """Note, as a link, that links which were there once are missed; returns what to say of it."""
    head = await load_head(connection)
    if kept is None and head.position <= 1:
        return None  # it has just begun
    if kept is not None and await has(connection, kept):
        return None
    why = (
        f"the file of its newest link is missing; it ends at link {head.position}"
        if kept is None
        else f"link {kept.position} was there and is not any more; it ends at link {head.position}"
    )
    await note(
        connection, GAP, record_id=f"gap-{head.position}", at_ns=at_ns, content={"action": why}
    )
    return why


class Walk:
    """A walk along the chain, page by page; the first thing that is wrong ends it.

    Attributes:
        broken: what is wrong, None so far.
        gaps: what links say of others that were missed.
    """

    def __init__(self, *, looked_for: str | None = None) -> None:
        self.head = Head(0, FIRST_HASH)
        self.broken: str | None = None
        self.gaps: list[str] = []
        self.is_found = looked_for is None
        self._looked_for = looked_for
        self._before: tuple[int, str] = (0, "")

    async def take_page(self, connection: AsyncConnection) -> bool:
        """Look at the next links; says whether there may be more."""
        found = await connection.execute(
            select(audit)
            .where(audit.c.position > self.head.position)
            .order_by(audit.c.position)
            .limit(PAGE_ROWS)
        )
        rows = found.all()
        acts = await _load_acts(connection, rows)
        for row in rows:
            self._take(row, acts.get((row.kind, row.record_id)))
            if self.broken is not None:
                return False
        return len(rows) == PAGE_ROWS

    async def take_acts(self, connection: AsyncConnection) -> None:
        """Look for acts without a link, and at those from before the chain."""
        if self.broken is not None:
            return
        up_to_seq, digest = self._before
        if await digest_before(connection, up_to_seq=up_to_seq) != digest:
            self.broken = "what was stored before the chain began was changed"
            return
        for source in SOURCES.values():
            unlinked = await connection.execute(
                select(source.c.record_id)
                .where(
                    source.c.seq > up_to_seq,
                    ~exists().where(
                        audit.c.kind == source.name, audit.c.record_id == source.c.record_id
                    ),
                )
                .order_by(source.c.seq)
                .limit(1)
            )
            record_id = unlinked.scalar_one_or_none()
            if record_id is not None:
                self.broken = f"the act {record_id} has no link: it was put in by hand"

    def _take(self, row: Any, act: Mapping[str, Any] | None) -> None:
        if row.position != self.head.position + 1:
            self.broken = f"link {self.head.position + 1} is missing"
            return
        expected = link_hash(
            row.prev_hash,
            position=row.position,
            kind=row.kind,
            record_id=row.record_id,
            at_ns=row.at_ns,
            content=row.content,
        )
        if row.prev_hash != self.head.hash or row.hash != expected:
            self.broken = f"link {row.position} ({row.record_id}) was changed"
            return
        content = json.loads(row.content)
        if row.kind in SOURCES:
            if act is None:
                self.broken = f"the act of link {row.position} ({row.record_id}) is missing"
            elif changed := [name for name in content if act.get(name) != content[name]]:
                names = ", ".join(sorted(changed))
                self.broken = f"the act of link {row.position} ({row.record_id}): {names} changed"
        elif row.kind == BEGINNING:
            self._before = (content["up_to_seq"], content["digest"])
        elif row.kind == GAP:
            self.gaps.append(content["action"])
        self.head = Head(row.position, row.hash)
        self.is_found |= row.hash.startswith(self._looked_for or FIRST_HASH)


async def digest_before(connection: AsyncConnection, *, up_to_seq: int) -> str:
    """Return the digest over the acts that were stored before there was a chain."""
    digest = hashlib.blake2b(digest_size=32)
    state = operator_state.c
    after = 0
    while True:
        found = await connection.execute(
            select(state.seq, state.record_id, state.at_ns, state.by, state.action, state.digest)
            .where(state.seq > after, state.seq <= up_to_seq)
            .order_by(state.seq)
            .limit(PAGE_ROWS)
        )
        rows = found.all()
        for row in rows:
            digest.update("\n".join(str(cell) for cell in row).encode() + b"\n")
        if len(rows) < PAGE_ROWS:
            return digest.hexdigest()
        after = rows[-1].seq


async def _load_acts(connection: AsyncConnection, rows: Any) -> dict[tuple[str, str], Any]:
    acts: dict[tuple[str, str], Any] = {}
    for kind, source in SOURCES.items():
        wanted = [row.record_id for row in rows if row.kind == kind]
        if not wanted:
            continue
        found = await connection.execute(select(source).where(source.c.record_id.in_(wanted)))
        acts.update({(kind, act["record_id"]): act for act in found.mappings()})
    return acts
