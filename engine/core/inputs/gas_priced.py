"""Gas has another price on a chain."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline


class GasPriced(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit of gas costs on a chain from now on."""

    chain: str
    gwei: Decimal


def _take(core: Middle, given: Input[GasPriced]) -> Answers:
    core.pools.price_gas(given.payload.chain, given.payload.gwei)
    return NO_ANSWERS


GAS_PRICED: Final = Kind(
    number=12, name="gas_priced", payload=GasPriced, take=_take, after=Pipeline.after_block
)
