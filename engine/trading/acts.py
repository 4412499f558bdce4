"""What following an order may come to: something to be asked of its venue, or to be told."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.venue_orders import Stage, TradeShown


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask for the order by all calls that cover it; their answers come back with the number.

    Attributes:
        venue_order_id: the venue's own id of it, empty if it is not known.
    """

    number: int
    venue_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """Send the very same body once more, signed anew: the venue makes that harmless."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel what rests longer than it may."""

    venue_order_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is proven of the order.

    Attributes:
        stage: where the venue shows it; None if it does not exist: that is proven, too.
        filled_base: in all, as the venue says; None where it does not.
        trades: that are new.
    """

    stage: Stage | None
    venue_order_id: str = ""
    filled_base: Decimal | None = None
    trades: tuple[TradeShown, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class TellUnknown:
    """What became of it is not known, and is being found out."""

    why: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person has to look at."""

    sentence: str


Act = LookUp | Replay | Cancel | Told | TellUnknown | Alarm
