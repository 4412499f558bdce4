"""degenbot 0.3 in its own process: its cycle over pools whose states are given, without a chain.

Its pools read the chain when they are made. Here they are made empty and given what their
calculations read; a pool with all its ticks takes its faster way through them.
"""

import threading
from fractions import Fraction
from typing import Any

from degenbot.arbitrage.uniswap_lp_cycle import (  # type: ignore[import-not-found, unused-ignore]
    UniswapLpCycle,
)
from degenbot.erc20_token import Erc20Token  # type: ignore[import-not-found, unused-ignore]
from degenbot.uniswap.types import (  # type: ignore[import-not-found, unused-ignore]
    UniswapV2PoolState,
    UniswapV3BitmapAtWord,
    UniswapV3LiquidityAtTick,
    UniswapV3PoolState,
)
from degenbot.uniswap.v2_liquidity_pool import (  # type: ignore[import-not-found, unused-ignore]
    UniswapV2Pool,
)
from degenbot.uniswap.v3_liquidity_pool import (  # type: ignore[import-not-found, unused-ignore]
    UniswapV3Pool,
)
from eth_utils.address import to_checksum_address  # type: ignore[import-not-found, unused-ignore]

from benchmarks.peers.worker import Answer, Task, serve, time_calls

ROUNDS = 10


def _token(address: str) -> Any:
    token = Erc20Token.__new__(Erc20Token)
    token.address = to_checksum_address(address)
    token.symbol = token.name = address[:6]
    token.decimals = 18
    return token


def _fill(pool: Any, leg: Task, number: int) -> Any:
    pool.address = to_checksum_address(f"0x{number:040x}")
    pool.token0, pool.token1 = (_token(address) for address in leg["tokens"])
    pool.name = f"pool {number}"
    vars(pool).update(
        _subscribers=set(), _state_lock=threading.Lock(), _chain_id=1, _update_block=1
    )
    return pool


def _pair(leg: Task, number: int) -> Any:
    pool = _fill(UniswapV2Pool.__new__(UniswapV2Pool), leg, number)
    pool.fee_token0 = pool.fee_token1 = Fraction(*leg["fee"])
    first, second = leg["reserves_raw"]
    vars(pool)["_state"] = UniswapV2PoolState(
        pool=pool.address, reserves_token0=first, reserves_token1=second
    )
    return pool


def _concentrated(leg: Task, number: int) -> Any:
    pool = _fill(UniswapV3Pool.__new__(UniswapV3Pool), leg, number)
    pool.fee, pool.tick_spacing = leg["fee_pips"], leg["tick_spacing"]
    pool.sparse_liquidity_map = False
    words: dict[int, int] = {}
    for tick in map(int, leg["nets"]):
        step = tick // pool.tick_spacing
        words[step >> 8] = words.get(step >> 8, 0) | 1 << (step & 255)
    vars(pool)["_state"] = UniswapV3PoolState(
        pool=pool.address,
        liquidity=leg["liquidity"],
        sqrt_price_x96=leg["sqrt_price_x96"],
        tick=leg["tick"],
        tick_bitmap={word: UniswapV3BitmapAtWord(bitmap=bits) for word, bits in words.items()},
        tick_data={
            int(tick): UniswapV3LiquidityAtTick(liquidity_net=net, liquidity_gross=abs(net))
            for tick, net in leg["nets"].items()
        },
    )
    return pool


def answer(tasks: list[Task]) -> list[Answer]:
    """Size every cycle and time it."""
    answers = []
    for task in tasks:
        pools = [
            (_pair if leg["kind"] == "v2" else _concentrated)(leg, number)
            for number, leg in enumerate(task["legs"], start=1)
        ]
        cycle = UniswapLpCycle(
            input_token=_token(task["token"]),
            swap_pools=pools,
            id="benchmark",
            max_input=task["input_raw_max"],
        )
        found = cycle.calculate()
        durations = time_calls(cycle.calculate, ROUNDS)
        answers.append(
            {"input": found.input_amount, "gain": found.profit_amount, "durations_ns": durations}
        )
    return answers


if __name__ == "__main__":
    serve(answer)
