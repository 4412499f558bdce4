"""Orders, fills, transactions, and the executions that they add up to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.instruments import Instrument, VenueId
from engine.domain.opportunities import Side
from engine.domain.plans import AtomicPlan, LeggedPlan, MixedPlan, Plan, closes_of
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
class OtherFee:
    """A fee in neither asset of the instrument, as in a token of the venue's own.

    Attributes:
        amount: exact; negative for a rebate.
        worth_quote: in the asset that the plan's route starts and ends in, by its price when it was
            told, rounded against us; 0 where none was known.
    """

    asset: AssetCode
    amount: Decimal
    worth_quote: Decimal

    def __neg__(self) -> "OtherFee":
        return replace(self, amount=-self.amount, worth_quote=-self.worth_quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """An execution of part of an order at one price.

    Attributes:
        price: quote per base.
        size_base: what was traded, before any fee; negative where a venue took a trade back.
        fee_quote: taker fee of this fill, in the quote asset.
        frame_seq: number of the frame that last changed the book it was filled against.
        fee_base: taker fee of this fill in the base asset, where the venue takes it from what a
            buy receives; a fill pays its fee in one asset.
        other_fee: of this fill, where the venue takes it in a third asset.
    """

    fill_id: str
    client_order_id: str
    filled_at_ns: int
    price: Decimal
    size_base: Decimal
    fee_quote: Decimal
    frame_seq: int
    fee_base: Decimal = Decimal(0)
    other_fee: OtherFee | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Our instruction to a venue; in paper mode it is filled against the board.

    Attributes:
        version: which word of whoever places it is known; 0 where nobody counts them.
    """

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
    version: int = 0

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
    def other_fees(self) -> tuple[tuple[AssetCode, Decimal], ...]:
        """Fees in neither asset of the instrument, by asset."""
        sums: dict[AssetCode, Decimal] = {}
        for fill in self.fills:
            if (fee := fill.other_fee) is not None:
                sums[fee.asset] = exact_sum((sums.get(fee.asset, Decimal(0)), fee.amount))
        return tuple(sorted(sums.items()))

    @property
    def changes(self) -> tuple[tuple[VenueId, AssetCode, Decimal], ...]:
        """What this order's fills changed: venue, asset and amount; base first, then quote."""
        instrument = self.instrument
        return (
            (instrument.venue, instrument.pair.base, self.base_change),
            (instrument.venue, instrument.pair.quote, self.cash_quote),
            *((instrument.venue, asset, -amount) for asset, amount in self.other_fees),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What one step of a transaction gave and received."""

    venue: VenueId
    address: str
    source: AssetCode
    target: AssetCode
    amount_in: Decimal
    amount_out: Decimal
    frame_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a block shows of a transaction.

    Attributes:
        why: why it reverted, empty if it did not; one that did has no swaps.
        flash_fee: paid for what was borrowed, in the asset of the first step's source.
        gas: paid in the chain's own asset, whether or not it reverted.
        gas_quote: the same in the asset that the route starts and ends in, at the rate of the plan.
        block: its number, None while the chain's blocks have no numbers.
        tip: the part of `gas` that was not paid by whoever sent it, but out of what was gained.
    """

    why: str
    swaps: tuple[Swap, ...]
    flash_fee: Decimal
    gas_asset: AssetCode
    gas: Decimal
    gas_quote: Decimal
    landed_at_ns: int
    block: int | None = None
    tip: Decimal = Decimal(0)

    @property
    def is_reverted(self) -> bool:
        """Whether it did nothing but to pay for its gas."""
        return bool(self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Our instruction to a chain, for a plan that is one transaction or has one.

    In its life landing is `FILLED`, reverting `CANCELLED`, never landing `REJECTED`.

    Attributes:
        wallet: the place that pays for it and receives what it gives.
        receipt: None as long as none is known, for ever if it never landed.
        amount_in: what its first swap takes, None if that is what the plan says.
        gains_at: the place that receives what it gives, where that is not the wallet.
        version: which word of whoever sends it is known; 0 where nobody counts them.
    """

    client_order_id: str
    plan_id: str
    chain: str
    wallet: VenueId
    sent_at_ns: int
    state: OrderState
    receipt: Receipt | None = None
    purpose: Purpose = Purpose.LEG
    amount_in: Decimal | None = None
    gains_at: VenueId | None = None
    version: int = 0

    @property
    def gain(self) -> Decimal:
        """What the last swap gave less what the first took and the loan cost, of a cycle."""
        return exact_sum(amount for _, amount in self.turned)

    @property
    def turned(self) -> tuple[tuple[AssetCode, Decimal], ...]:
        """What its swaps changed, gas apart: what was given, loan included, and received."""
        receipt = self.receipt
        if receipt is None or not receipt.swaps:
            return ()
        first, last = receipt.swaps[0], receipt.swaps[-1]
        given = exact_sum((-first.amount_in, -receipt.flash_fee))
        if first.source == last.target:
            return ((first.source, exact_sum((last.amount_out, given))),)
        return ((first.source, given), (last.target, last.amount_out))

    @property
    def changes(self) -> tuple[tuple[VenueId, AssetCode, Decimal], ...]:
        """What it changed: venue, asset and amount."""
        receipt = self.receipt
        if receipt is None:
            return ()
        place = self.gains_at or self.wallet
        turned = [(place, asset, amount) for asset, amount in self.turned]
        if not receipt.tip:
            return (*turned, (self.wallet, receipt.gas_asset, -receipt.gas))
        paid = exact_sum((receipt.gas, -receipt.tip))
        return (
            *turned,
            (place, receipt.gas_asset, -receipt.tip),
            (self.wallet, receipt.gas_asset, -paid),
        )


Sendable = Order | Transaction
"""What leaves the process once its intent is durable."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is about to send: kept before any of it leaves.

    Attributes:
        orders, transactions: what was intended together.
    """

    plan: Plan
    orders: tuple[Order, ...] = ()
    transactions: tuple[Transaction, ...] = ()

    @classmethod
    def of(cls, plan: Plan, sendables: Iterable[Sendable]) -> "Intent":
        """Make it of what is about to be sent."""
        parts = list(sendables)
        return cls(
            plan=plan,
            orders=tuple(one for one in parts if isinstance(one, Order)),
            transactions=tuple(one for one in parts if isinstance(one, Transaction)),
        )

    @property
    def sendables(self) -> tuple[Sendable, ...]:
        """All of it."""
        return (*self.orders, *self.transactions)


def leg_orders(plan: LeggedPlan | MixedPlan, orders: Iterable[Order]) -> list[Order | None]:
    """Return the order of each leg, None for one that has none."""
    by_leg = {
        (order.instrument, order.side): order for order in orders if order.purpose is Purpose.LEG
    }
    return [by_leg.get((leg.instrument, leg.side)) for leg in plan.legs]


def traded_base(plan: Plan, execution: "Execution") -> Decimal:
    """Return how much of the route's base asset was traded, before fees.

    Of several parts the more of what the first received and the second gave.
    """
    transaction = execution.transaction
    swaps = transaction.receipt.swaps if transaction and transaction.receipt else ()
    if isinstance(plan, MixedPlan):
        turned = [
            (Decimal(0), Decimal(0)) if one is None else (one.given, one.received)
            for one in leg_orders(plan, execution.orders)
        ]
        ends = (swaps[0].amount_in, swaps[-1].amount_out) if swaps else (Decimal(0), Decimal(0))
        turned.insert(plan.before, ends)
        return max(turned[0][1], turned[1][0])
    if isinstance(plan, AtomicPlan):
        return swaps[0].amount_out if swaps else Decimal(0)
    if closes_of(plan):
        (only,) = leg_orders(plan, execution.orders)
        return Decimal(0) if only is None else only.filled_base
    bought, sold, *_ = leg_orders(plan, execution.orders)
    return max(
        Decimal(0) if bought is None else bought.received,
        Decimal(0) if sold is None else sold.given,
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
        transaction: of a plan that is one or has one.
        corrects: id of the execution of which this is what was told after it had ended: its orders
            have the late fills alone, and its figures are what these changed.
        void: why it counts nothing: it was under way when its engine ended, and there is proof that
            none of its orders was ever filled.
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
    transaction: Transaction | None = None
    corrects: str = ""
    void: str = ""

    @property
    def is_traded(self) -> bool:
        """Whether anything was traded: one that only paid for gas was not."""
        if self.transaction is not None and self.transaction.state is OrderState.FILLED:
            return True
        return any(order.fills for order in self.orders)

    @property
    def gas_quote(self) -> Decimal | None:
        """What its transaction paid for gas, in the route's asset; None without a receipt."""
        transaction = self.transaction
        receipt = None if transaction is None else transaction.receipt
        return None if receipt is None else receipt.gas_quote

    @property
    def why_reverted(self) -> str:
        """Why its transaction reverted, empty if it did not or there was none."""
        transaction = self.transaction
        return transaction.receipt.why if transaction and transaction.receipt else ""

    @property
    def changes(self) -> Iterator[tuple[VenueId, AssetCode, Decimal]]:
        """What it changed of what is owned: venue, asset and amount."""
        for order in self.orders:
            yield from order.changes
        if self.transaction is not None:
            yield from self.transaction.changes

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
