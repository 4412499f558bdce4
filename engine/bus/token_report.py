"""What the role `chains` answers of a token."""

import msgspec

from engine.bus.reports import Report
from engine.domain.modes import Basis
from engine.domain.token_safety import Standing, Verdict


class TokenLine(msgspec.Struct, frozen=True, kw_only=True):
    """One token of one chain.

    Attributes:
        verdict: the last one, None before the first.
        why_not: why it may not be in a route now; empty if it may.
        is_wanted: pools have it that are worth following.
    """

    chain: str
    token: str
    verdict: Verdict | None
    why_not: str
    is_wanted: bool


def safest_first(line: TokenLine) -> tuple[bool, Standing, int]:
    """Return what tokens are sorted by; of alike ones those that were judged last come first."""
    verdict = line.verdict
    if verdict is None:
        return True, Standing.UNKNOWN, 0
    return bool(line.why_not), verdict.standing, -verdict.judged_at_s


class TokenReport(Report, frozen=True, kw_only=True):
    """Tokens of an address or a symbol, and how many of all have which verdict.

    Attributes:
        now_s: at which verdicts are looked at, seconds since 1970.
        found: those of them that may be in a route first.
        found_count: how many there are, of which `found` has the first ones.
        counts: of all tokens, by the standing of their verdicts that hold.
        waiting: how many wait for a probe.
    """

    basis: Basis
    now_s: int
    found: list[TokenLine]
    found_count: int
    counts: dict[Standing, int]
    waiting: int
