"""Bridges and wraps: two assets that turn into each other one to one, at a cost."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.units import BPS_PER_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Two assets that turn into each other.

    Attributes:
        cost_bps: share of the amount.
        cost_usd: what each use costs whatever the amount.
    """

    assets: tuple[AssetCode, AssetCode]
    cost_bps: Decimal
    cost_usd: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if self.assets[0] == self.assets[1]:
            raise BadValueError(f"a bridge from {self.assets[0]} to itself")
        if not (self.cost_bps.is_finite() and 0 <= self.cost_bps < BPS_PER_UNIT):
            raise BadValueError(
                f"cost of bridge {self} is {self.cost_bps} bps; it must be 0 or more and below "
                f"{BPS_PER_UNIT}"
            )
        if not (self.cost_usd.is_finite() and self.cost_usd >= 0):
            raise BadValueError(
                f"cost of bridge {self} is {self.cost_usd} USD; it must not be negative"
            )

    def __str__(self) -> str:
        return "-".join(self.assets)


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLeg:
    """One direction of a bridge in whole raw units of both assets."""

    bridge: Bridge
    source_decimals: int
    target_decimals: int

    def amount_out(self, amount_in_raw: int) -> int:
        """Return what arrives, floored.

        Raises:
            BadValueError: no input.
        """
        if amount_in_raw < 1:
            raise BadValueError(f"amount_in_raw {amount_in_raw} of bridge {self.bridge}")
        return int(amount_in_raw * self._rate())

    def amount_in(self, amount_out_raw: int) -> int:
        """Return the least input of which at least this much arrives.

        Raises:
            BadValueError: nothing is asked.
        """
        if amount_out_raw < 1:
            raise BadValueError(f"amount_out_raw {amount_out_raw} of bridge {self.bridge}")
        exact = amount_out_raw / self._rate()
        return -(-exact.numerator // exact.denominator)

    def amount_taken(self, amount_in_raw: int) -> int:
        """Return the input: a bridge takes any."""
        return amount_in_raw

    def _rate(self) -> Fraction:
        kept = 1 - Fraction(self.bridge.cost_bps) / BPS_PER_UNIT
        return kept * Fraction(10) ** (self.target_decimals - self.source_decimals)
