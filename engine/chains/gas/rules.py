"""How gas is paid on each chain: the numbers of its rules, beside its row in `domain.chains`.

Read from the chains' own sources: go-ethereum, bor (`params`, `eip1559.go`: 65 % of the limit as
target, a part of 64, 5 % a block at most since Lisovo), the OP stack's specifications, BEP-226.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.chains.gas.base_fee import BaseFee, FeeRule
from engine.domain.chains import LIKE


@dataclass(frozen=True, slots=True, kw_only=True)
class GasRule:
    """How gas is paid on a chain.

    Attributes:
        takes_tips: whether a tip buys anything; Arbitrum gives it back.
        tip_wei_min: below it nobody takes a transaction in.
        price_wei_min: likewise of base fee and tip together.
    """

    base_fee: FeeRule
    takes_tips: bool = True
    tip_wei_min: int = 0
    price_wei_min: int = 0


_GWEI: Final = 10**9

LOCAL_RULE: Final = GasRule(base_fee=FeeRule(base_fee=BaseFee.FIXED))
"""Of a local node (anvil), whatever chain it poses as: it knows no other, and charges no bytes."""

_IN_HEADER: Final = GasRule(base_fee=FeeRule(base_fee=BaseFee.IN_HEADER))

GAS_RULES: Final[Mapping[str, GasRule]] = {
    "ethereum": GasRule(base_fee=FeeRule(base_fee=BaseFee.FIXED)),
    "bnb": GasRule(base_fee=FeeRule(base_fee=BaseFee.TOLD), price_wei_min=_GWEI // 20),
    "arbitrum": GasRule(base_fee=FeeRule(base_fee=BaseFee.TOLD), takes_tips=False),
    "base": _IN_HEADER,
    "optimism": _IN_HEADER,
    "polygon": GasRule(
        base_fee=FeeRule(
            base_fee=BaseFee.BOUNDED, target_percent=65, denominator=64, change_percent_max=5
        ),
        tip_wei_min=25 * _GWEI,
    ),
}


def gas_rule_of(network: str) -> GasRule:
    """Return how gas is paid on a chain; on a test network as on the chain that it is a copy of."""
    return GAS_RULES[LIKE.get(network, network)]
