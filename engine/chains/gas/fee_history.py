"""What newest blocks were paid, as `eth_feeHistory` tells, and the tip that the next one will take.

On recorded prices nothing foretold the next one better than the last one (docs/campaigns.md); so
the newest block counts, held within what the blocks before it were paid: one block with an absurd
price moves the forecast by no more than a factor.
"""

from collections.abc import Sequence
from statistics import median_low
from typing import Final

import msgspec

from engine.chains.gas.base_fee import BASE_FEE_MAX_WEI
from engine.chains.ports import Json
from engine.chains.rpc.parsing import BLOCK_NUMBER_MAX, parse_quantity
from engine.domain.block_facts import TIP_PERCENTILES
from engine.domain.errors import BadValueError

BLOCKS: Final = 20
MEDIAN: Final = TIP_PERCENTILES.index(50)
FACTOR_MAX: Final = 2
"""How many times the median of the blocks the newest one may be."""


class PaidBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A block, and the tip that half of its gas paid at most; 0 if it is empty.

    Attributes:
        tips_wei: that other shares of its gas paid at most, see `TIP_PERCENTILES`.
    """

    base_fee_wei: int
    used_ratio: float
    tip_wei: int
    tips_wei: tuple[int, ...] = ()


class FeeHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Newest blocks, the oldest first.

    Attributes:
        newest: number of the last one.
        next_base_fee_wei: of the block after it, as the node works it out.
    """

    newest: int
    blocks: tuple[PaidBlock, ...]
    next_base_fee_wei: int


def read_fee_history(said: Json) -> FeeHistory:
    """Read the answer to `eth_feeHistory` with `TIP_PERCENTILES`.

    Raises:
        BadValueError: it cannot be true.
    """
    if not isinstance(said, dict):
        raise BadValueError("the fee history is no object")
    used, fees = said.get("gasUsedRatio"), said.get("baseFeePerGas")
    rewards = said.get("reward")
    if not isinstance(used, list) or not isinstance(fees, list) or not isinstance(rewards, list):
        raise BadValueError("the fee history lacks one of its lists")
    count = len(used)
    if not 0 < count <= BLOCKS or len(fees) != count + 1 or len(rewards) != count:
        raise BadValueError(
            f"the fee history has {len(fees)} base fees and {len(rewards)} rewards"
            f" of {count} blocks, {BLOCKS} at most"
        )
    fees_wei = [_fee(one, "a base fee") for one in fees]
    blocks = tuple(
        PaidBlock(base_fee_wei=fee, used_ratio=_ratio(ratio), tip_wei=tips[MEDIAN], tips_wei=tips)
        for fee, ratio, tips in zip(fees_wei, used, map(_tips, rewards), strict=False)
    )
    oldest = parse_quantity(
        said.get("oldestBlock"), "the oldest block of the fee history", most=BLOCK_NUMBER_MAX
    )
    return FeeHistory(newest=oldest + count - 1, blocks=blocks, next_base_fee_wei=fees_wei[count])


def tip_forecast_wei(paid: Sequence[int], *, least_wei: int = 0) -> int:
    """Return the tip that the next block will take.

    Args:
        paid: by newest blocks that were not empty, the oldest first.
        least_wei: that the chain takes.
    """
    if not paid:
        return least_wei
    return max(min(paid[-1], FACTOR_MAX * median_low(paid)), least_wei)


def _fee(said: Json, what: str) -> int:
    return parse_quantity(said, what, most=BASE_FEE_MAX_WEI)


def _tips(said: Json) -> tuple[int, ...]:
    if not isinstance(said, list) or len(said) != len(TIP_PERCENTILES):
        raise BadValueError(f"the fee history has not {len(TIP_PERCENTILES)} rewards of each block")
    return tuple(_fee(one, "a reward") for one in said)


def _ratio(said: Json) -> float:
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        raise BadValueError("a share of gas in the fee history is no number")
    if not 0 <= said <= 1:
        raise BadValueError("a share of gas in the fee history is not from 0 to 1")
    return float(said)
