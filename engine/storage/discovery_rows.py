"""Discoveries as rows of the ledger, and back."""

import hashlib
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_

from engine.bus.discovery_reports import DiscoveryLine, Use
from engine.domain.advice import AnyAdvice
from engine.domain.discoveries import Discovery, Effect
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.storage.insertion import Row
from engine.storage.tables.background import discoveries


def digest_of(discovery: Discovery) -> str:
    """Return what is alike of two that say the same, whatever each rests on."""
    said = (
        discovery.kind,
        discovery.subject,
        discovery.says,
        sorted(discovery.figures.items()),
        discovery.advice,
    )
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def content_row(discovery: Discovery) -> Row:
    """Return the columns of what was found."""
    advice = discovery.advice
    return {
        "kind": discovery.kind,
        "subject": discovery.subject,
        "says": discovery.says,
        "figures": msgspec.json.encode(discovery.figures).decode(),
        "evidence": msgspec.json.encode(discovery.evidence).decode(),
        "advice": None if advice is None else msgspec.json.encode(advice).decode(),
        "score": float(discovery.score),
        "holds_s": float(discovery.holds_s),
    }


def is_in_force(now_ns: int) -> ColumnElement[bool]:
    """Return the rule of what holds."""
    return and_(discoveries.c.ended_at_ns.is_(None), discoveries.c.expires_at_ns > now_ns)


def line_of(row: Any, *, likeness: float = 0.0) -> DiscoveryLine:
    """Return a row as it is told."""
    return DiscoveryLine(
        seq=row.seq,
        basis=Basis(row.basis),
        task=row.task,
        agent=row.agent,
        task_run=row.task_run,
        discovery=Discovery(
            kind=row.kind,
            subject=row.subject,
            says=row.says,
            figures=msgspec.json.decode(row.figures, type=dict[str, float]),
            score=row.score,
            holds_s=row.holds_s,
            evidence=msgspec.json.decode(row.evidence, type=tuple[str, ...]),
            advice=_advice_of(row.advice),
        ),
        found_at_ns=row.found_at_ns,
        seen_at_ns=row.seen_at_ns,
        seen_count=row.seen_count,
        expires_at_ns=row.expires_at_ns,
        ended_at_ns=row.ended_at_ns or 0,
        ended=row.ended or "",
        use=None if row.use is None else msgspec.json.decode(row.use, type=Use),
        uses_count=row.uses_count,
        effect=None if row.effect is None else msgspec.json.decode(row.effect, type=Effect),
        likeness=likeness,
    )


def _advice_of(text: str | None) -> AnyAdvice | None:
    """Return stored advice; none if it is of a version of the program that read it otherwise."""
    if text is None:
        return None
    try:
        advice: AnyAdvice = msgspec.json.decode(text, type=AnyAdvice)
    except (msgspec.ValidationError, BadValueError):
        return None
    return advice
