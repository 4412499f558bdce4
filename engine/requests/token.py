"""What is known of a token, and whether it may be in a route."""

from typing import Final, Protocol

from engine.bus.request import ChainsRequest
from engine.bus.token_report import TokenReport

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


class Tokens(Protocol):
    """What the role says of its chains' tokens."""

    def token(self, asked: GetToken) -> TokenReport:
        """Return what is known of tokens."""
        ...
