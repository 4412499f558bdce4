"""A local chain with thousands of real pools: made once, and kept beside the worlds."""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.chains.discovery.addresses import derived_address
from engine.chains.discovery.found import FoundPool
from engine.domain.dexes import Dex
from engine.sandbox.world.abi import UINT_MAX
from engine.sandbox.world.anvil import Anvil, running_anvil, start_anvil
from engine.sandbox.world.artifacts import bytecode
from engine.sandbox.world.building import BUILD_OPTIONS, NODE_OPTIONS, Built, built, world_cache
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.rpc import Rpc

PAIRED = ("WETH", "USDC", "USDT", "DAI")
"""Each token has a pair with each of these, and one concentrated pool with the first."""

SIDES = {"WETH": 5, "USDC": 10_000, "USDT": 10_000, "DAI": 10_000}
TOKENS_AT_ONCE = 20
WIDTH = 600
_MINTABLE = "@aave/core-v3/artifacts/contracts/mocks/tokens/MintableERC20.sol/MintableERC20.json"
_MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
_PRICE_ONE = 2**96


@contextmanager
def many_pools(count: int, chain: str = "ethereum") -> Iterator[tuple[Anvil, Built]]:
    """Run a node with so many pools beside those of its world."""
    world = built(chain)
    state = _state(world, count // (len(PAIRED) + 1))
    node = start_anvil(chain_id=world.plan.chain_id, state=state, options=NODE_OPTIONS)
    try:
        yield node, world
    finally:
        node.stop()


def _state(world: Built, tokens: int) -> Path:
    key = hashlib.sha256(world.state.parent.name.encode() + Path(__file__).read_bytes())
    path = world_cache() / f"many-{tokens}-{key.hexdigest()[:16]}.json"
    if not path.exists():
        with (
            running_anvil(
                chain_id=world.plan.chain_id,
                state=world.state,
                options=(*BUILD_OPTIONS, "--disable-code-size-limit"),
            ) as node,
            Rpc(node.url) as rpc,
        ):
            _make(Hands(rpc, world.made.accounts[0], is_miner=True), world, tokens)
            draft = path.with_suffix(".draft")
            draft.write_bytes(gzip.decompress(bytes.fromhex(rpc.ask("anvil_dumpState")[2:])))
            draft.replace(path)
    return path


def _make(hands: Hands, world: Built, tokens: int) -> None:
    positions = world.made.contracts["v3_positions"]
    code = bytecode(_MINTABLE)
    for start in range(0, tokens, TOKENS_AT_ONCE):
        some = [
            hands.deploy(code, "(string,string,uint8)", f"Token {number}", f"T{number}", 18)
            for number in range(start, min(start + TOKENS_AT_ONCE, tokens))
        ]
        for token in some:
            hands.send(token, "mint(address,uint256)", hands.me, 2**100)
            hands.send(token, "approve(address,uint256)", positions, UINT_MAX)
            for symbol in PAIRED:
                _pair(hands, world, token, symbol)
            _concentrated(hands, world, token)
        hands.flush()


def _pair(hands: Hands, world: Built, token: str, symbol: str) -> None:
    dex = next(dex for dex in world.made.dexes if dex.name == "Uniswap V2")
    other = world.made.token(symbol)
    hands.send(dex.factory, "createPair(address,address)", token, other.address)
    pair = _address(dex, token, other.address)
    amount = SIDES[symbol] * 10**other.decimals
    hands.send(other.address, "transfer(address,uint256)", pair, amount)
    hands.send(token, "transfer(address,uint256)", pair, 10**24)
    hands.send(pair, "mint(address)", hands.me)


def _concentrated(hands: Hands, world: Built, token: str) -> None:
    positions = world.made.contracts["v3_positions"]
    low, high = sorted((token, world.made.token(PAIRED[0]).address))
    hands.send(
        positions,
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
        *(low, high, 3_000, _PRICE_ONE),
    )
    amount = 10 * 10**18
    what = (low, high, 3_000, -WIDTH, WIDTH, amount, amount, 0, 0, hands.me, 2**40)
    hands.send(positions, _MINT, what)


def _address(dex: Dex, one: str, other: str) -> str:
    low, high = sorted((one, other))
    return derived_address(FoundPool(dex=dex, address="0x", tokens=(low, high), block=0))
