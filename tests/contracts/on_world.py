"""The contract on a local world: deployed, sent routes to, and what exact pools foretell of it."""

from collections.abc import Sequence
from typing import Any

from engine.chains.families.family_list import families_of
from engine.chains.ports import PoolNow, Reader
from engine.chains.rpc.parsing import parse_block
from engine.detect.sizing.exact import leg_of
from engine.domain.pools import Protocol
from engine.domain.routes_on_chain import (
    ChainHop,
    ChainRoute,
    ConcentratedHop,
    PairHop,
    Source,
    SourceKind,
    V4Hop,
    VaultHop,
)
from engine.sandbox.world.abi import ZERO
from engine.sandbox.world.hands import GAS_MAX
from engine.sandbox.world.values import WorldPool
from engine.sending.contract_code import DIRECT, creation_code
from engine.sending.encoding import calldata
from engine.tools.verify_local import pool_of
from tests.chains.included import included
from tests.chains.local_world import LocalWorld

RECOVERY = "0x" + "4e" * 20
FOR_EVER = 2**40 - 1


def deploy(world: LocalWorld) -> str:
    """Deploy it for the world's second account, which may send routes."""
    hands = world.hands()
    code = creation_code(DIRECT, world.token("WETH").address, RECOVERY, hands.me)
    contract = hands.deploy("0x" + code.hex())
    hands.send(contract, "setExecutor(address,bool)", hands.me, True)
    hands.flush()
    return contract


def send(world: LocalWorld, route: ChainRoute) -> dict[str, Any]:
    """Send a route as it is encoded; return the receipt."""
    sent = {
        "from": world.hands().me,
        "to": route.contract,
        "data": "0x" + calldata(route).hex(),
        "gas": hex(GAS_MAX),
    }
    return included(world.rpc, world.rpc.ask("eth_sendTransaction", sent))


def hop_of(world: LocalWorld, pool: WorldPool, symbol_in: str, symbol_out: str) -> ChainHop:
    """Return the hop through a pool of the world."""
    token_in, token_out = world.token(symbol_in).address, world.token(symbol_out).address
    weth = world.token("WETH").address
    match pool.protocol:
        case Protocol.UNISWAP_V2:
            return PairHop(
                pool=pool.address, token_in=token_in, token_out=token_out, fee_pips=pool.fee_pips
            )
        case Protocol.UNISWAP_V3:
            return ConcentratedHop(pool=pool.address, token_in=token_in, token_out=token_out)
        case Protocol.UNISWAP_V4:
            has_coin = ZERO in pool.tokens
            return V4Hop(
                pool=world.made.contracts["v4_manager"],
                token_in=token_in,
                token_out=token_out,
                fee_pips=pool.fee_pips,
                tick_spacing=pool.tick_spacing,
                is_coin_in=has_coin and token_in == weth,
                is_coin_out=has_coin and token_out == weth,
            )
    return VaultHop(
        pool=pool.router, token_in=token_in, token_out=token_out, pool_id=pool.balancer_id
    )


def route_of(
    world: LocalWorld, contract: str, kind: SourceKind, amount_raw: int, hops: Sequence[ChainHop]
) -> ChainRoute:
    """Return a route that has to gain one unit at least."""
    lender, fee_raw, is_token0 = _lender(world, kind, hops[0].token_in, amount_raw)
    return ChainRoute(
        chain_id=world.world.chain_id,
        contract=contract,
        source=Source(
            kind=kind,
            token=hops[0].token_in,
            amount_raw=amount_raw,
            address=lender,
            fee_raw=fee_raw,
            is_token0=is_token0,
        ),
        hops=tuple(hops),
        profit_min_raw=1,
        deadline_ts=FOR_EVER,
    )


async def foretold(
    world: LocalWorld, reader: Reader, amount_raw: int, way: Sequence[tuple[WorldPool, str, str]]
) -> int:
    """Return what comes out of pools one after the other, by the engine's exact forms."""
    families = families_of(world.made.dexes)
    for pool, symbol_in, symbol_out in way:
        at = parse_block(world.head())
        (now,) = await families[pool.protocol].read([pool_of(world.world, pool)], reader, at)
        assert isinstance(now, PoolNow)
        places = [_place(world, pool, symbol) for symbol in (symbol_in, symbol_out)]
        state = now.row.state(now.pool)
        leg = leg_of(state, token_in=places[0], token_out=places[1])
        amount_raw = leg.amount_out(amount_raw)
    return amount_raw


def _place(world: LocalWorld, pool: WorldPool, symbol: str) -> int:
    """Say where a token stands in a pool, the coin itself for the wrapped one."""
    address = world.token(symbol).address
    return pool.tokens.index(address if address in pool.tokens else ZERO)


def _lender(
    world: LocalWorld, kind: SourceKind, token: str, amount_raw: int
) -> tuple[str, int, bool]:
    """Return who lends the wrapped coin, for what fee, and whether it is its first token."""
    match kind:
        case SourceKind.AAVE_V3:
            # Half a unit is rounded up.
            return world.made.contracts["aave_pool"], (amount_raw * 5 + 5_000) // 10_000, False
        case SourceKind.BALANCER_V2:
            return world.made.contracts["balancer_vault"], 0, False
        case SourceKind.UNISWAP_V4:
            return world.made.contracts["v4_manager"], 0, False
        case SourceKind.UNISWAP_V2:
            pair = world.pool("Uniswap V2", "WBTC", "WETH")
            return pair.address, -(-amount_raw * 3 // 997), pair.tokens[0] == token
        case SourceKind.UNISWAP_V3:
            pool = world.pool("Uniswap V3", "WBTC", "WETH")
            return pool.address, -(-amount_raw * 3 // 1_000), pool.tokens[0] == token
    return "", 0, False
