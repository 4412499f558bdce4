"""Orders at exchanges as both sides of the wire know them: what is asked, and what a venue shows.

No venue's own words are in here: names of fields, codes and formats end in `engine.gateways`.
"""

import hashlib
import uuid
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side

_TAG_BYTES: Final = 4
_UUID_BYTES: Final = 16
_VERSION: Final = 8


class TimeInForce(StrEnum):
    """How long an order may rest: not at all (in part or whole or not), or only as a maker."""

    IMMEDIATE_OR_CANCEL = "ioc"
    FILL_OR_KILL = "fok"
    POST_ONLY = "post_only"


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is to be placed.

    Attributes:
        wire_id: what the venue is given as our id for it; see `wire_id_of`.
        wire_name: the venue's own name of the instrument.
        size_base, price_limit: whole lots and ticks, above 0.
        sent_before_ms: since the epoch; the venue is told to take it no later, where it can be.
    """

    wire_id: str
    venue: VenueId
    wire_name: str
    side: Side
    size_base: Decimal
    price_limit: Decimal
    time_in_force: TimeInForce = TimeInForce.IMMEDIATE_OR_CANCEL
    sent_before_ms: int = 0

    def __post_init__(self) -> None:
        for name, value in (("size", self.size_base), ("price", self.price_limit)):
            if not value.is_finite() or value <= 0:
                raise BadValueError(f"{name} {value} of an order at {self.venue}: must be above 0")


class Stage(StrEnum):
    """Where a venue says that an order is.

    `PENDING`: it is known and may not be in the book yet. `REFUSED`: it was known and not taken.
    """

    PENDING = "pending"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come of it but trades that are told late."""
        return self not in {Stage.PENDING, Stage.OPEN}


class TradeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A fill as a venue shows it.

    Attributes:
        trade_id: the venue's, unique for its instrument.
        wire_id: our id of the order, empty where the venue does not say it with the fill.
        fee: paid in `fee_asset`; negative for a rebate.
        fee_asset: empty where the venue does not say it: then it is the one that its rules name.
        at_ms: by the venue's clock, since the epoch; 0 if it does not say.
        is_reversal: the venue takes the trade of this id back.
    """

    trade_id: str
    venue_order_id: str
    wire_name: str
    side: Side
    price: Decimal
    size_base: Decimal
    fee: Decimal
    fee_asset: str = ""
    wire_id: str = ""
    at_ms: int = 0
    is_reversal: bool = False


class OrderShown(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a venue shows it.

    Attributes:
        wire_id: our id for it, empty for one that somebody else made.
        filled_base: in all, None where the venue does not say.
        price_limit: None where the venue does not say.
        trades: told with it; others may be told elsewhere.
        made_at_ms: when the venue made it, by its clock since the epoch; 0 if it does not say.
    """

    venue_order_id: str
    wire_id: str
    wire_name: str
    side: Side
    stage: Stage
    size_base: Decimal | None = None
    price_limit: Decimal | None = None
    filled_base: Decimal | None = None
    trades: tuple[TradeShown, ...] = ()
    why: str = ""
    made_at_ms: int = 0

    def differs_from(self, request: OrderRequest) -> str:
        """Say in what it cannot be the order that was asked for; empty if it can.

        What the venue does not show counts as equal: a look-up by our own id answered it.
        """
        for name, shown, asked in (
            ("our id", self.wire_id or None, request.wire_id),
            ("instrument", self.wire_name or None, request.wire_name),
            ("side", self.side, request.side),
            ("size", self.size_base, request.size_base),
            ("price limit", self.price_limit, request.price_limit),
        ):
            if shown is not None and shown != asked:
                return f"its {name} is {shown}, and {asked} was asked"
        return ""


class BalanceShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue says that we have of an asset.

    Attributes:
        asset: the venue's own name for it.
        free, held: what may be used, and what is reserved by orders.
    """

    asset: str
    free: Decimal
    held: Decimal

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.free + self.held


class FeeShown(msgspec.Struct, frozen=True, kw_only=True):
    """Fees of our tier, as shares of the notional; of one instrument, or of all (empty name)."""

    maker_ratio: Decimal
    taker_ratio: Decimal
    wire_name: str = ""


class KeyRights(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue says that a key may do; None where it does not say."""

    may_read: bool | None
    may_trade: bool | None
    may_withdraw: bool | None
    is_address_bound: bool | None = None


def tag_of(engine_id: str) -> bytes:
    """Return by what the ids of one engine's orders are known among others of the account."""
    return hashlib.blake2b(engine_id.encode(), digest_size=_TAG_BYTES, person=b"order-tag").digest()


@lru_cache(maxsize=256)
def wire_id_of(client_order_id: str, *, engine_id: str) -> str:
    """Return the id that a venue is given for an order: a UUID of version 8, the same each time.

    It comes from our own id alone, so that an order is found again after any restart. All venues
    take a UUID: 36 characters of ``[0-9a-f-]``.
    """
    rest = hashlib.blake2b(
        f"{engine_id}/{client_order_id}".encode(),
        digest_size=_UUID_BYTES - _TAG_BYTES,
        person=b"order-id",
    ).digest()
    number = int.from_bytes(tag_of(engine_id) + rest, "big")
    # RFC 9562: the version in bits 48 to 51, the variant in bits 64 and 65.
    number = number & ~(0xF << 76) | (_VERSION << 76)
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return str(uuid.UUID(int=number))


def is_own_id(wire_id: str, *, engine_id: str) -> bool:
    """Say whether an id is of the form that an engine gives its orders."""
    try:
        parsed = uuid.UUID(wire_id)
    except (ValueError, AttributeError):
        return False
    return parsed.version == _VERSION and parsed.bytes[:_TAG_BYTES] == tag_of(engine_id)
