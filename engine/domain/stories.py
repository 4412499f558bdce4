"""The story of a trade: found, sized, realised, and what made each differ from the one before."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId


class Cause(StrEnum):
    """Why a figure differs from the one before.

    Found to sized: `BOOK_MOVED` between finding and deciding; `LOT_ROUNDING`, whole lots and steps
    instead of the estimate; `DEPTH_TAKEN` by earlier trades; `SIZE_LIMIT`, which shrank it.

    Sized to realised: `UNREACHED`, no live book was there; `LATENCY`, books moved while orders were
    under way; `DEPTH_TAKEN` by other trades meanwhile; `PRICE_LIMIT`, what lay beyond it was not
    filled; `UNWINDING` of what one leg filled alone; `FEE` and `TRANSFER`, more or less than sized.

    After its end: `LATE_FILL`, what was told of its orders only then.

    Of transactions: `GAS`, whose estimate and exact bound differ, and whose bound and use may;
    `REVERTED`, what was planned to be gained and was not.

    Of transactions with orders: `NEVER_LANDED`, no block took it; `POOL_MOVED`, it gave something
    else than planned.
    """

    BOOK_MOVED = "book_moved"
    LOT_ROUNDING = "lot_rounding"
    DEPTH_TAKEN = "depth_taken"
    SIZE_LIMIT = "size_limit"
    UNREACHED = "unreached"
    LATENCY = "latency"
    PRICE_LIMIT = "price_limit"
    UNWINDING = "unwinding"
    LATE_FILL = "late_fill"
    REVERTED = "reverted"
    NEVER_LANDED = "never_landed"
    POOL_MOVED = "pool_moved"
    GAS = "gas"
    FEE = "fee"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """An amount in the asset that the profit is in, and in USD at the rate of the decision."""

    quote: Decimal
    usd: Decimal

    def __add__(self, other: "Worth") -> "Worth":
        return Worth(
            quote=exact_sum((self.quote, other.quote)), usd=exact_sum((self.usd, other.usd))
        )

    def __sub__(self, other: "Worth") -> "Worth":
        return Worth(
            quote=exact_sum((self.quote, -other.quote)), usd=exact_sum((self.usd, -other.usd))
        )


NO_WORTH = Worth(quote=Decimal(0), usd=Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one cause added (or took, if negative)."""

    cause: Cause
    worth: Worth


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCost:
    """What one order cost: its fee in quote, or in base where the venue takes it from a buy.

    Attributes:
        other_fees: in any other asset, with its amount; by asset.
    """

    venue: VenueId
    side: str
    purpose: str
    fee_quote: Decimal
    fee_base: Decimal
    latency_ns: int
    other_fees: tuple[tuple[AssetCode, Decimal], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeStory:
    """All of it; each list of differences adds up exactly, and causes of nothing are left out.

    Attributes:
        found: as told when the route was found.
        sized: of the plan: exact, within all limits.
        gross: what the fills came to before fees and transfer.
        fee: all fees, those taken in base at the price of their leg.
        gas: of a transaction, whether or not it reverted; earlier versions know none.
        realised: ``gross - fee - transfer - gas``.
        limit: the sentence of the limit that shrank the size, if one did.
    """

    found: Worth
    to_sized: tuple[Difference, ...]
    sized: Worth
    to_realised: tuple[Difference, ...]
    realised: Worth
    gross: Worth
    fee: Worth
    transfer: Worth
    orders: tuple[OrderCost, ...]
    limit: str = ""
    gas: Worth = NO_WORTH


def ending(
    *, is_traded: bool, profit_usd: Decimal, why_reverted: str = "", void: str = ""
) -> tuple[str, str]:
    """Return the outcome of an opportunity whose plan has ended, and the sentence beside it."""
    if void:
        return "void", f"{void}: its engine ended while it was under way, and nothing was filled"
    if why_reverted and is_traded:
        return "traded", f"{profit_usd:.4f} USD; its transaction reverted: {why_reverted}"
    if why_reverted:
        return "reverted", f"{profit_usd:.4f} USD for gas; {why_reverted}"
    return "traded" if is_traded else "unfilled", f"{profit_usd:.4f} USD from fills"
