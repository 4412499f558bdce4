"""Opportunities: routes whose net edge is positive after costs, on the board as seen."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.domain.instruments import Instrument, VenueId


class Side(StrEnum):
    """Direction of an order, seen from us."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One order of a route.

    Attributes:
        size_base: size of the order, in base.
        price_limit: worst price that the order may fill at (quote per base).
        notional_quote: what the walk through the book pays or receives, before fees.
        fee_quote: taker fee of the leg.
        frame_seq: number of the input frame that last changed the leg's book.
    """

    instrument: Instrument
    side: Side
    size_base: Decimal
    price_limit: Decimal
    notional_quote: Decimal
    fee_quote: Decimal
    frame_seq: int

    @property
    def venue(self) -> VenueId:
        """Venue of the leg's instrument."""
        return self.instrument.venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """A route with a positive net edge, as the kernels screened it (an estimate in floats).

    Attributes:
        opportunity_id: unique within the installation: ``<run>-<number>``.
        seen_at_ns: receive time of the frame that revealed it (wall clock).
        frame_seq: number of that frame in the run's recording.
        buy_book, sell_book: rows of the two books on the board.
        size_base: screened size, in base.
        gross_edge_bps, net_edge_bps: gain relative to the buy notional, before and after costs.
        profit_quote: screened net profit in the quote asset.
    """

    opportunity_id: str
    seen_at_ns: int
    frame_seq: int
    buy: Instrument
    sell: Instrument
    buy_book: int
    sell_book: int
    size_base: float
    gross_edge_bps: float
    net_edge_bps: float
    profit_quote: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An approved, exactly sized opportunity, ready to execute; only `decide` makes one.

    Attributes:
        profit_quote: exact net profit if every leg fills as walked.
        transfer_quote: what moving the assets back costs, included in the profit.
        notional_usd: value of the buy leg in the reporting asset.
        deadline_ns: no leg may start after this instant (wall clock).
    """

    plan_id: str
    opportunity: Opportunity
    decided_at_ns: int
    deadline_ns: int
    legs: tuple[Leg, ...]
    profit_quote: Decimal
    transfer_quote: Decimal
    net_edge_bps: Decimal
    notional_usd: Decimal
    usd_per_quote: Decimal


class Reason(StrEnum):
    """Why an opportunity was not turned into a plan."""

    KILLED = "killed"
    PAUSED = "paused"
    OBSERVE_ONLY = "observe_only"
    STALE_BOOK = "stale_book"
    EDGE_BELOW_MIN = "edge_below_min"
    NOT_CONFIRMED = "not_confirmed"
    SIZE_BELOW_MIN = "size_below_min"
    LIQUIDITY_TAKEN = "liquidity_taken"
    NO_USD_PRICE = "no_usd_price"
    POSITION_LIMIT = "position_limit"
    DAILY_LOSS_LIMIT = "daily_loss_limit"
    ORDER_RATE_LIMIT = "order_rate_limit"
    LEDGER_BEHIND = "ledger_behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A decision not to trade: the reason, and the numbers behind it in one sentence."""

    opportunity_id: str
    decided_at_ns: int
    reason: Reason
    detail: str
