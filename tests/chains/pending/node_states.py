"""What a node says of pools, in few words: enough to know whether a swap changed them."""

from typing import Any

from engine.domain.pools import Pool, Protocol
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState
from engine.sandbox.world.abi import call_data, decode
from engine.sandbox.world.rpc import Rpc
from tests.reference.create2 import keccak

POOLS_SLOT = 6
LIQUIDITY_OFFSET = 3

Brief = tuple[int, ...]


def brief(state: PoolState) -> Brief:
    """Return what a swap changes of a state."""
    match state:
        case ConstantProductState():
            return state.reserve0_raw, state.reserve1_raw
        case ConcentratedState():
            return state.sqrt_price_x96, state.tick, state.liquidity
    raise AssertionError(state)


def briefs_at(rpc: Rpc, manager: str, pools: list[Pool]) -> dict[str, Brief]:
    """Ask the node for the same of all pools at its newest block."""
    asked: list[tuple[str, str]] = []
    for pool in pools:
        if pool.protocol is Protocol.UNISWAP_V2:
            asked.append((pool.address, call_data("getReserves()")))
        elif pool.protocol is Protocol.UNISWAP_V3:
            asked += [
                (pool.address, call_data("slot0()")),
                (pool.address, call_data("liquidity()")),
            ]
        else:
            slot = int.from_bytes(keccak(bytes.fromhex(pool.address[2:]) + POOLS_SLOT.to_bytes(32)))
            asked += [
                (manager, call_data("extsload(bytes32)", at.to_bytes(32)))
                for at in (slot, slot + LIQUIDITY_OFFSET)
            ]
    said = iter(
        rpc.ask_all([("eth_call", ({"to": to, "data": data}, "latest")) for to, data in asked])
    )
    return {pool.address: _brief(pool, said) for pool in pools}


def _brief(pool: Pool, said: Any) -> Brief:
    if pool.protocol is Protocol.UNISWAP_V2:
        reserves = decode(("uint112", "uint112"), next(said))
        return tuple(reserves)
    if pool.protocol is Protocol.UNISWAP_V3:
        price, tick = decode(("uint160", "int24"), next(said))
        return price, tick, int(next(said), 16)
    word = int(next(said), 16)
    tick = word >> 160 & (1 << 24) - 1
    signed = tick - (1 << 24) if tick >> 23 else tick
    return word & (1 << 160) - 1, signed, int(next(said), 16) & (1 << 128) - 1
