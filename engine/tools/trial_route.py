"""A route through two pools of a local chain, carried out on an EVM of ours and kept nowhere.

The contract is lent coins there, so that a loss ends at its rule of profit and not before: then
both swaps and the payment of the first pool were done.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from eth_hash.auto import keccak

from engine.domain.dexes import Dex
from engine.domain.pools import Protocol
from engine.domain.routes_on_chain import (
    ChainRoute,
    ConcentratedHop,
    PairHop,
    Source,
    SourceKind,
)
from engine.sandbox.world.abi import ZERO, call_data, decode
from engine.sandbox.world.rpc import Rpc
from engine.sending.encoding import calldata
from engine.sending.simulating import GAS_MAX, RICH_WEI, SPEC

NO_POOLS: Final = "no two pools share a pair with the wrapped coin: no route can be tried"
NOTHING: Final = "0x" + "00" * 32
PAIRS_MAX: Final = 50
V3_FEES: Final = (100, 500, 3_000, 10_000)
AMOUNT_WEI: Final = 10**15
LENT_WEI: Final = 10**18
LATER_S: Final = 3_600
TOO_LOW: Final = keccak(b"ProfitTooLow(address,uint256,uint256)")[:4].hex()


def try_route(
    rpc: Rpc, dexes: Sequence[Dex], *, chain_id: int, wrapped: str, contract: str, wallet: str
) -> tuple[bool, str]:
    """Say whether a route went through two pools and was paid or stopped by the rule of profit."""
    found = next(_pools(rpc, dexes, wrapped), None)
    if found is None:
        return False, NO_POOLS
    pair_dex, pair, other_dex, pool, token = found
    head = rpc.ask("eth_getBlockByNumber", "latest", False)
    back: PairHop | ConcentratedHop = (
        PairHop(pool=pool, token_in=token, token_out=wrapped, fee_pips=other_dex.fee_pips)
        if other_dex.protocol is Protocol.UNISWAP_V2
        else ConcentratedHop(pool=pool, token_in=token, token_out=wrapped)
    )
    route = ChainRoute(
        chain_id=chain_id,
        contract=contract,
        source=Source(kind=SourceKind.FIRST_HOP, token=wrapped, amount_raw=AMOUNT_WEI),
        hops=(
            PairHop(pool=pair, token_in=wrapped, token_out=token, fee_pips=pair_dex.fee_pips),
            back,
        ),
        profit_min_raw=0,
        deadline_ts=int(head["timestamp"], 16) + LATER_S,
    )
    why, gas = _carried_out(rpc, route, wallet, wrapped, head)
    named = f"a simulated route through {pair_dex.name} and {other_dex.name}"
    if not why:
        return True, f"{named} gains, with {gas:,} gas"
    if TOO_LOW in why:
        return True, f"{named} swaps twice and is stopped by the rule of profit, with {gas:,} gas"
    return False, f"{named} fails otherwise: {why[:160]}"


def _carried_out(
    rpc: Rpc, route: ChainRoute, wallet: str, wrapped: str, head: dict[str, str]
) -> tuple[str, int]:
    """Return why it reverts, empty if it does not, and the gas that it used."""
    from pyrevm import EVM, BlockEnv, CfgEnv, Env  # noqa: PLC0415 - few machines have it

    block = BlockEnv(
        number=int(head["number"], 16) + 1,
        timestamp=int(head["timestamp"], 16) + 1,
        gas_limit=int(head["gasLimit"], 16),
        basefee=0,
        difficulty=0,
    )
    evm = EVM(
        env=Env(cfg=CfgEnv(chain_id=route.chain_id), block=block),
        fork_url=rpc.url,
        fork_block=str(int(head["number"], 16)),
        spec_id=SPEC,
    )
    evm.set_block_env(block)
    evm.set_balance(wallet, RICH_WEI)
    for data, value in (
        (call_data("deposit()"), LENT_WEI),
        (call_data("transfer(address,uint256)", route.contract, LENT_WEI), 0),
    ):
        evm.message_call(
            caller=wallet, to=wrapped, calldata=bytes.fromhex(data[2:]), value=value, gas=GAS_MAX
        )
    try:
        evm.message_call(caller=wallet, to=route.contract, calldata=calldata(route), gas=GAS_MAX)
    except RuntimeError as error:
        return str(error), evm.result.gas_used if evm.result else 0
    return "", evm.result.gas_used if evm.result else 0


def _pools(
    rpc: Rpc, dexes: Sequence[Dex], wrapped: str
) -> Iterator[tuple[Dex, str, Dex, str, str]]:
    """Find a pair with the wrapped coin, and another DEX's pool of the same two tokens."""
    pairs = [one for one in dexes if one.protocol is Protocol.UNISWAP_V2]
    others = [one for one in dexes if one.protocol is Protocol.UNISWAP_V3]
    for dex in pairs:
        count = min(int(_ask(rpc, dex.factory, "allPairsLength()"), 16), PAIRS_MAX)
        for index in range(count):
            pair = _address(_ask(rpc, dex.factory, "allPairs(uint256)", index))
            tokens = [_address(_ask(rpc, pair, f"token{at}()")) for at in (0, 1)]
            if wrapped not in tokens:
                continue
            token = next(one for one in tokens if one != wrapped)
            for other in (*others, *(one for one in pairs if one is not dex)):
                for pool in _pools_of(rpc, other, wrapped, token):
                    yield dex, pair, other, pool, token


def _pools_of(rpc: Rpc, dex: Dex, wrapped: str, token: str) -> Iterator[str]:
    if dex.protocol is Protocol.UNISWAP_V2:
        found = [_ask(rpc, dex.factory, "getPair(address,address)", wrapped, token)]
    else:
        found = [
            _ask(rpc, dex.factory, "getPool(address,address,uint24)", wrapped, token, fee)
            for fee in V3_FEES
        ]
    yield from (one for one in map(_address, found) if one != ZERO)


def _ask(rpc: Rpc, to: str, signature: str, *arguments: object) -> str:
    data = call_data(signature, *arguments)
    answer: str = rpc.ask("eth_call", {"to": to, "data": data}, "latest")
    # Where there is no contract the answer is empty: a factory that this network does not have.
    return answer if answer != "0x" else NOTHING


def _address(word: str) -> str:
    found: str = decode(("address",), word)[0]
    return found.lower()
