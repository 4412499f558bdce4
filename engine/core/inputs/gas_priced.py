"""Gas, and on rollups the bytes of a transaction, have another price on a chain."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.domain.gas import GasPrice, Tips


class GasPriced(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction costs on a chain from now on; see `GasPrice`.

    In recordings of earlier versions bytes cost nothing, and nobody says what is a tip.
    """

    chain: str
    gwei: Decimal
    data_fixed_raw: int = 0
    data_leg_raw: int = 0
    now_gwei: Decimal | None = None
    tips: Tips | None = None

    def __post_init__(self) -> None:
        _ = self.price

    @property
    def price(self) -> GasPrice:
        """Return the price.

        Raises:
            BadValueError: it is none.
        """
        return GasPrice(
            gwei=self.gwei,
            data_fixed_raw=self.data_fixed_raw,
            data_leg_raw=self.data_leg_raw,
            now_gwei=self.now_gwei,
            tips=self.tips,
        )


def _take(core: Middle, given: Input[GasPriced]) -> Answers:
    core.pools.price_gas(given.payload.chain, given.payload.price, given.at_ns)
    return NO_ANSWERS


GAS_PRICED: Final = Kind(
    number=12, name="gas_priced", payload=GasPriced, take=_take, after=Pipeline.after_block
)
