"""Discoveries as they are asked for: by kind and words, one with its history, alike ones."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.discovery_reports import (
    DiscoveryCounts,
    DiscoveryLine,
    DiscoveryReport,
    FigurePoint,
    KindCount,
    Use,
)
from engine.domain.discoveries import Effect, Verdict
from engine.domain.likeness import features_of, likenesses
from engine.domain.modes import Basis
from engine.storage.discovery_rows import is_in_force, line_of
from engine.storage.discovery_store import LEFT_OUT, PRUNED, REFUSED
from engine.storage.discovery_words import matching, words_in, words_of
from engine.storage.tables.background import discoveries, discovery_counts

LINES_MAX: Final = 500
POINTS_MAX: Final = 500
COMPARED_MAX: Final = 2_000

_C: Final = discoveries.c


class Question(Protocol):
    """Which discoveries are asked for, see `GetDiscoveries`."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of these only."""
        ...

    @property
    def words(self) -> str:
        """That stand in it."""
        ...

    @property
    def limit(self) -> int:
        """How many at most."""
        ...

    @property
    def is_in_force(self) -> bool:
        """Without those that are over."""
        ...

    @property
    def is_advice(self) -> bool:
        """Only those that advise."""
        ...


async def load(
    connection: AsyncConnection, question: Question, *, basis: Basis | None, now_ns: int
) -> tuple[list[DiscoveryLine], int, int]:
    """Return discoveries, how many more there are, and how many are in force in all."""
    holds = is_in_force(now_ns)
    in_force = await _count(connection, _of(select(func.count()).where(holds), basis))
    words = words_of(question.words)
    if question.words.strip() and not words:
        return [], 0, in_force
    rules = [holds] if question.is_in_force else []
    if question.kinds:
        rules.append(_C.kind.in_(question.kinds))
    if question.is_advice:
        rules.append(_C.advice.is_not(None))
    if words:
        rules.append(_C.seq.in_(matching(connection, words)))
    limit = max(1, min(question.limit, LINES_MAX))
    rows = await connection.execute(
        _of(select(discoveries).where(*rules), basis)
        .order_by(case((holds, 0), else_=1), _C.score.desc(), _C.seen_at_ns.desc(), _C.seq.desc())
        .limit(limit)
    )
    lines = [line_of(row) for row in rows]
    left_out = 0
    if len(lines) == limit:
        in_all = await _count(connection, _of(select(func.count()).where(*rules), basis))
        left_out = in_all - limit
    return lines, left_out, in_force


async def load_one(connection: AsyncConnection, seq: int, *, now_ns: int) -> DiscoveryReport | None:
    """Return a discovery with the figures of its kind and subject over time."""
    row = (await connection.execute(select(discoveries).where(_C.seq == seq))).one_or_none()
    if row is None:
        return None
    found = await connection.execute(
        select(_C.found_at_ns, _C.figures, _C.score)
        .where(_C.kind == row.kind, _C.subject == row.subject, _C.basis == row.basis)
        .order_by(_C.found_at_ns.desc(), _C.seq.desc())
        .limit(POINTS_MAX)
    )
    points = [
        FigurePoint(
            at_ns=one.found_at_ns,
            figures=msgspec.json.decode(one.figures, type=dict[str, float]),
            score=one.score,
        )
        for one in found
    ]
    return DiscoveryReport(at_ns=now_ns, line=line_of(row), points=points[::-1])


async def load_compared(
    connection: AsyncConnection, seq: int
) -> tuple[DiscoveryLine, list[DiscoveryLine]] | None:
    """Return a discovery and the newest of all others of its basis."""
    row = (await connection.execute(select(discoveries).where(_C.seq == seq))).one_or_none()
    if row is None:
        return None
    others = await connection.execute(
        select(discoveries)
        .where(_C.basis == row.basis, _C.seq != seq)
        .order_by(_C.ended_at_ns.is_(None).desc(), _C.seen_at_ns.desc())
        .limit(COMPARED_MAX)
    )
    return line_of(row), [line_of(one) for one in others]


def most_alike(
    line: DiscoveryLine, others: Sequence[DiscoveryLine], *, limit: int
) -> list[DiscoveryLine]:
    """Return those that are most like one, of each kind and subject the most alike only."""

    def features(one: DiscoveryLine) -> dict[str, float]:
        return features_of(words_in(one.discovery), one.discovery.figures)

    alike = likenesses(features(line), [features(one) for one in others])
    ordered = sorted(zip(alike, others, strict=True), key=lambda pair: (-pair[0], -pair[1].seq))
    found: dict[tuple[str, str], DiscoveryLine] = {}
    own = (line.discovery.kind, line.discovery.subject)
    for likeness, one in ordered:
        about = (one.discovery.kind, one.discovery.subject)
        if likeness > 0 and about != own and about not in found:
            found[about] = msgspec.structs.replace(one, likeness=likeness)
        if len(found) == limit:
            break
    return [*found.values()]


async def load_counts(
    connection: AsyncConnection, since_ns: int, *, until_ns: int, basis: Basis | None, now_ns: int
) -> DiscoveryCounts:
    """Sum up what was learned in a time."""
    is_used = case((_C.uses_count > 0, 1), else_=0)
    sums = await connection.execute(
        _of(
            select(
                _C.kind,
                func.count(),
                func.sum(_C.seen_count - 1),
                func.sum(is_used),
            ).where(_C.found_at_ns >= since_ns, _C.found_at_ns < until_ns),
            basis,
        )
        .group_by(_C.kind)
        .order_by(func.count().desc(), _C.kind)
    )
    effects = await _effects(connection, since_ns, until_ns, basis)
    changed = await _changed(connection, since_ns, until_ns, basis)
    kinds = [
        KindCount(
            kind=kind,
            kept=kept,
            again=int(again),
            used=int(used),
            changed=len(changed.get(kind, ())),
            changed_subjects=len({*changed.get(kind, ())}),
            effects=Counter(one.verdict.value for one in effects.get(kind, ())),
            gain_usd_hour=sum(
                one.gain_usd_hour for one in effects.get(kind, ()) if one.verdict is Verdict.EARNS
            ),
        )
        for kind, kept, again, used in sums
    ]
    rows = await connection.execute(select(discovery_counts))
    counted: dict[str, Any] = {row.name: row.count for row in rows}
    return DiscoveryCounts(
        since_ns=since_ns,
        kinds=kinds,
        in_force=await _count(
            connection, _of(select(func.count()).where(is_in_force(now_ns)), basis)
        ),
        refused={
            name.removeprefix(REFUSED): count
            for name, count in sorted(counted.items())
            if name.startswith(REFUSED)
        },
        left_out=counted.get(LEFT_OUT, 0),
        pruned=counted.get(PRUNED, 0),
    )


async def _changed(
    connection: AsyncConnection, since_ns: int, until_ns: int, basis: Basis | None
) -> dict[str, list[str]]:
    """Return the subjects of those of each kind that something was otherwise because of."""
    rows = await connection.execute(
        _of(
            select(_C.kind, _C.subject, _C.use).where(
                _C.use.is_not(None), _C.found_at_ns >= since_ns, _C.found_at_ns < until_ns
            ),
            basis,
        )
    )
    changed: dict[str, list[str]] = {}
    for kind, subject, text in rows:
        if msgspec.json.decode(text, type=Use).changed:
            changed.setdefault(kind, []).append(subject)
    return changed


async def _effects(
    connection: AsyncConnection, since_ns: int, until_ns: int, basis: Basis | None
) -> dict[str, list[Effect]]:
    rows = await connection.execute(
        _of(
            select(_C.kind, _C.effect).where(
                _C.effect.is_not(None), _C.found_at_ns >= since_ns, _C.found_at_ns < until_ns
            ),
            basis,
        )
    )
    effects: dict[str, list[Effect]] = {}
    for kind, text in rows:
        effects.setdefault(kind, []).append(msgspec.json.decode(text, type=Effect))
    return effects


def _of(query: Select[Any], basis: Basis | None) -> Select[Any]:
    query = query.select_from(discoveries)
    return query if basis is None else query.where(_C.basis == basis.value)


async def _count(connection: AsyncConnection, query: Select[Any]) -> int:
    count: int = (await connection.execute(query)).scalar_one()
    return count
