"""One trade on chain as it is shown: three figures, their differences, and who was in front."""

from decimal import Decimal

import msgspec


class CauseLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one cause came to.

    Attributes:
        step: to which figure it leads: simulated or realised.
        count: trades that it was a cause in.
    """

    step: str
    cause: str
    count: int
    usd: Decimal


class AheadLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who stood in front, in how many blocks of ours; `place` and `hash` of a single case."""

    sender: str
    count: int = 1
    place: int = 0
    hash: str = ""


class TruthLine(msgspec.Struct, frozen=True, kw_only=True):
    """One trade.

    Attributes:
        fate: as `domain.told.Fate` has it.
        predicted, simulated, realised: net of everything, in whole units of `asset` and in USD.
        causes: of its differences, in the order of the way from predicted to realised.
        ahead: who stood in front; `ahead_count` of all, None where nobody says.
        chance: that nobody would be, as the engine had it; None without one.
    """

    plan_id: str
    chain: str
    decided_at_ns: int
    route: tuple[str, ...]
    asset: str
    fate: str
    predicted: Decimal
    simulated: Decimal | None
    realised: Decimal
    predicted_usd: Decimal
    simulated_usd: Decimal | None
    realised_usd: Decimal
    causes: tuple[CauseLine, ...] = ()
    ahead: tuple[AheadLine, ...] = ()
    ahead_count: int | None = None
    block: int | None = None
    place: int | None = None
    hash: str = ""
    chance: float | None = None
    why: str = ""
