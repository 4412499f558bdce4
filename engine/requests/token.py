"""What is known of a token, and whether it may be in a route."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from engine.bus.request import ChainsRequest
from engine.bus.token_report import TokenReport, safest_first
from engine.domain.token_safety import Standing

TOKENS_MAX: Final = 8


class GetToken(ChainsRequest[TokenReport], frozen=True, kw_only=True):
    """Tokens of all chains by their address, or the end or beginning of it, or their symbol.

    Attributes:
        name: in any case of letters; the newest refused ones if empty.
    """

    name: str = ""

    async def answer(self, chains: "Tokens", /) -> TokenReport:
        """See `Request.answer`."""
        return chains.token(self)

    def merged(self, replies: Sequence[TokenReport], away: Mapping[str, str], /) -> TokenReport:
        """Return the tokens of all, those that may be in a route first."""
        del away
        counts: Counter[Standing] = Counter()
        for one in replies:
            counts.update(one.counts)
        found = sorted((line for one in replies for line in one.found), key=safest_first)
        return msgspec.structs.replace(
            replies[0],
            now_s=max(one.now_s for one in replies),
            found=found[:TOKENS_MAX],
            found_count=sum(one.found_count for one in replies),
            counts=dict(counts),
            waiting=sum(one.waiting for one in replies),
        )


class Tokens(Protocol):
    """What the role says of its chains' tokens."""

    def token(self, asked: GetToken) -> TokenReport:
        """Return what is known of tokens."""
        ...
