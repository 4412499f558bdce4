"""What a transaction costs on a chain: its gas, and on rollups its bytes."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.errors import BadValueError

GWEI_MAX: Final = Decimal(10**9)
DATA_RAW_MAX: Final = 10**21
"""A thousand of a chain's own asset: no transaction's bytes ever cost that."""


class GasPrice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a unit of gas costs on a chain, and what the bytes of a transaction cost beside it.

    Attributes:
        gwei: of the chain's own asset, in billionths.
        data_fixed_raw: in its least units, what the bytes of any transaction cost.
        data_leg_raw: what those of each of its swaps cost more.
        now_gwei: what the newest block took, if somebody says; the price is of the next one.
    """

    gwei: Decimal
    data_fixed_raw: int = 0
    data_leg_raw: int = 0
    now_gwei: Decimal | None = None

    def __post_init__(self) -> None:
        for gwei in (self.gwei, self.now_gwei or Decimal(0)):
            if not (gwei.is_finite() and 0 <= gwei <= GWEI_MAX):
                raise BadValueError(f"gas price is {gwei} gwei; it must be from 0 to {GWEI_MAX}")
        for raw in (self.data_fixed_raw, self.data_leg_raw):
            if not 0 <= raw <= DATA_RAW_MAX:
                raise BadValueError(f"a data fee of {raw} wei; it must be from 0 to {DATA_RAW_MAX}")

    def data_raw(self, legs: int) -> int:
        """Return what the bytes of a transaction of so many swaps cost."""
        return self.data_fixed_raw + legs * self.data_leg_raw if legs else 0
