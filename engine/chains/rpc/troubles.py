"""What goes wrong with a provider, by kind, and what its error texts mean.

Every text that comes from outside is cut, made printable and freed of secrets before it goes on: a
node may repeat the key that it was asked with.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from engine.chains.ports import Json, NodeError, Refusal
from engine.domain.redaction import redact

TEXT_MAX: Final = 200

REVERTED_CODE: Final = 3
"""Of an eth_call that reverted, at Geth and those that follow it."""


class Trouble(StrEnum):
    """Kinds of trouble, each counted for itself."""

    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    SILENT = "silent"
    HTTP_STATUS = "http_status"
    KEY_REFUSED = "key_refused"
    LIMITED = "limited"
    BUDGET_SPENT = "budget_spent"
    REFUSED = "refused"
    REVERTED = "reverted"
    TOO_MANY = "too_many"
    OVERSIZE = "oversize"
    BAD_JSON = "bad_json"
    BAD_SHAPE = "bad_shape"
    WRONG_ID = "wrong_id"
    WRONG_CHAIN = "wrong_chain"
    DISAGREED = "disagreed"
    BEHIND = "behind"


_REFUSALS: Final[Mapping[Trouble, Refusal]] = {
    Trouble.TIMEOUT: Refusal.AWAY,
    Trouble.DISCONNECTED: Refusal.AWAY,
    Trouble.SILENT: Refusal.AWAY,
    Trouble.HTTP_STATUS: Refusal.AWAY,
    Trouble.KEY_REFUSED: Refusal.AWAY,
    Trouble.BEHIND: Refusal.AWAY,
    Trouble.LIMITED: Refusal.LIMITED,
    Trouble.BUDGET_SPENT: Refusal.LIMITED,
    Trouble.REFUSED: Refusal.REFUSED,
    Trouble.REVERTED: Refusal.REFUSED,
    Trouble.TOO_MANY: Refusal.TOO_MANY,
    Trouble.OVERSIZE: Refusal.TOO_MANY,
    Trouble.BAD_JSON: Refusal.LIED,
    Trouble.BAD_SHAPE: Refusal.LIED,
    Trouble.WRONG_ID: Refusal.LIED,
    Trouble.WRONG_CHAIN: Refusal.LIED,
    Trouble.DISAGREED: Refusal.LIED,
}


class ProviderError(NodeError):
    """One provider gave no answer that may be used.

    Attributes:
        trouble: of which kind.
    """

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(_REFUSALS[trouble], f"{trouble}, {shown(text)}")
        self.trouble: Final = trouble


def shown(text: str) -> str:
    """Return what may be shown and logged of a text from outside."""
    cut = text[: 4 * TEXT_MAX]
    printable = "".join(sign if sign.isprintable() else " " for sign in cut)
    return redact(printable)[:TEXT_MAX]


_LIMITED: Final = re.compile(
    r"rate.?limit|too many requests|requests? per (second|minute|day)|compute units|throughput"
    r"|capacity|quota|credits|daily request",
    re.IGNORECASE,
)
_TOO_MANY: Final = re.compile(
    r"block range|ranges? over|limited to|more than|too (many|wide|large|big)|response size"
    r"|max(imum)? (results|range|block)|exceed|time[d ]*out",
    re.IGNORECASE,
)
_REVERTED: Final = re.compile(
    r"revert|invalid (opcode|jump)|out of gas|stack (under|over)flow|vm execution error"
    r"|outofgas|opcode.*not|invalidjump|evm error|bad instruction|invalid_operation|out of bounds"
    r"|write protection|gas uint64",
    re.IGNORECASE,
)
_SPANS: Final = frozenset({"eth_getLogs", "eth_getBlockReceipts"})
_CALLS: Final = frozenset({"eth_call", "eth_estimateGas"})


def told_error(method: str, error: Json) -> ProviderError:
    """Return what a node's error means for the one who asked."""
    code, text = 0, str(error)
    if isinstance(error, dict):
        said = error.get("code")
        code = said if isinstance(said, int) and not isinstance(said, bool) else 0
        text = str(error.get("message", ""))
    text = text[: 4 * TEXT_MAX]
    told = f"{method} {code}: {text}"
    if method in _CALLS and (code == REVERTED_CODE or _REVERTED.search(text)):
        return ProviderError(Trouble.REVERTED, told)
    if _LIMITED.search(text) or code in (429, -32029):
        return ProviderError(Trouble.LIMITED, told)
    if method in _SPANS and (_TOO_MANY.search(text) or code == -32005):  # noqa: PLR2004 - EIP-1474
        return ProviderError(Trouble.TOO_MANY, told)
    if code == -32005:  # noqa: PLR2004 - EIP-1474: a limit was exceeded
        return ProviderError(Trouble.LIMITED, told)
    return ProviderError(Trouble.REFUSED, told)
