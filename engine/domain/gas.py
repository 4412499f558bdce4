"""What a transaction costs on a chain: its gas, and on rollups its bytes."""

from decimal import ROUND_CEILING, Decimal
from math import ceil
from typing import Final

import msgspec

from engine.domain.errors import BadValueError

GWEI_MAX: Final = Decimal(10**9)
_GWEI_STEP: Final = Decimal("1e-9")
DATA_RAW_MAX: Final = 10**21
"""A thousand of a chain's own asset: no transaction's bytes ever cost that."""

LIMIT_PARTS: Final = (13, 10)
"""A transaction's limit is so many times what it uses: refunds, a fifth at most, come after it, and
pools move meanwhile."""

GROWTH_PARTS: Final = 8
"""A full block lets the base fee of the next one grow by one part of so many (EIP-1559); no chain
of ours has a faster rule by blocks."""


def grown_wei(wei: int, blocks: int) -> int:
    """Return what a base fee may have become after so many full blocks."""
    for _ in range(blocks if wei else 0):
        wei += wei // GROWTH_PARTS + 1
    return wei


def with_margin(units: int) -> int:
    """Return the limit of a transaction that uses so much."""
    more, parts = LIMIT_PARTS
    return -(units * more // -parts)


class Tips(msgspec.Struct, frozen=True, kw_only=True):
    """What a chain's newest blocks were tipped, in gwei.

    Attributes:
        now: what the price reckons with.
        least, most: within what another tip can be meant.
    """

    now: Decimal
    least: Decimal
    most: Decimal

    def __post_init__(self) -> None:
        if not all(one.is_finite() for one in (self.now, self.least, self.most)):
            raise BadValueError(f"tips of {self.least}, {self.now} and {self.most} gwei")
        if not 0 <= self.least <= self.now <= self.most <= GWEI_MAX:
            raise BadValueError(
                f"a tip of {self.now} gwei between {self.least} and {self.most}; {GWEI_MAX} at most"
            )

    def nearest(self, gwei: Decimal) -> Decimal:
        """Return what can be meant that is nearest to a tip."""
        return min(max(gwei, self.least), self.most)


class GasPrice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a unit of gas costs on a chain, and what the bytes of a transaction cost beside it.

    Attributes:
        gwei: of the chain's own asset, in billionths.
        data_fixed_raw: in its least units, what the bytes of any transaction cost.
        data_leg_raw: what those of each of its swaps cost more.
        now_gwei: what the newest block took, if somebody says; the price is of the next one.
        tips: of what in the price is a tip; None where none is taken, or nobody says.
    """

    gwei: Decimal
    data_fixed_raw: int = 0
    data_leg_raw: int = 0
    now_gwei: Decimal | None = None
    tips: Tips | None = None

    def __post_init__(self) -> None:
        for gwei in (self.gwei, self.now_gwei or Decimal(0)):
            if not (gwei.is_finite() and 0 <= gwei <= GWEI_MAX):
                raise BadValueError(f"gas price is {gwei} gwei; it must be from 0 to {GWEI_MAX}")
        for raw in (self.data_fixed_raw, self.data_leg_raw):
            if not 0 <= raw <= DATA_RAW_MAX:
                raise BadValueError(f"a data fee of {raw} wei; it must be from 0 to {DATA_RAW_MAX}")
        if self.tips is not None and self.tips.now > self.gwei:
            raise BadValueError(f"a tip of {self.tips.now} gwei in a price of {self.gwei} gwei")

    def bidding(self, tip_gwei: Decimal) -> "GasPrice":
        """Return it with another tip, as near to this one as can be meant."""
        if self.tips is None:
            return self
        tip = self.tips.nearest(tip_gwei)
        gwei = min(self.gwei - self.tips.now + tip, GWEI_MAX)
        return msgspec.structs.replace(
            self, gwei=gwei, tips=Tips(now=tip, least=self.tips.least, most=self.tips.most)
        )

    def times(self, ratio: Decimal) -> "GasPrice":
        """Return it so many times as dear, the bytes too; `ratio` is 1 or more."""
        return msgspec.structs.replace(
            self,
            gwei=min((self.gwei * ratio).quantize(_GWEI_STEP, ROUND_CEILING), GWEI_MAX),
            data_fixed_raw=min(ceil(self.data_fixed_raw * ratio), DATA_RAW_MAX),
            data_leg_raw=min(ceil(self.data_leg_raw * ratio), DATA_RAW_MAX),
        )

    def data_raw(self, legs: int) -> int:
        """Return what the bytes of a transaction of so many swaps cost."""
        return self.data_fixed_raw + legs * self.data_leg_raw if legs else 0
