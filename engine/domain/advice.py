"""What background work advises the engine: each kind changes one thing that it does."""

import msgspec


class TipAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """How much a chain's blocks ask for a place in the next one.

    Attributes:
        tip_gwei: what is to be reckoned with.
    """

    chain: str
    tip_gwei: float


AnyAdvice = TipAdvice
