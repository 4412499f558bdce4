"""What is known of an account as a whole: what is outside of our fills, and what these came to."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum


class VenueMark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of an account as a whole.

    Attributes:
        turned: what all fills of ours that are known came to, by asset.
        moved: what transfers of ours are known to have brought, by asset; below 0 what they took.
        outside: what there is beside that, as it was adopted; None before anything was read.
        clean_at_ms: when all that the venue shows was last found to be what is written (wall
            clock); 0 before it was.
        since_ms: fills are compared from then on (the venue's clock, with a margin).
        halted: why a person has to look at it before any order is taken on; empty if nobody has.
    """

    turned: dict[AssetCode, Decimal] = {}
    moved: dict[AssetCode, Decimal] = {}
    outside: dict[AssetCode, Decimal] | None = None
    clean_at_ms: int = 0
    since_ms: int = 0
    halted: str = ""

    @property
    def expected(self) -> dict[AssetCode, Decimal] | None:
        """What the venue should show that we have; None before anything was read."""
        return None if self.outside is None else added(self.outside, self.ours)

    @property
    def ours(self) -> dict[AssetCode, Decimal]:
        """What fills and transfers came to together."""
        return added(self.turned, self.moved)


def added(
    one: Mapping[AssetCode, Decimal], other: Mapping[AssetCode, Decimal]
) -> dict[AssetCode, Decimal]:
    """Add amounts by asset; what comes to nothing is left out."""
    total = {
        asset: exact_sum((one.get(asset, Decimal(0)), other.get(asset, Decimal(0))))
        for asset in {*one, *other}
    }
    return {asset: amount for asset, amount in sorted(total.items()) if amount}


def negative(amounts: Mapping[AssetCode, Decimal]) -> dict[AssetCode, Decimal]:
    """Return amounts with the other sign, exactly."""
    return {asset: amount.copy_negate() for asset, amount in amounts.items()}
