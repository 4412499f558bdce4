"""What the answers of venues come to: proven, proven not, or unknown.

Every reader of answers is total: any bytes whatever with any status are one of these, and what is
not on a venue's list of definite refusals is unknown. A proxy's page is no venue's answer.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

from engine.domain.venue_orders import OrderShown, TradeShown

One = TypeVar("One")

WHY_CHARACTERS: Final = 200


class Stop(StrEnum):
    """Why nothing more may be sent to a venue, whatever became of this call."""

    KEY = "key"
    """The key is wrong, expired, of another address, or may not do this."""
    BANNED = "banned"
    ACCOUNT = "account"
    """The account may not trade."""
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The venue has the order; `shown` is as much as it said of it."""

    shown: OrderShown


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPlaced:
    """A definite refusal in the venue's own envelope: this send made no order."""

    code: str
    why: str
    stop: Stop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Anything may have happened.

    Attributes:
        exists: the venue says that there is an order with this id; it may be an older one.
    """

    why: str
    exists: bool = False
    stop: Stop | None = None


PlaceAnswer = Placed | NotPlaced | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All orders that the venue has for the id that was looked up; more than one is an alarm.

    Attributes:
        trades: fills of the order, from a call that lists fills.
        has_more: that listing goes on: it is read to its end before anything is concluded.
    """

    orders: tuple[OrderShown, ...]
    trades: tuple[TradeShown, ...] = ()
    has_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """The venue knows no such order, now and in what this call covers; that is no proof yet."""


LookUpAnswer = Found | NotFound | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTaken:
    """The venue took the cancellation; what the order was filled for has to be looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelVain:
    """There was nothing to cancel: the order has ended, or the venue does not know it."""

    why: str


CancelAnswer = CancelTaken | CancelVain | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[One]):
    """A part of a listing.

    Attributes:
        following: names the next part, empty after the last; only a listing read to its end is
            complete.
        is_counted: the next part is named by how many rows all before it had, whatever stands in
            `following`.
        rows: the ids of its rows, those too of which there is no item, where the listing has the
            oldest first: the next part is asked for with the last of them, so that a row that is
            gone by then shows. None where as many rows are as items.
    """

    items: tuple[One, ...]
    following: str = ""
    is_counted: bool = False
    rows: tuple[str, ...] | None = None


UNREADABLE: Final = (msgspec.DecodeError, ArithmeticError, ValueError, RecursionError)
"""What a reader may meet in a body of another shape than the venue's."""


def unclear(status: int, body: bytes, why: str = "") -> Unclear:
    """Say of an answer that it is none that could be understood."""
    text = body[:WHY_CHARACTERS].decode(errors="replace")
    return Unclear(why=f"status {status}{': ' if why else ''}{why}; it begins {text!r}")
