"""Keeping discoveries: each once, one in force of a kind and subject, and no more than fit."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.discovery_reports import Became, Kept, Use
from engine.domain.discoveries import Discovery, Effect, Verdict, refusal_of
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.storage import discovery_words
from engine.storage.discovery_rows import content_row, digest_of, is_in_force
from engine.storage.insertion import Row
from engine.storage.tables.background import discoveries, discovery_counts

IN_FORCE_MAX: Final = 2_000
KEPT_MAX: Final = 10_000
"""Most rows, history too."""
PRUNED_AT_ONCE: Final = 500
NO_EFFECT_NS: Final = 7 * NS_PER_DAY
"""How long what was found to have no effect is not believed again."""

LINE_NO_EFFECT_NS: Final = NS_PER_DAY
"""How long nothing of its kind and subject is, where the effect was that of all of these: markets
change, and what says something else each minute is never the same again."""

CHANGE_LENGTH_MAX: Final = 60

LEFT_OUT: Final = "left out"
PRUNED: Final = "pruned"
REFUSED: Final = "refused: "
EXPIRED: Final = "expired"

_TAKEN_BACK: Final = (Verdict.NO_EFFECT, Verdict.COSTS)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One discovery with where it is from, as it is to be kept."""

    record_id: str
    task: str
    agent: str
    task_run: str
    at_ns: int
    basis: Basis
    discovery: Discovery


async def keep(connection: AsyncConnection, finding: Finding, *, now_ns: int) -> Kept:
    """Keep a discovery, or say why not; the same finding again is answered as before."""
    if why := refusal_of(finding.discovery):
        await count(connection, REFUSED + why)
        return Kept(became=Became.REFUSED, why=why)
    digest = digest_of(finding.discovery)
    if known := await _known(connection, finding, digest, now_ns):
        return known
    before = await _open_one(connection, finding)
    if before is not None and before.digest == digest:
        return await _extend(connection, before, finding, now_ns)
    return await _keep_new(connection, finding, digest, before, now_ns=now_ns)


async def keep_use(connection: AsyncConnection, seq: int, use: Use) -> bool:
    """Note the input that an advice became; say whether there is such a discovery."""
    table = discoveries.c
    is_there, known = await _use_of(connection, seq)
    if is_there and (known is None or replace(known, changed="") != use):
        use = use if known is None else replace(use, changed=known.changed)
        await connection.execute(
            update(discoveries)
            .where(table.seq == seq)
            .values(use=msgspec.json.encode(use).decode(), uses_count=table.uses_count + 1)
        )
    return is_there


async def keep_change(connection: AsyncConnection, seq: int, what: str, *, now_ns: int) -> bool:
    """Note what was otherwise because of it, once; say whether there is such a discovery."""
    is_there, known = await _use_of(connection, seq)
    if is_there and (known is None or not known.changed):
        use = Use(run_id="", input_seq=0, at_ns=now_ns) if known is None else known
        text = msgspec.json.encode(replace(use, changed=what[:CHANGE_LENGTH_MAX])).decode()
        table = discoveries.c
        await connection.execute(update(discoveries).where(table.seq == seq).values(use=text))
    return is_there


async def _use_of(connection: AsyncConnection, seq: int) -> tuple[bool, Use | None]:
    """Say whether there is such a discovery, and return its use so far."""
    table = discoveries.c
    found = await connection.execute(select(table.use).where(table.seq == seq))
    row = found.one_or_none()
    if row is None or row.use is None:
        return row is not None, None
    return True, msgspec.json.decode(row.use, type=Use)


async def keep_effect(
    connection: AsyncConnection, seq: int, effect: Effect, *, now_ns: int
) -> bool | None:
    """Note what a discovery changed, and end it if that is nothing or harm.

    Returns:
        whether it is in force no more because of it; None if there is no such discovery.
    """
    table = discoveries.c
    found = await connection.execute(select(table.ended_at_ns).where(table.seq == seq))
    row = found.one_or_none()
    if row is None:
        return None
    await connection.execute(
        update(discoveries)
        .where(table.seq == seq)
        .values(effect=msgspec.json.encode(effect).decode())
    )
    if effect.verdict not in _TAKEN_BACK or row.ended_at_ns is not None:
        return False
    await end(connection, seq, at_ns=now_ns, why=effect.verdict.value)
    return True


async def end(connection: AsyncConnection, seq: int, *, at_ns: int, why: str) -> None:
    """End a discovery that has not ended."""
    table = discoveries.c
    await connection.execute(
        update(discoveries)
        .where(table.seq == seq, table.ended_at_ns.is_(None))
        .values(ended_at_ns=at_ns, ended=why)
    )


async def prune(connection: AsyncConnection, *, now_ns: int, old_at_ns: int) -> int:
    """End what has expired; delete some of what is old or too much; return how much was deleted.

    What is too much goes by its worth: what no effect was measured of first, then the least
    trusted.
    """
    table = discoveries.c
    await connection.execute(
        update(discoveries)
        .where(table.ended_at_ns.is_(None), table.expires_at_ns <= now_ns)
        .values(ended_at_ns=table.expires_at_ns, ended=EXPIRED)
    )
    over = table.ended_at_ns.is_not(None)
    old = await connection.execute(
        select(table.seq).where(over, table.ended_at_ns < old_at_ns).limit(PRUNED_AT_ONCE)
    )
    gone = list(old.scalars())
    kept = await connection.execute(select(func.count()).select_from(discoveries))
    excess = min(kept.scalar_one() - KEPT_MAX, PRUNED_AT_ONCE) - len(gone)
    if excess > 0:
        worst = await connection.execute(
            select(table.seq)
            .where(over, table.seq.not_in(gone))
            .order_by(table.effect.is_not(None), table.score, table.seen_at_ns)
            .limit(excess)
        )
        gone += worst.scalars()
    if gone:
        await connection.execute(delete(discoveries).where(table.seq.in_(gone)))
        await discovery_words.remove(connection, gone)
        await count(connection, PRUNED, len(gone))
    return len(gone)


async def count(connection: AsyncConnection, name: str, added: int = 1) -> None:
    """Add to a count for good."""
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    table: Table = discovery_counts
    insert = dialect.insert(table).values(name=name, count=added)
    await connection.execute(
        insert.on_conflict_do_update(
            index_elements=[table.c.name], set_={"count": table.c.count + insert.excluded.count}
        )
    )


async def _known(
    connection: AsyncConnection, finding: Finding, digest: str, now_ns: int
) -> Kept | None:
    """Return what is said of one that was kept before, or that was found to have no effect."""
    table = discoveries.c
    told = await connection.execute(
        select(table.seq).where(table.record_id == finding.record_id).limit(1)
    )
    if (seq := told.scalar_one_or_none()) is not None:
        return Kept(became=Became.NEW, seq=seq)
    seq = await _without_effect(connection, finding.basis, digest, now_ns)
    if seq is None and finding.discovery.advice is not None:
        seq = await _line_without_effect(connection, finding, now_ns)
    if seq:
        return Kept(became=Became.OVER, seq=seq, why="no effect was measured")
    return None


async def _keep_new(
    connection: AsyncConnection, finding: Finding, digest: str, before: Any, *, now_ns: int
) -> Kept:
    """Keep one that says something new, in place of the one that was in force before."""
    # One that is dated beyond now is of a clock that ran ahead, and holds nothing up.
    is_late = before is not None and finding.at_ns < before.found_at_ns <= now_ns
    if before is not None and not is_late:
        await end(connection, before.seq, at_ns=now_ns, why="replaced")
    row = _row(finding, digest, now_ns)
    if is_late:
        row |= {"ended_at_ns": now_ns, "ended": "a later one was known"}
    seq = await _insert(connection, row)
    await discovery_words.add(connection, seq, discovery_words.words_in(finding.discovery))
    if is_late or row["expires_at_ns"] <= now_ns:
        return Kept(became=Became.OVER, seq=seq)
    if await _make_room(connection, finding.basis, now_ns, newest=seq):
        return Kept(became=Became.LEFT_OUT, seq=seq)
    return Kept(became=Became.NEW if before is None else Became.REPLACED, seq=seq)


async def _without_effect(
    connection: AsyncConnection, basis: Basis, digest: str, now_ns: int
) -> int | None:
    table = discoveries.c
    found = await connection.execute(
        select(table.seq)
        .where(
            table.digest == digest,
            table.basis == basis.value,
            table.ended.in_([verdict.value for verdict in _TAKEN_BACK]),
            table.ended_at_ns > now_ns - NO_EFFECT_NS,
        )
        .limit(1)
    )
    return found.scalar_one_or_none()


async def _line_without_effect(
    connection: AsyncConnection, finding: Finding, now_ns: int
) -> int | None:
    """Return the newest of its line that ended since the line was measured to change nothing."""
    table = discoveries.c
    found = await connection.execute(
        select(table.seq, table.effect)
        .where(
            table.basis == finding.basis.value,
            table.kind == finding.discovery.kind,
            table.subject == finding.discovery.subject,
            table.ended.in_([verdict.value for verdict in _TAKEN_BACK]),
            table.ended_at_ns > now_ns - LINE_NO_EFFECT_NS,
        )
        .order_by(table.seq.desc())
        .limit(1)
    )
    row = found.one_or_none()
    if row is None or not msgspec.json.decode(row.effect, type=Effect).is_of_line:
        return None
    seq: int = row.seq
    return seq


async def _open_one(connection: AsyncConnection, finding: Finding) -> Any:
    table = discoveries.c
    found = await connection.execute(
        select(discoveries).where(
            table.basis == finding.basis.value,
            table.kind == finding.discovery.kind,
            table.subject == finding.discovery.subject,
            table.ended_at_ns.is_(None),
        )
    )
    return found.one_or_none()


async def _extend(connection: AsyncConnection, before: Any, finding: Finding, now_ns: int) -> Kept:
    """Let one that was found again hold longer."""
    if before.seen_in == finding.record_id:
        return Kept(became=Became.AGAIN, seq=before.seq)
    row = _row(finding, before.digest, now_ns)
    is_newer = finding.at_ns >= before.seen_at_ns
    newer = {name: row[name] for name in ("evidence", "score", "holds_s", "seen_at_ns")}
    expires_at_ns = max(row["expires_at_ns"], before.expires_at_ns)
    await connection.execute(
        update(discoveries)
        .where(discoveries.c.seq == before.seq)
        .values(
            seen_count=before.seen_count + 1,
            seen_in=finding.record_id,
            expires_at_ns=expires_at_ns,
            **(newer if is_newer else {}),
        )
    )
    became = Became.AGAIN if expires_at_ns > now_ns else Became.OVER
    return Kept(became=became, seq=before.seq)


async def _insert(connection: AsyncConnection, row: Row) -> int:
    result = await connection.execute(discoveries.insert().returning(discoveries.c.seq), row)
    seq: int = result.scalar_one()
    return seq


async def _make_room(
    connection: AsyncConnection, basis: Basis, now_ns: int, *, newest: int
) -> bool:
    """End the least trusted ones that are too many; say whether the newest is among them."""
    table = discoveries.c
    rule = (is_in_force(now_ns), table.basis == basis.value)
    found = await connection.execute(select(func.count()).select_from(discoveries).where(*rule))
    excess = found.scalar_one() - IN_FORCE_MAX
    if excess <= 0:
        return False
    worst = await connection.execute(
        select(table.seq).where(*rule).order_by(table.score, table.seen_at_ns).limit(excess)
    )
    seqs: Sequence[int] = list(worst.scalars())
    for seq in seqs:
        await end(connection, seq, at_ns=now_ns, why=LEFT_OUT)
    await count(connection, LEFT_OUT, len(seqs))
    return newest in seqs


def _row(finding: Finding, digest: str, now_ns: int) -> Row:
    found_at_ns = min(finding.at_ns, now_ns)  # a clock that ran ahead makes nothing hold longer
    return {
        **content_row(finding.discovery),
        "record_id": finding.record_id,
        "basis": finding.basis.value,
        "task": finding.task,
        "agent": finding.agent,
        "task_run": finding.task_run,
        "digest": digest,
        "found_at_ns": found_at_ns,
        "seen_at_ns": found_at_ns,
        "seen_count": 1,
        "seen_in": finding.record_id,
        "expires_at_ns": found_at_ns + int(finding.discovery.holds_s * NS_PER_S),
        "uses_count": 0,
    }
