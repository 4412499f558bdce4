"""The local world: real contracts, seeded pools, a node that ends with its owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.sandbox.world.abi import decode, topic
from engine.sandbox.world.building import built
from engine.sandbox.world.plan import CHAIN_PLANS
from engine.sandbox.world.rpc import NodeSaidNoError
from tests.chains.local_world import LocalWorld
from tests.patience import PATIENCE_S

SYNC = topic("Sync(uint112,uint112)")
MAINNET_PAIR_HASH = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
MAINNET_POOL_HASH = "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"


def test_pools_derive_from_the_very_code_that_is_on_mainnet(world: LocalWorld) -> None:
    hashes = {one.name: one.init_code_hash for one in world.made.dexes}
    assert hashes["Uniswap V2"] == MAINNET_PAIR_HASH
    assert hashes["Uniswap V3"] == MAINNET_POOL_HASH


def test_each_pool_is_told_by_its_factory_and_has_liquidity(world: LocalWorld) -> None:
    hands = world.hands()
    for pool in world.made.pools_of("Uniswap V2"):
        reserves = hands.read(pool.address, "getReserves()", ("uint112", "uint112", "uint32"))
        assert min(reserves[:2]) > 0
    for pool in world.made.pools_of("Uniswap V3"):
        assert hands.read(pool.address, "liquidity()", ("uint128",)) > 0
    created = world.rpc.ask(
        "eth_getLogs",
        {
            "fromBlock": "0x0",
            "toBlock": "latest",
            "topics": [topic("PoolCreated(address,address,uint24,int24,address)")],
        },
    )
    told = {decode(("int24", "address"), one["data"])[1] for one in created}
    assert {one.address for one in world.made.pools_of("Uniswap V3")} <= told


def test_a_swap_gives_what_the_quoter_said(world: LocalWorld) -> None:
    pool = world.pool("Uniswap V3", "WETH", "USDC", 500)
    weth, usdc = world.token("WETH").address, world.token("USDC").address
    hands = world.hands()
    said = hands.read(
        world.made.contracts["v3_quoter"],
        "quoteExactInputSingle((address,address,uint256,uint24,uint160))",
        ("uint256", "uint160", "uint32", "uint256"),
        (weth, usdc, 10**18, 500, 0),
    )[0]
    before = hands.read(usdc, "balanceOf(address)", ("uint256",), hands.me)
    world.swap(pool, "WETH", 1)
    assert hands.read(usdc, "balanceOf(address)", ("uint256",), hands.me) - before == said


def test_liquidity_is_given_and_taken(world: LocalWorld) -> None:
    pool = world.pool("Uniswap V3", "USDC", "USDT")
    hands = world.hands()
    before = hands.read(pool.address, "liquidity()", ("uint128",))
    position = world.add(pool, (10**12, 10**12), ticks=(-10, 10))
    assert hands.read(pool.address, "liquidity()", ("uint128",)) > before
    world.take(position)
    assert hands.read(pool.address, "liquidity()", ("uint128",)) == before


def test_a_reorganisation_replaces_the_newest_blocks(world: LocalWorld) -> None:
    pool = world.pool("Uniswap V2", "WETH", "USDC")
    hands = world.hands()
    before = hands.read(pool.address, "getReserves()", ("uint112", "uint112", "uint32"))
    world.swap(pool, "WETH", 1)
    head = world.head()
    world.reorg(1)
    assert world.head()["number"] == head["number"]
    assert world.head()["hash"] != head["hash"]
    assert hands.read(pool.address, "getReserves()", ("uint112", "uint112", "uint32")) == before


def test_a_transaction_is_pending_until_a_block_is_made(
    new_world: Callable[..., LocalWorld],
) -> None:
    local = new_world()
    local.automine(is_on=False)
    weth = local.token("WETH").address
    sent = local.rpc.ask("eth_sendTransaction", {"from": local.made.accounts[2], "to": weth})
    assert local.rpc.ask("eth_getTransactionByHash", sent)["blockNumber"] is None
    local.mine()
    assert local.rpc.ask("eth_getTransactionReceipt", sent)["status"] == "0x1"


def test_multicall_is_where_it_is_on_every_chain(world: LocalWorld) -> None:
    block = world.hands().read(
        "0xca11bde05977b3631167028862be2a173976ca11", "getBlockNumber()", ("uint256",)
    )
    assert block == int(world.head()["number"], 16)


@pytest.mark.parametrize("chain", CHAIN_PLANS)
def test_a_world_poses_as_each_of_the_six_chains(
    chain: str, new_world: Callable[..., LocalWorld]
) -> None:
    local = new_world(chain)
    plan = CHAIN_PLANS[chain]
    assert int(local.rpc.ask("eth_chainId"), 16) == plan.chain_id
    for planned, token in zip(plan.tokens, local.made.tokens, strict=True):
        hands = local.hands()
        assert hands.read(token.address, "symbol()", ("string",)) == planned.symbol
        assert hands.read(token.address, "name()", ("string",)) == planned.name
        assert hands.read(token.address, "decimals()", ("uint8",)) == planned.decimals


def test_a_call_that_reverts_is_told_as_an_error(world: LocalWorld) -> None:
    with pytest.raises(NodeSaidNoError):
        world.hands().read(world.made.contracts["v2_router"], "factoryOf()", ("address",))


def test_the_world_is_built_once_however_many_ask(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as many:
        states = [many.submit(built, "base", cache=tmp_path) for _ in range(3)]
        written = {one.result().state.stat().st_ino for one in states}
    assert len(written) == 1
    assert built("base", cache=tmp_path).state.stat().st_ino in written


def test_the_node_ends_with_the_process_that_started_it() -> None:
    program = (
        "from engine.sandbox.world.anvil import start_anvil\n"
        "print(start_anvil(chain_id=1).pid, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        node = int(owner.stdout.readline())
        assert Path(f"/proc/{node}").exists()
        owner.send_signal(signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while _runs(node):
        assert time.monotonic() < until, f"the node {node} outlives its owner"
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
