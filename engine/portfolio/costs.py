"""Costs of a route: taker fees by venue, and what moving the assets back costs. Exact.

Everything we pay is rounded up to a least step of its asset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.gas import GasPrice
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.units import BPS_PER_UNIT, GWEI_DECIMALS, NATIVE_DECIMALS

QUOTE_STEP = Decimal("0.00000001")
"""Step to which fees and transfer costs are rounded up, in quote or in base."""

EXACT = Context(prec=100)
"""Products of prices, sizes and ratios fit this precision whole."""


def ceil_to_quote_step(value: Decimal) -> Decimal:
    """Round up to the quote step, as for what we pay."""
    return value.quantize(QUOTE_STEP, ROUND_CEILING, EXACT)


def floor_to_quote_step(value: Decimal) -> Decimal:
    """Round down to the quote step, as for what we receive."""
    return value.quantize(QUOTE_STEP, ROUND_FLOOR, EXACT)


def ceil_share(amount: Decimal, share_bps: Decimal) -> Decimal:
    """Return a share of an amount, rounded up to the step."""
    share = EXACT.multiply(amount, share_bps).scaleb(-4, EXACT)
    return ceil_to_quote_step(share)


def gas_amounts(price: GasPrice, units: int, legs: int) -> tuple[Decimal, Decimal]:
    """Return what a transaction costs in its chain's own asset, and which part its bytes are."""
    data = Decimal(price.data_raw(legs)).scaleb(-NATIVE_DECIMALS, EXACT)
    gas = EXACT.multiply(price.gwei, Decimal(units)).scaleb(-GWEI_DECIMALS, EXACT)
    return (EXACT.add(gas, data) if data else gas), data


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue takes for an order: of the quote asset, or of the base that a buy receives."""

    quote: Decimal = Decimal(0)
    base: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What trading a route costs.

    Attributes:
        fee_bps_taker: taker fee by venue.
        transfer_bps: cost of moving the assets back, of the buy notional, on every route between
            venues.
        base_fee_venues: those that take the fee of a buy out of what it receives.
    """

    fee_bps_taker: Mapping[VenueId, Decimal]
    transfer_bps: Decimal = Decimal(0)
    base_fee_venues: frozenset[VenueId] = frozenset()

    def __post_init__(self) -> None:
        for venue, fee_bps in self.fee_bps_taker.items():
            check_bps(fee_bps, what=f"taker fee of {venue}")
        check_bps(self.transfer_bps, what="transfer cost")

    def fee_bps(self, venue: VenueId) -> Decimal:
        """Return the taker fee of a venue.

        Raises:
            BadValueError: no fee is configured for it; free trading is never assumed.
        """
        fee_bps = self.fee_bps_taker.get(venue)
        if fee_bps is None:
            raise BadValueError(f"no taker fee is configured for venue {venue}; set it in bps")
        return fee_bps

    def takes_base(self, venue: VenueId, side: Side) -> bool:
        """Say whether the venue takes the fee of such an order from the base received."""
        return side is Side.BUY and venue in self.base_fee_venues

    def fee(
        self, venue: VenueId, side: Side, *, size_base: Decimal, notional_quote: Decimal
    ) -> Fee:
        """Return the taker fee of an order that filled so much, rounded up once for all of it."""
        fee_bps = self.fee_bps(venue)
        if self.takes_base(venue, side):
            return Fee(base=ceil_share(size_base, fee_bps))
        return Fee(quote=ceil_share(notional_quote, fee_bps))

    def size_for(self, venue: VenueId, side: Side, change_base: Decimal) -> Decimal:
        """Return the greatest size of an order that changes the base by no more than so much."""
        if not self.takes_base(venue, side):
            return change_base
        keep_ratio = EXACT.divide(BPS_PER_UNIT - self.fee_bps(venue), BPS_PER_UNIT)
        return EXACT.divide(change_base, keep_ratio)

    def transfer_quote(self, paid_quote: Decimal, *, venue_changes: int) -> Decimal:
        """Return what moving the assets back costs, rounded up.

        A route that leaves a venue and comes back changes the venue twice.
        """
        return ceil_share(paid_quote, self.transfer_bps * venue_changes / 2)


def check_bps(value: Decimal, *, what: str) -> None:
    """Raise `BadValueError` if a share of a notional makes no sense."""
    if not value.is_finite() or not 0 <= value < BPS_PER_UNIT:
        raise BadValueError(f"{what} is {value} bps; it must be 0 or more and below {BPS_PER_UNIT}")
