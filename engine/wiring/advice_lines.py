"""Which discoveries count as advice, where several say something about the same."""

from collections.abc import Sequence

from engine.bus.discovery_reports import DiscoveryLine
from engine.domain.advice import AnyAdvice, DatedAdvice


def chosen_lines(lines: Sequence[DiscoveryLine]) -> list[DiscoveryLine]:
    """Return one for each thing that may be advised: the most trusted, of equals the newest.

    Several tasks may rightly say something about the same; who is advised takes one word each.
    """
    best: dict[tuple[str, str], DiscoveryLine] = {}
    for line in lines:
        key = dated(line).key
        other = best.get(key)
        if other is None or _rank(line) > _rank(other):
            best[key] = line
    return [*best.values()]


def dated(line: DiscoveryLine) -> DatedAdvice:
    """Return what a discovery advises, with its number and its end."""
    advice = line.discovery.advice
    assert advice is not None
    return DatedAdvice(discovery=line.seq, until_ns=line.expires_at_ns, advice=advice)


def line_of(advice: AnyAdvice) -> str:
    """Return what advice is about, the same for all pieces that take each other's place."""
    return f"{type(advice).__name__} {advice.subject}"


def _rank(line: DiscoveryLine) -> tuple[float, int]:
    return line.discovery.score, line.seq
