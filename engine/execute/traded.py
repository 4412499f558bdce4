"""What a leg traded, or would have."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """Base against quote, before fees."""

    base: Decimal
    quote: Decimal


NOTHING = Traded(base=Decimal(0), quote=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What an order met when it arrived, whatever its limit price.

    Attributes:
        is_live: whether a live book was there; nothing is filled against another.
        untaken: what was there for it but for what other trades took since it was sent.
        there: what was there for it.
    """

    is_live: bool
    untaken: Traded
    there: Traded
