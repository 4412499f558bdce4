"""Orders, fills, and the executions that they add up to."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import Instrument, VenueId
from engine.domain.opportunities import Plan, Side
from engine.domain.residuals import Residual
from engine.domain.stories import TradeStory


class OrderState(StrEnum):
    """Where an order is in its life; `execute.order_life` has the table of what follows on what.

    What is filled stands beside the state: an order that ended cancelled or expired may have been
    filled in part. Records of earlier versions call what expired ``partly_filled``, ``unfilled``.
    """

    PLANNED = "planned"
    INTENDED = "intended"
    SENT = "sent"
    UNKNOWN = "unknown"
    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Purpose(StrEnum):
    """What an order is for: a leg of the plan, or the unwinding of what a leg left over."""

    LEG = "leg"
    UNWIND = "unwind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution of part of an order at one price.

    Attributes:
        price: quote per base.
        size_base: what was traded, before any fee.
        fee_quote: taker fee of this fill, in the quote asset.
        frame_seq: number of the frame that last changed the book it was filled against.
        fee_base: taker fee of this fill in the base asset, where the venue takes it from what a
            buy receives; a fill pays its fee in one of the two.
    """

    fill_id: str
    client_order_id: str
    filled_at_ns: int
    price: Decimal
    size_base: Decimal
    fee_quote: Decimal
    frame_seq: int
    fee_base: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Our instruction to a venue; in paper mode it is filled against the board."""

    client_order_id: str
    plan_id: str
    purpose: Purpose
    instrument: Instrument
    side: Side
    size_base: Decimal
    price_limit: Decimal
    sent_at_ns: int
    arrives_at_ns: int
    state: OrderState
    fills: tuple[Fill, ...] = ()

    @property
    def filled_base(self) -> Decimal:
        """Total size filled, in base, before fees."""
        return exact_sum(fill.size_base for fill in self.fills)

    @property
    def notional_quote(self) -> Decimal:
        """What the fills paid or received, before fees."""
        return exact_sum(exact_product(fill.price, fill.size_base) for fill in self.fills)

    @property
    def given(self) -> Decimal:
        """What the fills gave, before fees."""
        return self.notional_quote if self.side is Side.BUY else self.filled_base

    @property
    def received(self) -> Decimal:
        """What the fills received, before fees."""
        return self.filled_base if self.side is Side.BUY else self.notional_quote

    @property
    def cash_quote(self) -> Decimal:
        """Change of the quote asset from this order's fills, fees included."""
        fees = exact_sum(fill.fee_quote for fill in self.fills)
        notional = self.notional_quote
        return exact_sum((-notional if self.side is Side.BUY else notional, -fees))

    @property
    def base_change(self) -> Decimal:
        """Change of the base asset from this order's fills, fees included."""
        fees = exact_sum(fill.fee_base for fill in self.fills)
        return exact_sum((self.filled_base if self.side is Side.BUY else -self.filled_base, -fees))

    @property
    def changes(self) -> tuple[tuple[VenueId, AssetCode, Decimal], ...]:
        """What this order's fills changed: venue, asset and amount of the base, of the quote."""
        of = self.instrument
        return (
            (of.venue, of.pair.base, self.base_change),
            (of.venue, of.pair.quote, self.cash_quote),
        )


def leg_orders(plan: Plan, orders: Iterable[Order]) -> list[Order | None]:
    """Return the order of each leg, None for one that has none."""
    by_leg = {
        (order.instrument, order.side): order for order in orders if order.purpose is Purpose.LEG
    }
    return [by_leg.get((leg.instrument, leg.side)) for leg in plan.legs]


def traded_base(plan: Plan, orders: Iterable[Order]) -> Decimal:
    """Return how much of the route's base asset its legs traded, before fees.

    The more of what the first leg received and the second gave.
    """
    first, second, *_ = leg_orders(plan, orders)
    return max(
        Decimal(0) if first is None else first.received,
        Decimal(0) if second is None else second.given,
    )


def changes_by_asset(orders: Iterable[Order]) -> dict[AssetCode, Decimal]:
    """Return what the fills of orders changed in all, by asset, over all venues."""
    changes: dict[AssetCode, Decimal] = {}
    for order in orders:
        for _, asset, change in order.changes:
            changes[asset] = exact_sum((changes.get(asset, Decimal(0)), change))
    return changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A finished plan: its orders and what they came to.

    Attributes:
        profit_quote: realised from fills, after fees and the transfer cost of what was traded.
        profit_usd: the same in the reporting asset, at the rate of the decision.
        residuals: what is left over (or owed) after unwinding of each asset between two legs; what
            it was filled for is part of the profit.
        corrections_quote: by residual, what was realised because it brought earlier ones to zero;
            empty if none did.
        correction_usd: all of that in the reporting asset; it is apart from the profit.
        story: why it came to this; executions of earlier versions have none.
    """

    execution_id: str
    plan_id: str
    opportunity_id: str
    closed_at_ns: int
    orders: tuple[Order, ...]
    quote: AssetCode
    profit_quote: Decimal
    profit_usd: Decimal
    expected_usd: Decimal
    residuals: tuple[Residual, ...] = ()
    corrections_quote: tuple[Decimal, ...] = ()
    correction_usd: Decimal = Decimal(0)
    story: TradeStory | None = None

    @property
    def carry_quote(self) -> Decimal:
        """What the residuals were filled for."""
        return exact_sum(one.carry.value for one in self.residuals)

    @property
    def correction_quote(self) -> Decimal:
        """What closing earlier residuals realised, in the quote asset."""
        return exact_sum(self.corrections_quote)

    @property
    def realised_usd(self) -> Decimal:
        """What this execution brought in, earlier residuals that it closed included."""
        return exact_sum((self.profit_usd, self.correction_usd))
