"""All limits as a report shows them: what of each is used, and what it refused."""

from collections.abc import Mapping, Sequence

from engine.bus.reports import LimitLine
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Limit
from engine.domain.opportunities import Reason


def limit_lines(
    limits: Sequence[Limit], values: LimitSet, refused: Mapping[Reason, int], at_ns: int
) -> list[LimitLine]:
    """Return a line for each limit, and for what no limit goes by that the operator has set.

    Args:
        limits: as made for the money that is decided on.
        values: what is in force.
        refused: number of refusals by reason.
        at_ns: now.
    """
    return [
        LimitLine(
            name=limit.name,
            unit=limit.unit,
            limit=limit.limit,
            used=limit.used(at_ns),
            refusals=sum(refused.get(reason, 0) for reason in limit.reasons),
            term="" if limit.term is None else limit.term.name,
            by_settings=_by_settings(values, limit.term),
        )
        for limit in limits
    ] + _other_lines(limits, values)


def _other_lines(limits: Sequence[Limit], values: LimitSet) -> list[LimitLine]:
    shown = {limit.term for limit in limits}
    return [
        LimitLine(
            name=term.name,
            unit="",
            limit=f"{values[term]:f}",
            used=f"{values[term]:f} {term.unit}",
            refusals=0,
            term=term.name,
            by_settings=_by_settings(values, term),
        )
        for term in values.terms
        if term not in shown and _by_settings(values, term)
    ]


def _by_settings(values: LimitSet, term: Term | None) -> str:
    """Return what the settings say where another value is in force."""
    if term is None or values[term] == values.by_settings(term):
        return ""
    return f"{values.by_settings(term):f}"
