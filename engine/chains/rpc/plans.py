"""What providers allow, in their own units: a table by host, which the settings may better.

What a method costs is as the providers publish it (Alchemy "compute unit costs" and "throughput",
Infura/MetaMask "credit cost", QuickNode and Chainstack "rate limits"), the rate that of a free key
and of its throughput, where that counts otherwise than the bill. Who is not in
the table is asked as fast as it answers, and obeyed when it refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from engine.chains.rpc.messages import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a key may ask.

    Attributes:
        unit: what the provider counts in.
        units_per_s: how much over time, None without a bound that is known.
        burst_s: so many seconds' worth may go out at once after a pause.
        costs: by method; any other costs `cost`.
        batch_cost: of a batch, beside what is in it.
    """

    unit: str = "requests"
    units_per_s: float | None = None
    burst_s: float = 1.0
    costs: Mapping[str, int] = field(default_factory=dict)
    cost: int = 1
    batch_cost: int = 0

    def cost_of(self, asked: Sequence[Asked]) -> int:
        """Return what these questions cost together."""
        alone = sum(self.costs.get(method, self.cost) for method, _ in asked)
        return alone + self.batch_cost if len(asked) > 1 else alone


_ALCHEMY: Final = Plan(
    unit="compute units",
    units_per_s=500,
    burst_s=8.0,  # its window is 10 s
    cost=26,
    costs={
        "eth_blockNumber": 10,
        "eth_chainId": 0,
        "eth_subscribe": 10,
        "eth_feeHistory": 10,
        "eth_maxPriorityFeePerGas": 10,
        "eth_getTransactionReceipt": 20,
        "eth_getTransactionByHash": 20,
        "eth_getBlockByNumber": 20,
        "eth_getBlockByHash": 20,
        "eth_getBlockReceipts": 500,
        "eth_gasPrice": 20,
        "eth_getBalance": 20,
        "eth_getCode": 20,
        "eth_getStorageAt": 20,
        "eth_call": 26,
        "eth_getLogs": 60,
        "eth_estimateGas": 20,
        "eth_sendRawTransaction": 250,
    },
)
_INFURA: Final = Plan(
    unit="credits",
    units_per_s=500,
    cost=80,
    batch_cost=80,
    costs={"eth_chainId": 5, "eth_subscribe": 5, "eth_getLogs": 255, "eth_estimateGas": 300},
)

PLANS: Final[Mapping[str, Plan]] = {
    "alchemy.com": _ALCHEMY,
    "infura.io": _INFURA,
    "quiknode.pro": Plan(units_per_s=15),
    "chainstack.com": Plan(units_per_s=25),
}


def plan_for(host: str, rates: Mapping[str, float]) -> Plan:
    """Return what a host allows; `rates` are units per second by host, of dearer keys."""
    name = host.lower().rstrip(".")
    plan = next((one for end, one in PLANS.items() if _is_of(name, end)), Plan())
    rate = next((one for end, one in rates.items() if _is_of(name, end)), None)
    return plan if rate is None else replace(plan, units_per_s=rate)


def _is_of(name: str, end: str) -> bool:
    return name == end or name.endswith("." + end)
