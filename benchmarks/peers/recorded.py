"""Cycles through recorded pools, in which one pool was moved by a trade so that they gain.

The pools are those under tests/data/pools/uniswap: a pair and a V3 pool of WBTC and WETH of one
block of Ethereum, and three V3 pools with all their ticks. Each cycle starts and ends in WETH; its
first pool was sold the token that the cycle buys there, which makes it cheap. Trades of many sizes
make many cases of one kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.pools import concentrated, constant_product
from engine.pools.concentrated import ConcentratedState, swap_exact_in
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import PIPS
from engine.pools.snapshot_rows import ConcentratedRow, PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.pools.uniswap_states import load, make_state

CASES = 20
MOVE_MIN, MOVE_MAX = 0.01, 0.03
"""Of the moved pool's price."""

INPUT_RAW_MAX = 10_000 * 10**18

WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
WBTC = "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599"
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"

DECIMALS = {WETH: 18, WBTC: 8, USDC: 6}
CODES = {WETH: AssetCode("ETH"), WBTC: AssetCode("WBTC"), USDC: AssetCode("USDC")}

TYCHO_FEES = {"Low": 500, "Medium": 3000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One pool of a cycle and the token that goes in."""

    tokens: tuple[str, str]
    state: ConstantProductState | ConcentratedState
    token_in: int


Cycle = tuple[Leg, ...]


def _pair() -> Leg:
    held = load("degenbot/uniswap_v2_wbtc_weth_17600000.json")
    state = ConstantProductState.of(
        reserve0_raw=held["reserves_token0"],
        reserve1_raw=held["reserves_token1"],
        fee0=Fraction(held["fee_token0"]),
    )
    return Leg(tokens=(WBTC, WETH), state=state, token_in=0)


def _pool_of_the_same_block() -> Leg:
    held = load("degenbot/uniswap_v3_wbtc_weth_17600000.json.xz")
    nets = [(int(tick), row["liquidity_net"]) for tick, row in held["tick_data"].items()]
    state = make_state(held, nets, known=(min(nets)[0], max(nets)[0]))
    return Leg(tokens=(WBTC, WETH), state=state, token_in=0)


def _pool(index: int, tokens: tuple[str, str]) -> Leg:
    recorded = load("tycho/states.json.xz")[index]["state"]["state"]
    ticks = recorded["ticks"]["ticks"]
    state = make_state(
        {
            "sqrt_price_x96": int(recorded["sqrt_price"], 16),
            "tick": recorded["tick"],
            "liquidity": recorded["liquidity"],
            "fee": TYCHO_FEES[recorded["fee"]],
            "tick_spacing": recorded["ticks"]["tick_spacing"],
        },
        [(tick["index"], tick["net_liquidity"]) for tick in ticks],
    )
    return Leg(tokens=tokens, state=state, token_in=0)


def _into(leg: Leg, token: str) -> Leg:
    return replace(leg, token_in=leg.tokens.index(token))


def _moved(leg: Leg, ratio: float) -> Leg:
    """Sell into a pool the token that the cycle takes out of it."""
    sold, state = 1 - leg.token_in, leg.state
    if isinstance(state, ConstantProductState):
        reserves = [state.reserve0_raw, state.reserve1_raw]
        factor = (1.0 + ratio) ** 0.5
        reserves[sold] = int(reserves[sold] * factor)
        reserves[1 - sold] = int(reserves[1 - sold] / factor) + 1
        return replace(
            leg, state=replace(state, reserve0_raw=reserves[0], reserve1_raw=reserves[1])
        )
    factor = (1.0 + ratio) ** 0.5
    price = state.sqrt_price_x96
    limit = int(price / factor) if sold == 0 else int(price * factor)
    after = swap_exact_in(state, 10**40, token_in=sold, sqrt_price_limit_x96=limit)
    moved = replace(
        state, sqrt_price_x96=after.sqrt_price_x96, tick=after.tick, liquidity=after.liquidity
    )
    return replace(leg, state=moved)


def _fork(leg: Leg) -> Leg:
    """A pair of the same price, two thirds as deep."""
    state = leg.state
    assert isinstance(state, ConstantProductState)
    return replace(
        leg,
        state=replace(
            state,
            reserve0_raw=state.reserve0_raw * 2 // 3,
            reserve1_raw=state.reserve1_raw * 2 // 3,
        ),
    )


def cycles() -> Iterator[tuple[str, list[Cycle]]]:
    """Yield (kind, cases of it)."""
    pair, near = _pair(), _pool_of_the_same_block()
    cheap, dear = _pool(0, (USDC, WETH)), _pool(3, (USDC, WETH))
    bitcoin, dollars = _pool(6, (WBTC, WETH)), _pool(1, (WBTC, USDC))
    kinds: dict[str, Cycle] = {
        "v2 x v2": (_into(pair, WETH), _into(_fork(pair), WBTC)),
        "v2 x v3": (_into(pair, WETH), _into(near, WBTC)),
        "v3 x v3": (_into(dear, WETH), _into(cheap, USDC)),
        "v3 x v3 x v3": (_into(bitcoin, WETH), _into(dollars, WBTC), _into(dear, USDC)),
    }
    for kind, legs in kinds.items():
        moves = [MOVE_MIN + (MOVE_MAX - MOVE_MIN) * k / (CASES - 1) for k in range(CASES)]
        yield kind, [(_moved(legs[0], move), *legs[1:]) for move in moves]


def prepare(leg: Leg) -> PreparedPool:
    """Prepare a leg's pool as the engine does when it gets to know it."""
    state = leg.state
    row: PairRow | ConcentratedRow
    if isinstance(state, ConstantProductState):
        protocol, fee_ratio = (
            Protocol.UNISWAP_V2,
            Decimal(state.fee0_numerator) / state.fee_denominator,
        )
        row = PairRow(reserve0_raw=str(state.reserve0_raw), reserve1_raw=str(state.reserve1_raw))
    else:
        table = state.table
        protocol, fee_ratio = Protocol.UNISWAP_V3, Decimal(state.fee_pips) / PIPS
        row = ConcentratedRow(
            sqrt_price_x96=str(state.sqrt_price_x96),
            tick=state.tick,
            liquidity=str(state.liquidity),
            tick_spacing=table.tick_spacing,
            ticks=tuple(
                (tick, str(net))
                for tick, net in zip(table.ticks, table.liquidity_nets, strict=True)
            ),
            known_min=table.known_min,
            known_max=table.known_max,
        )
    pool = Pool(
        chain="ethereum",
        protocol=protocol,
        address="0x1",
        tokens=tuple((CODES[token], DECIMALS[token]) for token in leg.tokens),
        fee_ratio=fee_ratio,
        gas_units=1,
    )
    return prepare_pool(PoolSnapshot(pool=pool, row=row))


def gain_of(cycle: Cycle, input_raw: int) -> int:
    """Return what the exact forms give for an input, as the contracts would, less the input."""
    amount = input_raw
    for leg in cycle:
        state = leg.state
        if isinstance(state, ConstantProductState):
            amount = constant_product.amount_out(state, amount, token_in=leg.token_in)
        else:
            amount = concentrated.amount_out(state, amount, token_in=leg.token_in)
    return amount - input_raw


def as_task(cycle: Cycle) -> dict[str, Any]:
    """Write a cycle as peers read it."""
    return {
        "token": WETH,
        "input_raw_max": INPUT_RAW_MAX,
        "legs": [_as_json(leg) for leg in cycle],
    }


def _as_json(leg: Leg) -> dict[str, Any]:
    common = {"tokens": leg.tokens, "is_from_first": leg.token_in == 0}
    state = leg.state
    if isinstance(state, ConstantProductState):
        return common | {
            "kind": "v2",
            "reserves_raw": [state.reserve0_raw, state.reserve1_raw],
            "fee": [state.fee0_numerator, state.fee_denominator],
        }
    return common | {
        "kind": "v3",
        "sqrt_price_x96": state.sqrt_price_x96,
        "tick": state.tick,
        "liquidity": state.liquidity,
        "fee_pips": state.fee_pips,
        "tick_spacing": state.table.tick_spacing,
        "nets": dict(zip(state.table.ticks, state.table.liquidity_nets, strict=True)),
    }
