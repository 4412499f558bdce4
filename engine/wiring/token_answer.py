"""What is answered of tokens: those of a name, on all chains."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from engine.bus.token_report import TokenLine, TokenReport, safest_first
from engine.chains.safety.token_watch import TokenWatch
from engine.domain.modes import Basis
from engine.requests.token import TOKENS_MAX

_PART_CHARACTERS_MIN: Final = 4
"""Of an address; fewer would be a part of many."""


def token_report(watches: Mapping[str, TokenWatch], name: str, *, basis: Basis) -> TokenReport:
    """Return the tokens of an address, of a part of one or of a symbol; else those refused last."""
    every = [line for chain, watch in watches.items() for line in _lines(chain, watch)]
    now_s = max((watch.now_s for watch in watches.values()), default=0)
    if name:
        found = _named(every, name.lower())
    else:
        found = [line for line in every if line.verdict and line.why_not]
    found.sort(key=safest_first)
    return TokenReport(
        basis=basis,
        now_s=now_s,
        found=found[:TOKENS_MAX],
        found_count=len(found),
        counts=dict(
            Counter(
                line.verdict.standing
                for line in every
                if line.verdict is not None and now_s < line.verdict.until_s
            )
        ),
        waiting=sum(watch.waiting_count for watch in watches.values()),
    )


def _lines(chain: str, watch: TokenWatch) -> list[TokenLine]:
    return [
        TokenLine(
            chain=chain,
            token=token,
            verdict=verdict,
            why_not=watch.why_not(token),
            is_wanted=watch.is_wanted(token),
        )
        for token, verdict in watch.all.items()
    ]


def _named(every: list[TokenLine], name: str) -> list[TokenLine]:
    """Return the tokens of a name: an address before a symbol before a part of an address."""
    by_address = [line for line in every if line.token == name]
    by_symbol = [line for line in every if line.verdict and line.verdict.symbol.lower() == name]
    by_part = [line for line in every if len(name) >= _PART_CHARACTERS_MIN and name in line.token]
    return by_address or by_symbol or by_part
