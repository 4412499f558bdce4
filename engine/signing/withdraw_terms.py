"""What the operator allows to be withdrawn from exchanges, apart from what anybody asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination

UNITS: Final = 100_000_000
"""Amounts are counted in hundred-millionths of an asset, rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawTerms:
    """What may be withdrawn at all.

    Attributes:
        is_real: with real money; else at the sandbox's exchanges.
        venues: from which may be withdrawn; empty where nothing is.
        allowed: where to.
        names: by ``kraken/binance/BTC/bitcoin`` what the first calls the address of the second.
        each, day: by asset the most of one transfer, and of a UTC day; nothing where it is unnamed.
        test: by asset the most that goes first.
        delay_ns: between a person's word and the first withdrawal.
        usd_least: by asset, what one of it is reckoned with at the least.
        two_people_usd: what is worth as much is no transfer for one person; None for no bound.
        vouched: by venue the name of a withdraw key of which a person says that it cannot trade.
    """

    is_real: bool = False
    venues: tuple[str, ...] = ()
    allowed: tuple[Destination, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    each: Mapping[AssetCode, Decimal] = field(default_factory=dict)
    day: Mapping[AssetCode, Decimal] = field(default_factory=dict)
    test: Mapping[AssetCode, Decimal] = field(default_factory=dict)
    delay_ns: int = 0
    usd_least: Mapping[str, Decimal] = field(default_factory=dict)
    two_people_usd: Decimal | None = None
    vouched: Mapping[str, str] = field(default_factory=dict)

    def named(self, source: str, to: Destination) -> str:
        """Return what the source calls an address, empty if nobody said."""
        return self.names.get(f"{source}/{to.venue}/{to.asset}/{to.chain}", "")


NO_WITHDRAWALS: Final = WithdrawTerms()


def day_cap(asset: str) -> str:
    """Name the cap of what is withdrawn of an asset in a day."""
    return f"hundred-millionths of {asset} withdrawn"


def withdraw_caps(terms: WithdrawTerms) -> dict[str, int]:
    """Return the caps of a day."""
    if not terms.venues:
        return {}
    return {day_cap(asset): int(most * UNITS) for asset, most in terms.day.items()}


def units_of(amount: Decimal) -> int:
    """Return what an amount counts for."""
    return int((amount * UNITS).to_integral_value(ROUND_CEILING))
