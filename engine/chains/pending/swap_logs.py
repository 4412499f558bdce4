"""What swaps in blocks were: which token went into a pool, how much, and what came out.

Concentrated pools and Balancer's vault tell amounts in their swap events. Pairs tell their reserves
at each change: a swap is one where one of them rose and the other one fell. Of a Solidly pool the
fee goes elsewhere, so that the input is reckoned from what stayed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from engine.chains.families.words import check_words, signed, topic, unsigned
from engine.chains.ports import Log
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import divide_up
from engine.pools.snapshot_rows import PoolState
from engine.pools.solidly import FEE_ONE_E6, SolidlyState

_VAULT_TOPICS: Final = 4
"""Kind, pool, token in, token out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapAmounts:
    """A swap: indices of tokens in their pool, and amounts."""

    token_in: int
    token_out: int
    amount_in_raw: int
    amount_out_raw: int


def amounts_of(pool: Pool, log: Log, before: PoolState, after: PoolState) -> SwapAmounts | None:
    """Return the swap that an event tells of; nothing of another event.

    Raises:
        BadValueError: it cannot be a swap of such a pool.
    """
    match before, after:
        case ConstantProductState(), ConstantProductState():
            return _of_reserves(
                after.reserve0_raw - before.reserve0_raw, after.reserve1_raw - before.reserve1_raw
            )
        case SolidlyState(), SolidlyState():
            return _of_solidly(before, after)
    read = _READ.get(log.topics[0]) if log.topics else None
    return None if read is None else read(pool, log)


def _of_reserves(flow0_raw: int, flow1_raw: int) -> SwapAmounts | None:
    is_swap = flow0_raw * flow1_raw < 0
    return _of_flows(flow0_raw, flow1_raw) if is_swap else None


def _of_solidly(before: SolidlyState, after: SolidlyState) -> SwapAmounts | None:
    flows = [now - was for now, was in zip(after.reserves_raw, before.reserves_raw, strict=True)]
    swap = _of_reserves(flows[0], flows[1])
    if swap is None:
        return None
    paid_raw = divide_up(swap.amount_in_raw * FEE_ONE_E6, FEE_ONE_E6 - before.fee_e6)
    return replace(swap, amount_in_raw=paid_raw)


def _of_concentrated(words: int, sign: int) -> Callable[[Pool, Log], SwapAmounts]:
    """Read signed amounts: what comes in is positive, in V4 negative."""

    def read(_pool: Pool, log: Log) -> SwapAmounts:
        data = check_words(log.data, words, what="a Swap")
        return _of_flows(sign * signed(data, 0), sign * signed(data, 1))

    return read


def _of_vault(pool: Pool, log: Log) -> SwapAmounts:
    """Read a swap of Balancer's vault."""
    data = check_words(log.data, 2, what="a vault's Swap")
    if len(log.topics) != _VAULT_TOPICS:
        raise BadValueError(f"a vault's Swap of {len(log.topics)} topics")
    token_in, token_out = (
        _index_of(pool, "0x" + one.hex()[-40:]) for one in log.topics[2:_VAULT_TOPICS]
    )
    return SwapAmounts(
        token_in=token_in,
        token_out=token_out,
        amount_in_raw=unsigned(data, 0),
        amount_out_raw=unsigned(data, 1),
    )


def _index_of(pool: Pool, token: str) -> int:
    if token not in pool.token_addresses:
        raise BadValueError(f"{token} is no token of pool {pool.pool_id}")
    return pool.token_addresses.index(token)


def _of_flows(flow0_raw: int, flow1_raw: int) -> SwapAmounts:
    """Take what flowed into the pool of either token."""
    token_in = 0 if flow0_raw > 0 else 1
    paid_raw, got_raw = (flow0_raw, -flow1_raw) if token_in == 0 else (flow1_raw, -flow0_raw)
    if paid_raw <= 0 or got_raw < 0:
        raise BadValueError(f"a swap of {flow0_raw} and {flow1_raw}")
    return SwapAmounts(
        token_in=token_in,
        token_out=1 - token_in,
        amount_in_raw=paid_raw,
        amount_out_raw=got_raw,
    )


_READ: Final[Mapping[bytes, Callable[[Pool, Log], SwapAmounts]]] = {
    topic("Swap(address,address,int256,int256,uint160,uint128,int24)"): _of_concentrated(5, 1),
    topic(
        "Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)"
    ): _of_concentrated(7, 1),
    topic("Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)"): _of_concentrated(
        6, -1
    ),
    topic("Swap(bytes32,address,address,uint256,uint256)"): _of_vault,
}
