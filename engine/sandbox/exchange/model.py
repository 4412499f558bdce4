"""Orders, fills and refusals as the sandbox's exchanges have them, whatever a venue calls them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Life(StrEnum):
    """How long an order may rest."""

    IMMEDIATE = "immediate"
    WHOLE_OR_NOT = "whole_or_not"
    MAKER_ONLY = "maker_only"
    UNTIL_CANCELLED = "until_cancelled"


class State(StrEnum):
    """Where an order is."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why an order was not taken."""

    FUNDS = "funds"
    DUPLICATE = "duplicate"
    SIZE = "size"
    PRICE = "price"
    NOTIONAL = "notional"
    INSTRUMENT = "instrument"
    CLOSED = "closed"


class FeeFrom(StrEnum):
    """In which asset the fee is taken."""

    QUOTE = "quote"
    RECEIVED = "received"


class ClientIds(StrEnum):
    """What a second order with the same id of the client comes to."""

    ANSWERED = "answered"
    """The order that there is, whatever has become of it."""
    REFUSED = "refused"
    REFUSED_WHILE_OPEN = "refused_while_open"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """An order that somebody wants to place."""

    client_id: str
    wire_name: str
    is_buy: bool
    size: Decimal
    price: Decimal
    life: Life


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A part of an order that met the book.

    Attributes:
        fee: in `fee_asset`, above 0.
        is_reversed: the exchange took it back afterwards.
    """

    number: int
    order_number: int
    price: Decimal
    size: Decimal
    fee: Decimal
    fee_asset: str
    at_ms: int
    is_maker: bool
    is_reversed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is traded, and its rules.

    Attributes:
        is_open: whether orders are taken now.
    """

    wire_name: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    size_min: Decimal = Decimal(0)
    notional_min: Decimal = Decimal(0)
    is_open: bool = True


@dataclass(slots=True, kw_only=True)
class OwnOrder:
    """An order of the account.

    Attributes:
        market: its instrument, as it was when the order was taken.
        held: what is reserved for what is left of it, in the asset that it gives.
        is_foreign: it was placed by somebody else on the same account.
    """

    number: int
    ordered: Ordered
    market: Market
    made_at_ms: int
    state: State = State.OPEN
    fills: list[Fill] = field(default_factory=list)
    held: Decimal = Decimal(0)
    changed_at_ms: int = 0
    is_foreign: bool = False

    @property
    def filled(self) -> Decimal:
        """What met the book."""
        return sum((one.size for one in self.fills), start=Decimal(0))

    @property
    def left(self) -> Decimal:
        """What did not, yet or ever."""
        return self.ordered.size - self.filled

    @property
    def notional(self) -> Decimal:
        """What the fills came to in the quote asset."""
        return sum((one.size * one.price for one in self.fills), start=Decimal(0))

    @property
    def price_average(self) -> Decimal:
        """At what it was filled on average, 0 if it was not."""
        return self.notional / self.filled if self.filled else Decimal(0)


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that was not taken."""

    reason: Reason


@dataclass(slots=True)
class Balance:
    """What the account has of an asset."""

    free: Decimal = Decimal(0)
    held: Decimal = Decimal(0)


class ChangeKind(StrEnum):
    """What happened."""

    MADE = "made"
    FILLED = "filled"
    ENDED = "ended"
    MOVED = "moved"
    """A balance is another without any order: somebody paid in or out, or a fill was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that happened to an account, as it was then; what the user stream tells.

    Attributes:
        order: None for what is about no order.
        fill: what met the book, of a fill.
        state, filled: of the order after it.
        moved: asset and by how much, of a balance that is another without an order.
        balances: free and held of the assets that it touched, after it.
    """

    kind: ChangeKind
    at_ms: int
    order: OwnOrder | None = None
    fill: Fill | None = None
    state: State = State.OPEN
    filled: Decimal = Decimal(0)
    moved: tuple[str, Decimal] = ("", Decimal(0))
    balances: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)


class Books(Protocol):
    """The books that orders meet."""

    def market(self, wire_name: str) -> Market | None:
        """Return an instrument with its rules as they are now, None if there is none."""
        ...

    def levels(self, wire_name: str, *, asks: bool) -> Iterable[tuple[Decimal, Decimal]]:
        """Return price and size of the levels of a side, best first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTerms:
    """How one venue treats orders.

    Attributes:
        taker_ratio, maker_ratio: fees as shares of the notional.
        third_asset: fees are taken from it as long as there is any; empty for none.
        third_price: of it in the quote asset, whichever that is.
        first_number: of orders and fills.
    """

    venue: str
    client_ids: ClientIds
    fee_from: FeeFrom
    taker_ratio: Decimal
    maker_ratio: Decimal
    first_number: int = 1_000
    third_asset: str = ""
    third_price: Decimal = Decimal(600)


Assets = Mapping[str, Decimal]
