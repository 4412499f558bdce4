"""What background work learned: its form, what of it is refused, and what it was worth."""

import re
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.advice import AnyAdvice
from engine.domain.discovery_kinds import KINDS_BY_NAME

FOUND_MAX: Final = 50
"""Most discoveries of one run; what is beyond is left out."""

SUBJECT_LENGTH_MAX: Final = 100
SAYS_LENGTH_MAX: Final = 300
FIGURES_MAX: Final = 40
FIGURE_MAX: Final = 1e15
HOLDS_S_MIN: Final = 1.0
HOLDS_S_MAX: Final = 30 * 86_400.0
EVIDENCE_MAX: Final = 20
EVIDENCE_LENGTH_MAX: Final = 200

_FIGURE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """Something learned.

    Attributes:
        kind: what sort of thing it is, one of `discovery_kinds.KINDS`.
        subject: what it is about, such as ``base`` or a pool's address; a later discovery of the
            same kind and subject replaces an earlier one.
        says: in a sentence, for a person.
        figures: the numbers behind it, by names with their units.
        score: how far it is to be trusted, from 0 to 1.
        holds_s: how long it may be used.
        evidence: what it rests on, such as ``base blocks 100..400``.
        advice: what the engine should do otherwise; None if it is for people alone.
    """

    kind: str
    subject: str
    says: str
    figures: dict[str, float]
    score: float
    holds_s: float
    evidence: tuple[str, ...] = ()
    advice: AnyAdvice | None = None


class Verdict(StrEnum):
    """What a measurement says about a discovery."""

    EARNS = "earns"
    """The whole interval of the difference is above zero."""
    COSTS = "costs"
    """The whole interval is below zero."""
    NO_EFFECT = "no effect"
    """The interval holds zero, although enough was measured."""
    TOO_LITTLE = "too little measured"


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What the recorded hours came to, one way.

    Attributes:
        found: opportunities that were worth something.
        captured: of these, how many were traded.
        cost_usd: fees and gas that were paid.
    """

    profit_usd: float
    found: int
    captured: int
    cost_usd: float


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a discovery changed: the same recorded hours with and without it.

    Attributes:
        measured_at_ns: when it was measured.
        run_id: of the recording.
        hours: how much market it was measured on.
        blocks: spans of time that were compared, each with itself.
        gain_usd_hour: profit an hour with it, less that without it.
        low_usd_hour, high_usd_hour: the interval that holds the true one, `confidence` of times.
        is_of_line: it is that of all of its kind and subject together, which took each other's
            place in these hours.
        unread: segments of the recording that could not be read, and are in none of this.
    """

    measured_at_ns: int
    run_id: str
    hours: float
    blocks: int
    gain_usd_hour: float
    low_usd_hour: float
    high_usd_hour: float
    confidence: float
    given: Sums
    withheld: Sums
    verdict: Verdict
    is_of_line: bool = False
    unread: int = 0


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned in a time, and what it changed.

    Attributes:
        kinds: how many discoveries of each kind, the most first.
        used: how many of them an engine took as advice.
        changed: because of how many of them something was otherwise: a decision, an order, a bid, a
            schedule or what is looked at.
        effects: how many were measured, by verdict.
        gain_usd_hour: profit an hour that those which earn were measured to bring.
    """

    kinds: dict[str, int] = {}
    used: int = 0
    changed: int = 0
    effects: dict[str, int] = {}
    gain_usd_hour: float = 0.0


def refusal_of(discovery: Discovery) -> str:
    """Return why a discovery is not kept; nothing if it may be. Advice is bounded as it is made."""
    if discovery.kind not in KINDS_BY_NAME:
        return "unknown kind"
    if not _is_line(discovery.subject, SUBJECT_LENGTH_MAX):
        return f"subject is no line of 1 to {SUBJECT_LENGTH_MAX} characters"
    if not _is_line(discovery.says, SAYS_LENGTH_MAX):
        return f"says is no line of 1 to {SAYS_LENGTH_MAX} characters"
    if not 0.0 <= discovery.score <= 1.0:
        return "score is not from 0 to 1"
    if not HOLDS_S_MIN <= discovery.holds_s <= HOLDS_S_MAX:
        return f"holds_s is not from {HOLDS_S_MIN:.0f} to {HOLDS_S_MAX:.0f}"
    return _refusal_of_figures(discovery.figures) or _refusal_of_evidence(discovery.evidence)


def _is_line(text: str, length_max: int) -> bool:
    return bool(text.strip()) and len(text) <= length_max and text.isprintable()


def _refusal_of_figures(figures: dict[str, float]) -> str:
    if len(figures) > FIGURES_MAX:
        return f"more than {FIGURES_MAX} figures"
    for name, value in figures.items():
        if not _FIGURE_NAME.fullmatch(name):
            return "a figure's name is not in lower case with underscores"
        if not abs(value) <= FIGURE_MAX:  # also of what is no number
            return f"a figure is not within {FIGURE_MAX:.0e}"
    return ""


def _refusal_of_evidence(evidence: tuple[str, ...]) -> str:
    if len(evidence) > EVIDENCE_MAX:
        return f"more than {EVIDENCE_MAX} lines of evidence"
    if not all(_is_line(line, EVIDENCE_LENGTH_MAX) for line in evidence):
        return f"evidence is no line of 1 to {EVIDENCE_LENGTH_MAX} characters"
    return ""
