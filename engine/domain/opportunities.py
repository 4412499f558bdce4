"""Opportunities: routes whose net edge is positive after costs, as seen.

A route is a cycle: it starts and ends in the same asset, the *quote* asset of the opportunity, in
which its profit is counted. What its first leg receives is the *base* asset. A gap between two
books is a route of two legs.

They are structs of msgspec: made on the way to each decision, where a frozen dataclass takes ten
times as long to make.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument, VenueId

_ZERO = Decimal(0)


class Side(StrEnum):
    """Direction of an order, seen from us."""

    BUY = "buy"
    SELL = "sell"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a route.

    Attributes:
        size_base: size of the order, in base.
        price_limit: worst price that the order may fill at (quote per base).
        notional_quote: what the walk through the book pays or receives, before fees.
        fee_quote: taker fee of the leg, in the quote asset.
        frame_seq: number of the input frame that last changed the leg's book.
        fee_base: taker fee of the leg where the venue takes it from what a buy receives.
    """

    instrument: Instrument
    side: Side
    size_base: Decimal
    price_limit: Decimal
    notional_quote: Decimal
    fee_quote: Decimal
    frame_seq: int
    fee_base: Decimal = Decimal(0)

    @property
    def venue(self) -> VenueId:
        """Venue of the leg's instrument."""
        return self.instrument.venue

    @property
    def given(self) -> Decimal:
        """What the leg gives as walked, before fees."""
        return self.notional_quote if self.side is Side.BUY else self.size_base

    @property
    def received(self) -> Decimal:
        """What the leg receives as walked, before fees."""
        return self.size_base if self.side is Side.BUY else self.notional_quote

    @property
    def fee_given(self) -> Decimal:
        """Fee on top of what it gives."""
        return self.fee_quote if self.side is Side.BUY else _ZERO

    @property
    def fee_received(self) -> Decimal:
        """Fee out of what it receives."""
        return self.fee_base if self.side is Side.BUY else self.fee_quote

    @property
    def source(self) -> AssetCode:
        """Asset that the leg gives."""
        pair = self.instrument.pair
        return pair.quote if self.side is Side.BUY else pair.base

    @property
    def target(self) -> AssetCode:
        """Asset that the leg receives."""
        pair = self.instrument.pair
        return pair.base if self.side is Side.BUY else pair.quote


class HopKind(StrEnum):
    """Where a leg trades."""

    BOOK = "book"
    POOL = "pool"
    BRIDGE = "bridge"


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a route as screened: what is given and received, and where.

    Attributes:
        place: name of the place at its venue, such as ``BTC-USD``.
        row: row of the book on the board, or number of the pool or bridge in the run.
        amount_in, amount_out: screened amounts in units of the two assets, fees within.
        frame_seq: number of the input that last changed the place.
        chain: of a pool; those that earlier versions stored do not say.
    """

    kind: HopKind
    venue: VenueId
    place: str
    row: int
    source: AssetCode
    target: AssetCode
    amount_in: float
    amount_out: float
    frame_seq: int
    chain: str = ""


class Opportunity(msgspec.Struct, frozen=True, kw_only=True):
    """A route with a positive net edge, as the kernels screened it (an estimate in floats).

    Attributes:
        opportunity_id: unique within the installation: ``<run>-<number>``.
        seen_at_ns: receive time of the frame that revealed it (wall clock).
        frame_seq: number of that frame in the run's recording.
        hops: its legs in their order; the last one ends in the asset in which the first starts.
        size_base: screened size: what the first leg receives.
        gross_edge_bps, net_edge_bps: gain relative to what the first leg pays, before and after
            costs.
        gas_quote: what gas and bridges are reckoned to cost whatever the size.
        profit_quote: screened net profit in the quote asset.
    """

    opportunity_id: str
    seen_at_ns: int
    frame_seq: int
    hops: tuple[Hop, ...]
    size_base: float
    gross_edge_bps: float
    net_edge_bps: float
    gas_quote: float
    profit_quote: float

    @property
    def quote(self) -> AssetCode:
        """Asset that the route starts and ends in."""
        return self.hops[0].source

    @property
    def base(self) -> AssetCode:
        """Asset that the first leg receives."""
        return self.hops[0].target

    @property
    def pair(self) -> str:
        """Name of the couple that the first leg turns."""
        return f"{self.base}-{self.quote}"

    @property
    def buy_venue(self) -> VenueId:
        """Venue of the first leg, which pays the quote asset."""
        return self.hops[0].venue

    @property
    def sell_venue(self) -> VenueId:
        """Venue of the last leg, which receives the quote asset."""
        return self.hops[-1].venue

    def scaled(self, ratio: float) -> "Opportunity":
        """Return the same route with this share of its amounts; what they give is reckoned anew."""
        hops = tuple(
            msgspec.structs.replace(
                hop, amount_in=hop.amount_in * ratio, amount_out=hop.amount_out * ratio
            )
            for hop in self.hops
        )
        return msgspec.structs.replace(
            self,
            hops=hops,
            size_base=self.size_base * ratio,
            profit_quote=self.profit_quote * ratio,
        )

    @property
    def venue_changes(self) -> int:
        """How many legs are at another venue than the next one, the first after the last."""
        venues = [hop.venue for hop in self.hops]
        return sum(a != b for a, b in zip(venues, [*venues[1:], venues[0]], strict=True))

    @property
    def is_on_one_chain(self) -> bool:
        """Whether all legs are at pools of one chain: a flash loan can pay for the route."""
        return (
            all(hop.kind is HopKind.POOL for hop in self.hops)
            and len({hop.chain for hop in self.hops}) == 1
        )

    @property
    def is_gap(self) -> bool:
        """Whether the route buys a pair at one venue's book and sells it at another's.

        Two books that quote the same assets the other way round are no gap: both legs would buy.
        """
        if len(self.hops) != GAP_LEGS:
            return False
        buy, sell = self.hops
        return (
            buy.kind is sell.kind is HopKind.BOOK
            and buy.place == sell.place == self.pair
            and buy.venue != sell.venue
        )


def route_of(opportunity: Opportunity) -> str:
    """Return the name of a route, the same each time that it opens: each leg's place and way."""
    return route_name(opportunity.hops)


def route_name(hops: Sequence[Hop]) -> str:
    """Return the name of the route of these legs; see `route_of`."""
    return " ".join(f"{hop.venue}/{hop.place}:{hop.source}-{hop.target}" for hop in hops)


GAP_LEGS = 2
"""Legs of a gap."""


class Reason(StrEnum):
    """Why an opportunity was not turned into a plan."""

    KILLED = "killed"
    PAUSED = "paused"
    OBSERVE_ONLY = "observe_only"
    SWITCHED_OFF = "switched_off"
    STALE_BOOK = "stale_book"
    STALE_POOL = "stale_pool"
    STALE_GAS = "stale_gas"
    UNPROVEN_BOOK = "unproven_book"
    EDGE_BELOW_MIN = "edge_below_min"
    GAS_TOO_DEAR = "gas_too_dear"
    """It gains less than its gas may cost at the worst."""
    NOT_CONFIRMED = "not_confirmed"
    SIZE_BELOW_MIN = "size_below_min"
    LIQUIDITY_TAKEN = "liquidity_taken"
    NO_USD_PRICE = "no_usd_price"
    POSITION_LIMIT = "position_limit"
    BALANCE_TOO_LOW = "balance_too_low"
    DAILY_LOSS_LIMIT = "daily_loss_limit"
    ORDER_RATE_LIMIT = "order_rate_limit"
    LEDGER_BEHIND = "ledger_behind"
    NO_EXECUTOR = "no_executor"
    ASKED = "asked"
    """It waits for a person's word."""
    NOT_ASKED = "not_asked"
    """A person would have to be asked, and is not now."""
    CHAT_BLIND = "chat_blind"
    """A person would have to be asked, and can be neither heard nor told."""
    TERMS_LEFT = "terms_left"
    """What was approved is not to be had any more."""
    ROUTE_FAILS = "route_fails"
    """By advice routes of its shape fail when they are tried on a fork."""
    LIKELY_TAKEN = "likely_taken"
    """By advice it is too probable that others take it first."""
    VENUE_UNREADY = "venue_unready"
    """A venue takes no real orders now."""
    VENUE_FAILURES = "venue_failures"
    """Too many orders in a row failed there."""
    VENUE_EXPOSURE = "venue_exposure"
    DRAWDOWN_LIMIT = "drawdown_limit"
    GAS_DAY_LIMIT = "gas_day_limit"
    KELLY_SIZE = "kelly_size"
    """Too little was earned so far for a bet of any size."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A decision not to trade: the reason, and the numbers behind it in one sentence."""

    opportunity_id: str
    decided_at_ns: int
    reason: Reason
    detail: str
