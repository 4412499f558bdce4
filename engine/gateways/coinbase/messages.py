"""Answers of Coinbase's brokerage interface, and frames of its user stream."""

from decimal import Decimal

import msgspec


class ErrorAnswer(msgspec.Struct):
    """How a placing was refused within an answer of success false."""

    error: str
    message: str = ""
    error_details: str = ""


class SuccessAnswer(msgspec.Struct):
    """What is said of an order that was placed: neither its size nor its fills."""

    order_id: str
    product_id: str
    side: str
    client_order_id: str


class PlaceBody(msgspec.Struct):
    """The answer to a placing; a failure reason stands in successful ones, too."""

    success: bool
    success_response: SuccessAnswer | None = None
    error_response: ErrorAnswer | None = None


class GatewayError(msgspec.Struct):
    """How what stands before the brokerage refuses."""

    error: str
    message: str = ""


class CancelResult(msgspec.Struct):
    """What became of one of the cancellations."""

    success: bool
    failure_reason: str
    order_id: str


class CancelBody(msgspec.Struct):
    """The answer to cancellations."""

    results: list[CancelResult]


class LimitPart(msgspec.Struct):
    """Size and price within an order's configuration."""

    base_size: Decimal | None = None
    limit_price: Decimal | None = None


class OrderBody(msgspec.Struct):
    """An order, in a look-up or a listing."""

    order_id: str
    product_id: str
    side: str
    status: str
    client_order_id: str = ""
    filled_size: Decimal = Decimal(0)
    created_time: str = ""
    order_configuration: dict[str, LimitPart] = {}
    cancel_message: str = ""
    reject_message: str = ""


class OneOrder(msgspec.Struct):
    """The answer to a look-up by the venue's own id."""

    order: OrderBody


class OrderPage(msgspec.Struct):
    """One page of orders."""

    orders: list[OrderBody]
    has_next: bool
    cursor: str = ""


class FillBody(msgspec.Struct):
    """One fill; its trade id alone is not unique, with its entry id it is."""

    entry_id: str
    trade_id: str
    order_id: str
    product_id: str
    side: str
    price: Decimal
    size: Decimal
    commission: Decimal
    trade_time: str = ""
    trade_type: str = "FILL"
    size_in_quote: bool = False


class FillPage(msgspec.Struct):
    """One page of fills."""

    fills: list[FillBody]
    cursor: str = ""


class Money(msgspec.Struct):
    """An amount of a currency."""

    value: Decimal
    currency: str


class AccountBody(msgspec.Struct):
    """What we have of one currency."""

    currency: str
    available_balance: Money
    hold: Money


class AccountPage(msgspec.Struct):
    """One page of accounts."""

    accounts: list[AccountBody]
    has_next: bool
    cursor: str = ""


class FeeTier(msgspec.Struct):
    """Rates of our tier."""

    maker_fee_rate: Decimal
    taker_fee_rate: Decimal


class Summary(msgspec.Struct):
    """The summary of what we traded, which has the tier."""

    fee_tier: FeeTier


class Permissions(msgspec.Struct):
    """What the key may do."""

    can_view: bool
    can_trade: bool
    can_transfer: bool


class StreamOrder(msgspec.Struct, gc=False):
    """An order within an event of the user channel; its figures are totals."""

    order_id: str
    client_order_id: str
    product_id: str
    order_side: str
    status: str
    cumulative_quantity: Decimal
    limit_price: Decimal | None = None
    cancel_reason: str = ""
    reject_reason: str = ""


class StreamEvent(msgspec.Struct, gc=False):
    """A snapshot or an update of orders."""

    type: str
    orders: list[StreamOrder] = []


class StreamFrame(msgspec.Struct, gc=False):
    """A frame of any channel."""

    channel: str
    sequence_num: int
    events: list[msgspec.Raw] = []
