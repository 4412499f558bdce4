"""The local world: real contracts, seeded pools, a node that ends with its owner."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.domain.pools import Protocol
from engine.domain.tokens import Token, asset_of
from engine.sandbox.world.abi import ZERO, decode, topic
from engine.sandbox.world.building import built, start_world
from engine.sandbox.world.dexes.uniswap_v4 import KEY
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.packages import NoWorldError
from engine.sandbox.world.plan import CHAIN_PLANS
from engine.sandbox.world.rpc import NodeSaidNoError
from engine.sandbox.world.values import WorldPool
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


def test_a_world_that_was_built_days_ago_begins_with_a_block_of_now(tmp_path: Path) -> None:
    one = built("ethereum")
    old = msgspec.structs.replace(one, state=aged(one.state, tmp_path / "old.json", 3 * 86_400))
    began_s = int(time.time())
    local = LocalWorld(*start_world(old))
    try:
        head = int(local.head()["timestamp"], 16)
        local.mine()
        leap_s = int(local.head()["timestamp"], 16) - head
        passed_s = int(time.time()) - began_s
    finally:
        local.close()

    assert head >= began_s
    assert leap_s <= passed_s + 1


def aged(state: Path, to: Path, by_s: int) -> Path:
    """Write a world's state anew with a head that is so much older."""
    dump = json.loads(state.read_bytes())
    age(dump["block"], by_s)
    newest = max(dump["blocks"], key=lambda one: int(one["header"]["number"], 16))
    age(newest["header"], by_s)
    to.write_text(json.dumps(dump))
    return to


def age(of: dict[str, Any], by_s: int) -> None:
    of["timestamp"] = hex(int(of["timestamp"], 16) - by_s)


def _balance(hands: Hands, token: str) -> int:
    if token == ZERO:
        return int(hands.rpc.ask("eth_getBalance", hands.me, "latest"), 16)
    return int(hands.read(token, "balanceOf(address)", ("uint256",), hands.me))


def said(local: LocalWorld, pool: WorldPool, token_in: str, token_out: str, raw: int) -> int:
    """Return what the makers' own contracts say that a swap gives."""
    read, contracts = local.hands().read, local.made.contracts
    match pool.protocol:
        case Protocol.UNISWAP_V2:
            return int(
                read(
                    pool.router,
                    "getAmountsOut(uint256,address[])",
                    ("uint256[]",),
                    *(raw, [token_in, token_out]),
                )[-1]
            )
        case Protocol.UNISWAP_V3:
            return int(
                read(
                    contracts["v3_quoter"],
                    "quoteExactInputSingle((address,address,uint256,uint24,uint160))",
                    ("uint256", "uint160", "uint32", "uint256"),
                    (token_in, token_out, raw, pool.fee_pips, 0),
                )[0]
            )
        case Protocol.UNISWAP_V4:
            key = (*pool.tokens, pool.fee_pips, pool.tick_spacing, ZERO)
            return int(
                read(
                    contracts["v4_quoter"],
                    f"quoteExactInputSingle(({KEY},bool,uint128,bytes))",
                    ("uint256", "uint256"),
                    (key, token_in == pool.tokens[0], raw, b""),
                )[0]
            )
        case _:
            me = local.hands().me
            return int(
                read(
                    contracts["balancer_queries"],
                    "querySwap((bytes32,uint8,address,address,uint256,bytes),"
                    "(address,bool,address,bool))",
                    ("uint256",),
                    (bytes.fromhex(pool.balancer_id[2:]), 0, token_in, token_out, raw, b""),
                    (me, False, me, False),
                )
            )


def test_each_pool_gives_what_its_makers_say_in_each_direction(world: LocalWorld) -> None:
    decimals = {one.address: one.decimals for one in (*world.made.tokens, world.made.coin)}
    for pool in world.made.pools:
        for token_in, token_out in permutations(pool.tokens, 2):
            trader, raw = world.trader(), 10 ** decimals[token_in] // 10
            least = said(world, pool, token_in, token_out, raw)
            before = _balance(trader.hands, token_out)
            trader.swap(pool, token_in, raw, token_out=token_out, out_min_raw=least)
            (receipt,) = trader.hands.flush()
            paid = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
            got = _balance(trader.hands, token_out) - before + (paid if token_out == ZERO else 0)
            assert got == least, pool


def test_pairs_take_no_less_than_their_fee(world: LocalWorld) -> None:
    """A pair of a fork gives exactly what its fee leaves, and not one unit more."""
    for pool in world.made.pools:
        if pool.protocol is not Protocol.UNISWAP_V2:
            continue
        hands, (token_in, token_out) = world.hands(), pool.tokens
        reserves = ("uint112", "uint112", "uint32")
        r_in, r_out, _ = hands.read(pool.address, "getReserves()", reserves)
        raw = r_in // 10_000
        kept = raw * (1_000_000 - pool.fee_pips)
        out = kept * r_out // (r_in * 1_000_000 + kept)
        assert out == said(world, pool, token_in, token_out, raw)
        swap = "swap(uint256,uint256,address,bytes)"
        hands.send(token_in, "transfer(address,uint256)", pool.address, raw)
        hands.flush()
        with pytest.raises(NodeSaidNoError, match="K"):
            hands.read(pool.address, swap, ("bytes",), 0, out + 1, hands.me, b"")
        hands.send(pool.address, swap, 0, out, hands.me, b"")
        hands.flush()


def test_flash_loans_and_markets_of_aave_are_there(world: LocalWorld) -> None:
    hands, pool = world.hands(), world.made.contracts["aave_pool"]
    assert hands.read(pool, "FLASHLOAN_PREMIUM_TOTAL()", ("uint128",)) == 5
    listed = hands.read(pool, "getReservesList()", ("address[]",))
    assert set(listed) == {one.address for one in world.made.tokens}
    dai, usdc = world.token("DAI").address, world.token("USDC").address
    hands.send(pool, "supply(address,uint256,address,uint16)", dai, 10**21, hands.me, 0)
    hands.send(pool, "borrow(address,uint256,uint256,uint16,address)", usdc, 10**8, 2, 0, hands.me)
    before = _balance(hands, usdc)
    hands.flush()
    assert _balance(hands, usdc) >= before


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


@pytest.mark.parametrize("chain", ["base", "bnb"])
def test_a_world_poses_as_the_chain_that_is_wanted(
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


def test_known_tokens_stand_where_the_real_ones_do(world: LocalWorld) -> None:
    for token in world.made.tokens:
        there = Token(chain="ethereum", address=token.address, decimals=token.decimals)
        assert asset_of(there, symbol="anything") == token.asset


def test_a_call_that_reverts_is_told_as_an_error(world: LocalWorld) -> None:
    with pytest.raises(NodeSaidNoError):
        world.hands().read(world.made.contracts["v2_router"], "factoryOf()", ("address",))


def test_the_world_is_built_once_however_many_ask(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as many:
        states = [many.submit(built, "base", cache=tmp_path) for _ in range(2)]
        written = {one.result().state.stat().st_ino for one in states}
    assert len(written) == 1
    assert built("base", cache=tmp_path).state.stat().st_ino in written


def test_a_world_that_cannot_be_kept_is_refused_in_a_sentence(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.touch()
    with pytest.raises(NoWorldError, match="There is no local chain"):
        built("base", cache=taken)


def test_worlds_that_nobody_asks_for_are_forgotten(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "made.json").touch()
    os.utime(old / "made.json", (0, 0))
    built("base", cache=tmp_path)
    assert not old.exists()
    assert new.exists()


def test_the_node_ends_with_the_process_that_started_it_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    program = (
        "from engine.sandbox.world.anvil import start_anvil\n"
        "print(start_anvil(chain_id=1).pid, flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as owner:
        assert owner.stdout is not None
        node = int(owner.stdout.readline())
        assert Path(f"/proc/{node}").exists()
        assert list(tmp_path.glob("anvil-*"))
        owner.send_signal(signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while _runs(node) or list(tmp_path.iterdir()):
        assert time.monotonic() < until, f"the node {node} or its files outlive its owner"
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
