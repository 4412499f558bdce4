"""Venues and instruments with their trading rules.

A book keeps prices and sizes as whole numbers of the least steps that the wire can carry
(`price_exponent`, `size_exponent`); ticks and lots, the steps at which orders are accepted, are
whole multiples of these.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import NewType

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError

VenueId = NewType("VenueId", str)

DECIMALS_MAX = 18
"""Most decimals that a price or size of an order book may have on the wire."""


class Kind(StrEnum):
    """What an instrument is; only instruments of the same kind `SPOT` form a riskless route."""

    SPOT = "spot"
    PERPETUAL = "perpetual"


class BuyFee(StrEnum):
    """In which asset of a pair a venue takes the fee of a buy; that of a sale is always quote.

    `QUOTE`: on top of what is paid. `BASE`: out of what is received.
    """

    QUOTE = "quote"
    BASE = "base"


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Base and quote asset: price is always quote per one base."""

    base: AssetCode
    quote: AssetCode

    @classmethod
    def parse(cls, text: str) -> "Pair":
        """Parse ``BASE-QUOTE``.

        Raises:
            BadValueError: not two different upper-case codes joined by one hyphen.
        """
        base, separator, quote = text.partition("-")
        is_code = all(code.isascii() and code.isalnum() for code in (base, quote))
        if not separator or not is_code or base == quote or text != text.upper():
            raise BadValueError(f"pair {text!r} is not of the form BASE-QUOTE, as in BTC-USD")
        return cls(AssetCode(base), AssetCode(quote))

    def __str__(self) -> str:
        return f"{self.base}-{self.quote}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is traded at a venue, and the rules an order must obey there.

    Attributes:
        wire_name: the venue's own name for it.
        price_decimals: decimals of a wire price; a book's price is ``price / 10**-price_decimals``.
        size_decimals: decimals of a wire size, likewise.
        tick_quote: least price step of an order, in quote per base.
        lot_base: least size step of an order, in base.
        size_min_base: least size of an order, in base.
        notional_min_quote: least notional of an order, in quote.
    """

    venue: VenueId
    pair: Pair
    wire_name: str
    price_decimals: int
    size_decimals: int
    tick_quote: Decimal
    lot_base: Decimal
    size_min_base: Decimal = Decimal(0)
    notional_min_quote: Decimal = Decimal(0)
    kind: Kind = Kind.SPOT

    def __post_init__(self) -> None:
        for name in ("price_decimals", "size_decimals"):
            decimals = getattr(self, name)
            if not 0 <= decimals <= DECIMALS_MAX:
                raise BadValueError(
                    f"{name} of {self} is {decimals}; it must be 0 to {DECIMALS_MAX}"
                )
        for name, step, decimals in (
            ("tick_quote", self.tick_quote, self.price_decimals),
            ("lot_base", self.lot_base, self.size_decimals),
        ):
            if step <= 0 or step != step.quantize(Decimal(1).scaleb(-decimals)):
                raise BadValueError(
                    f"{name} of {self} is {step}; it must be above 0, {decimals} decimals at most"
                )
        if self.size_min_base < 0 or self.notional_min_quote < 0:
            raise BadValueError(f"least size and least notional of {self} must not be negative")

    def __str__(self) -> str:
        suffix = "" if self.kind is Kind.SPOT else f" ({self.kind})"
        return f"{self.pair} at {self.venue}{suffix}"

    def price_of(self, price_steps: int) -> Decimal:
        """Turn a book's whole-number price into quote per base."""
        return Decimal(price_steps).scaleb(-self.price_decimals)

    def size_of(self, size_steps: int) -> Decimal:
        """Turn a book's whole-number size into base."""
        return Decimal(size_steps).scaleb(-self.size_decimals)

    def floor_to_lot(self, size_base: Decimal) -> Decimal:
        """Round a size down to a whole number of lots."""
        return (size_base / self.lot_base).to_integral_value(ROUND_FLOOR) * self.lot_base

    def ceil_to_tick(self, price: Decimal) -> Decimal:
        """Round a price up to a whole number of ticks."""
        return (price / self.tick_quote).to_integral_value(ROUND_CEILING) * self.tick_quote

    def floor_to_tick(self, price: Decimal) -> Decimal:
        """Round a price down to a whole number of ticks."""
        return (price / self.tick_quote).to_integral_value(ROUND_FLOOR) * self.tick_quote
