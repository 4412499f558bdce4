"""The life of one order: which state follows from what is learned of it, in one table.

What is learned may come twice, late, or in another order than it happened. Facts therefore only
grow: trades count once by their id, and what was filled never falls. That an order's outcome is
unknown ends by proof alone, never by time: the order is shown, or its absence is proven.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.domain.exact import exact_sum
from engine.domain.instruments import Instrument
from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, OrderState, Receipt


class OrderEvent(StrEnum):
    """What may be learned of an order.

    `STORED`: its intent is durable. `WITHHELD`: it is not going to be sent. `SENT`: it was
    released. `REFUSED`: a definite answer that this send made no order. `UNCLEAR`: an answer whose
    meaning is not known, or none in time, or a restart after the intent was stored. `ACCEPTED`,
    `TRADED`, `FILLED`, `CANCELLED`, `EXPIRED`: the venue showed it so. `ABSENT`: it is proven that
    the venue never had it. `REVERSED`: the venue took trades back, whatever it was before.
    """

    STORED = "stored"
    WITHHELD = "withheld"
    SENT = "sent"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    ACCEPTED = "accepted"
    TRADED = "traded"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ABSENT = "absent"
    REVERSED = "reversed"


_SHOWN: Final = {
    OrderEvent.TRADED: OrderState.PARTLY_FILLED,
    OrderEvent.FILLED: OrderState.FILLED,
    OrderEvent.CANCELLED: OrderState.CANCELLED,
    OrderEvent.EXPIRED: OrderState.EXPIRED,
}

LIFE: Final[Mapping[OrderState, Mapping[OrderEvent, OrderState]]] = {
    OrderState.PLANNED: {
        OrderEvent.STORED: OrderState.INTENDED,
        OrderEvent.WITHHELD: OrderState.CANCELLED,
    },
    OrderState.INTENDED: {
        OrderEvent.SENT: OrderState.SENT,
        OrderEvent.WITHHELD: OrderState.CANCELLED,
        OrderEvent.UNCLEAR: OrderState.UNKNOWN,
    },
    OrderState.SENT: {
        OrderEvent.ACCEPTED: OrderState.OPEN,
        OrderEvent.REFUSED: OrderState.REJECTED,
        OrderEvent.UNCLEAR: OrderState.UNKNOWN,
        **_SHOWN,
    },
    # A refusal does not end it: it is about one send, and an earlier one may have come through.
    OrderState.UNKNOWN: {
        OrderEvent.ACCEPTED: OrderState.OPEN,
        OrderEvent.ABSENT: OrderState.REJECTED,
        **_SHOWN,
    },
    OrderState.OPEN: _SHOWN,
    OrderState.PARTLY_FILLED: _SHOWN,
    # A fill may be told after the end. It counts, and a person is told.
    OrderState.CANCELLED: {OrderEvent.FILLED: OrderState.FILLED},
    OrderState.EXPIRED: {OrderEvent.FILLED: OrderState.FILLED},
    OrderState.REJECTED: {OrderEvent.ACCEPTED: OrderState.OPEN, **_SHOWN},
    OrderState.FILLED: {},
}
"""State, event and the state after it; any other event leaves the state as it is."""

ENDED: Final = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
)
UNSENT: Final = frozenset({OrderState.PLANNED, OrderState.INTENDED})
PROOFS: Final = frozenset({OrderEvent.ACCEPTED, *_SHOWN, OrderEvent.REVERSED})

_TOLD: Final = {
    OrderEvent.ACCEPTED: OrderState.OPEN,
    OrderEvent.REFUSED: OrderState.REJECTED,
    OrderEvent.ABSENT: OrderState.REJECTED,
    OrderEvent.UNCLEAR: OrderState.UNKNOWN,
    **_SHOWN,
}
"""What whoever places it tells, and the state that it is.

That word is of what is proven, so it does not depend on what was told before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a venue says that an order is."""

    instrument: Instrument
    side: Side
    size_base: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something learned of an order.

    Attributes:
        fills: trades told with it, any of which may have been told before; with a version, all that
            count.
        filled_base: what the venue says is filled in all, None if it does not say.
        shape: what the venue says the order is; one of another shape is not ours.
        arrived_at_ns: when it met the book, 0 if unknown.
        receipt: of a transaction.
        version: of what whoever sends says of it: a later one stands in place of all before it,
            also where it takes something back; 0 of other news.
    """

    client_order_id: str
    event: OrderEvent
    fills: tuple[Fill, ...] = ()
    filled_base: Decimal | None = None
    shape: Shape | None = None
    arrived_at_ns: int = 0
    receipt: Receipt | None = None
    version: int = 0


@dataclass(slots=True)
class OrderLife:
    """One order and all that is known of it.

    Attributes:
        order: with its state and fills as known.
        stated_base: the most that the venue said was filled.
        alarms: what a person has to look at, in sentences; empty if all is well.
    """

    order: Order
    stated_base: Decimal = Decimal(0)
    alarms: list[str] = field(default_factory=list)
    _fill_ids: set[str] = field(default_factory=set)
    _was_withheld: bool = False

    def __post_init__(self) -> None:
        """Begin with what is known of it."""
        self._fill_ids.update(fill.fill_id for fill in self.order.fills)

    @property
    def where(self) -> str:
        """Where it goes, for a person."""
        return str(self.order.instrument)

    @property
    def is_settled(self) -> bool:
        """Whether it has ended and every fill that the venue spoke of is known."""
        return self.order.state in ENDED and self.missing_base <= 0

    @property
    def known_base(self) -> Decimal:
        """What is filled for certain: as the venue says, or more if the fills come to more."""
        return max(self.stated_base, self.order.filled_base)

    @property
    def missing_base(self) -> Decimal:
        """What the venue said was filled, less the fills that are known."""
        return exact_sum((self.stated_base, -self.order.filled_base))

    def sent(self, at_ns: int) -> None:
        """Note when it was released."""
        self.order = replace(self.order, sent_at_ns=at_ns)

    def take(self, news: News) -> None:
        """Take over what is learned; the same twice, or in another order, ends in the same facts.

        What cannot be about this order changes nothing but raises an alarm. Where versions are
        told, the last one stands.
        """
        order = self.order
        if news.version and news.version <= order.version:
            return
        if news.shape is not None and news.shape != Shape(
            instrument=order.instrument, side=order.side, size_base=order.size_base
        ):
            self._alarm(f"the venue shows another order under this id: {news.shape}")
            return
        if news.event in PROOFS and (order.state in UNSENT or self._was_withheld):
            self._alarm(f"the venue shows it as {news.event}, but it was never sent")
            return
        was, known_base = order.state, self.known_base
        self._was_withheld |= news.event is OrderEvent.WITHHELD and was in UNSENT
        self._take_fills(news)
        if was in ENDED and self.known_base > known_base:
            self._alarm(f"filled {self.known_base:f} in all, told after it was {was}")
        state = _told(news.event, was) if news.version else LIFE[was].get(news.event, was)
        if self.order.filled_base >= order.size_base:
            state = OrderState.FILLED
        if was is OrderState.REJECTED and state is not was:
            self._alarm(f"taken to have been rejected, now shown as {news.event}")
        self.order = replace(
            self.order,
            state=state,
            arrives_at_ns=news.arrived_at_ns or order.arrives_at_ns,
            version=news.version or order.version,
        )

    def _take_fills(self, news: News) -> None:
        if news.version:
            self.stated_base = news.filled_base or Decimal(0)
            fresh = self._since(news)
        else:
            if news.filled_base is not None:
                self.stated_base = max(self.stated_base, news.filled_base)
            fresh = tuple(fill for fill in news.fills if fill.fill_id not in self._fill_ids)
        if not fresh:
            return
        self._fill_ids.update(fill.fill_id for fill in fresh)
        self.order = replace(self.order, fills=(*self.order.fills, *fresh))
        if self.order.filled_base > self.order.size_base:
            self._alarm(f"filled {self.order.filled_base:f} of {self.order.size_base:f}")

    def _since(self, news: News) -> tuple[Fill, ...]:
        """Return what makes the fills that count of those that did: new ones, and taken back ones.

        What was booked is never changed: what does not count any more is followed by its opposite.
        """
        told = {fill.fill_id: fill for fill in news.fills}
        counted = counting(self.order.fills)
        gone = [
            fill
            for fill_id, fill in counted.items()
            if fill_id not in told or facts_of(told[fill_id]) != facts_of(fill)
        ]
        for fill in gone:
            self._alarm(f"the venue took trade {fill.fill_id} of {fill.size_base:f} back")
        came = [
            replace(fill, fill_id=f"{fill_id}~+{news.version}")
            if fill_id in self._fill_ids
            else fill
            for fill_id, fill in told.items()
            if fill_id not in counted or facts_of(counted[fill_id]) != facts_of(fill)
        ]
        return (*(taken_back(fill, f"{fill.fill_id}~-{news.version}") for fill in gone), *came)

    def _alarm(self, sentence: str) -> None:
        self.alarms.append(f"{self.order.client_order_id} at {self.order.instrument}: {sentence}")


def _told(event: OrderEvent, was: OrderState) -> OrderState:
    """Return the state after a word with a version; one that takes a trade back says no other."""
    if event is OrderEvent.REVERSED:
        return was if was in ENDED else OrderState.CANCELLED
    return _TOLD.get(event, was)


def counting(fills: Iterable[Fill]) -> dict[str, Fill]:
    """Return the fills that count, by the venue's ids: what was taken back is left out."""
    found: dict[str, Fill] = {}
    for fill in fills:
        fill_id = fill.fill_id.partition("~")[0]
        if fill.size_base < 0:
            found.pop(fill_id, None)
        else:
            found[fill_id] = replace(fill, fill_id=fill_id)
    return found


def facts_of(fill: Fill) -> tuple[object, ...]:
    """Return what a venue says of a trade; the worth of a fee in another asset is our own word."""
    other = fill.other_fee
    paid = None if other is None else (other.asset, other.amount)
    return fill.price, fill.size_base, fill.fee_quote, fill.fee_base, paid


def taken_back(fill: Fill, fill_id: str) -> Fill:
    """Return the opposite of a fill, which takes it back to the last digit."""
    return replace(
        fill,
        fill_id=fill_id,
        size_base=-fill.size_base,
        fee_quote=-fill.fee_quote,
        fee_base=-fill.fee_base,
        other_fee=None if fill.other_fee is None else -fill.other_fee,
    )
