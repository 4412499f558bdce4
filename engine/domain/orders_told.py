"""What is told of an order at a venue: by whoever places it, to whoever has the plan."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId


class OrderFate(StrEnum):
    """What became of an order, as far as it is told.

    What it was filled for stands beside: one that was cancelled or expired may have been filled in
    part.
    """

    ACCEPTED = "accepted"
    """The venue has it, and has told no fill."""
    TRADED = "traded"
    """Filled in part, or its fills are not all known yet; it has not ended."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    """The venue refused it: there is no such order."""
    NEVER = "never"
    """It never left this machine, or is proven to be nowhere: there is no such order."""
    UNKNOWN = "unknown"
    """What became of it is being found out; that ends by proof, and never by time."""
    REVERSED = "reversed"
    """The venue took a fill back; the fills beside are those that are left."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come but fills that are told late, or taken back."""
        return self in _FINAL


_FINAL = frozenset(
    {
        OrderFate.FILLED,
        OrderFate.CANCELLED,
        OrderFate.EXPIRED,
        OrderFate.REFUSED,
        OrderFate.NEVER,
        OrderFate.REVERSED,
    }
)


class VenueMatter(StrEnum):
    """What a person is told of venues and orders beside their ends."""

    HALTED = "halted"
    """No order is taken on at a venue until a person has looked at it."""
    DIFFERENCE = "difference"
    """The venue shows something else than is written, and what follows of it is done."""
    UNKNOWN = "unknown"
    """What became of an order is not known for long."""
    ORDER = "order"
    """An order is something else than it should be: made twice, taken back, resting."""
    KEY = "key"
    """The key may not be traded with."""
    STOPPED = "stopped"
    """The venue itself takes nothing more: maintenance, a ban, a barred account."""
    BACK = "back"
    """Orders are taken on there again."""
    BALANCE = "balance"
    """The account holds something else than our orders come to."""


class FillTold(msgspec.Struct, frozen=True, kw_only=True):
    """A fill as its venue shows it.

    Attributes:
        fill_id: the venue's, unique for its instrument.
        filled_at_ns: by the venue's clock where it says one, else when it was heard of.
        price: quote per base.
        size_base: what was traded, before any fee.
        fee: exact, paid in `fee_asset`, which may be base, quote or a third one; negative for a
            rebate.
    """

    fill_id: str
    filled_at_ns: int
    price: Decimal
    size_base: Decimal
    fee: Decimal
    fee_asset: AssetCode


class OrderNews(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an order, as far as it is proven.

    Attributes:
        version: counts what was told of it, from 1; of two the later one stands.
        venue_order_id: the venue's own, empty where it is not known.
        fills: all that are known, what was taken back left out.
        filled_base: in all, as the venue counts; more than the fills add up to while some of them
            are still looked up, and then the fate is none that is final.
        why: in words, where it was not filled as it was asked.
    """

    client_order_id: str
    venue: VenueId
    version: int
    fate: OrderFate
    venue_order_id: str = ""
    fills: tuple[FillTold, ...] = ()
    filled_base: Decimal = Decimal(0)
    why: str = ""


class HeldAtVenue(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue shows that we have of an asset: free to be used, and reserved by orders."""

    asset: AssetCode
    free: Decimal
    held: Decimal


class VenueSeen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is ours at a venue, and which orders that reckons with.

    Attributes:
        told: number of the last that was told of orders at this venue, 0 if nothing was: all that
            these balances hold of them was told up to there, and nothing else.
        is_last: nothing was told of them since, to whichever run of the engine: what is booked of
            what was told later is not in these balances.
        at_ns: when the balances were read (wall clock); they were compared with all that is
            written then.
        why_not: why no order is taken on there now; empty where one is.
        taker_bps: taker fee of our tier, the dearest where it is told by instrument; None if it was
            not told. `fees_at_ns` when it was read.
        moving: assets of which a transfer of ours moves something there, or just has.
    """

    venue: VenueId
    told: int
    at_ns: int
    held: tuple[HeldAtVenue, ...]
    why_not: str = ""
    taker_bps: Decimal | None = None
    fees_at_ns: int = 0
    moving: tuple[AssetCode, ...] = ()
    is_last: bool = True
