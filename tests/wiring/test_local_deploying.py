"""Our contract on a real local chain: at the same address after each new beginning, to the byte."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from engine.domain.errors import BadValueError, FatalError
from engine.domain.tokens import asset_of, tokens_of
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.values import LocalChain
from engine.sending.calls import balance_call
from engine.wiring.local_deploying import (
    COINS_WEI,
    NONCE_MIN,
    Deployment,
    DeploymentPlan,
    deploy,
    dry_run,
    is_there,
    plan_deployment,
    supply,
)
from engine.wiring.local_deployments import (
    deployments_path,
    keep_deployment,
    put_right,
    read_deployments,
    redeploy,
)
from engine.wiring.paths import Paths, prepare
from tests.chains.conftest import start_local
from tests.chains.local_world import LocalWorld
from tests.patience import PATIENCE_S

WALLET = "0x" + "5a" * 20
NOW_S = 1_800_000_000
WETH, USDC = (
    next(one.address for one in tokens_of("base") if asset_of(one, symbol="") == asset)
    for asset in ("ETH", "USDC")
)

NewWorld = Callable[[str], LocalWorld]


@pytest.fixture
def new_world() -> Iterator[NewWorld]:
    started: list[LocalWorld] = []

    def start(chain: str) -> LocalWorld:
        started.append(start_local(chain))
        return started[-1]

    yield start
    for one in started:
        one.close()


def plan_of(world: LocalWorld, *, is_upgradeable: bool = False) -> DeploymentPlan:
    deployment = Deployment(chain="base", wallet=WALLET, is_upgradeable=is_upgradeable)
    return plan_deployment(deployment, wrapped=world.made.contracts["wrapped"])


def announced(world: LocalWorld) -> LocalChain:
    return LocalChain(
        chain_id=world.world.chain_id,
        block_ms=1_000,
        http_urls=(world.node.url,),
        ws_urls=(world.node.ws_url,),
        private_url="",
        dexes=world.made.dexes,
        contracts=world.made.contracts,
    )


def says(world: LocalWorld, contract: str, signature: str, *arguments: str) -> object:
    kind = "bool" if signature.startswith("is") else "address"
    return world.hands(1).read(contract, signature, (kind,), *arguments)


@pytest.mark.slow
@pytest.mark.parametrize("is_upgradeable", [False, True])
def test_what_is_deployed_is_the_contract_with_its_roles_given_at_the_foretold_address(
    new_world: NewWorld, *, is_upgradeable: bool
) -> None:
    world = new_world("base")
    plan = plan_of(world, is_upgradeable=is_upgradeable)
    assert not is_there(world.rpc, plan)
    foretold = dry_run(world.rpc, plan)

    used = deploy(world.rpc, plan)

    assert is_there(world.rpc, plan)
    assert used[0] == foretold.gas[0]
    assert all(
        abs(one - other) < 0.2 * one for one, other in zip(used, foretold.gas, strict=True)
    ), "later steps write what the dry run's first ones wrote just before"
    assert says(world, plan.contract, "owner()") == plan.owner
    assert says(world, plan.contract, "RECOVERY()") == plan.recovery
    assert says(world, plan.contract, "isExecutor(address)", WALLET) is True
    assert says(world, plan.contract, "isGuardian(address)", WALLET) is True
    assert says(world, plan.contract, "isExecutor(address)", plan.recovery) is False


@pytest.mark.slow
def test_each_step_of_a_deployment_pays_for_blocks_that_are_full_before_its_own(
    new_world: NewWorld,
) -> None:
    world = new_world("ethereum")
    world.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(3 * 10**9))
    world.mine()
    wallet = Deployment(chain="ethereum", wallet=WALLET)
    plan = plan_deployment(wallet, wrapped=world.made.contracts["wrapped"])

    deploy(world.rpc, plan)

    newest = int(world.head()["number"], 16)
    blocks = [
        world.rpc.ask("eth_getBlockByNumber", hex(newest - back), True)
        for back in range(len(plan.steps))
    ]
    bids = [
        int(one["maxFeePerGas"], 16) >= int(block["baseFeePerGas"], 16) * 81 // 64
        for block in blocks
        for one in block["transactions"]
        if one["from"] == plan.owner
    ]
    assert bids == [True] * len(plan.steps)


@pytest.mark.slow
def test_a_deployment_lands_though_the_chain_asks_many_times_the_fee_that_it_began_with(
    new_world: NewWorld,
) -> None:
    world = new_world("base")
    world.automine(False)
    plan = plan_of(world)
    assert int(world.head()["baseFeePerGas"], 16) < 10**9
    with ThreadPoolExecutor(max_workers=1) as another, closing(Rpc(world.node.url)) as rpc:
        done = another.submit(deploy, rpc, plan)
        while not wait([done], timeout=0.05).done:
            # The first step waits for its block by now: it was sent at the fee of before.
            if int(world.rpc.ask("txpool_status")["pending"], 16):
                world.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
                world.mine()
        assert len(done.result()) == len(plan.steps)


@pytest.mark.slow
async def test_a_chain_that_makes_no_block_holds_no_other_up(
    new_world: NewWorld, tmp_path: Path
) -> None:
    stuck, other = new_world("base"), new_world("ethereum")
    stuck.automine(False)
    paths = prepare(str(tmp_path / "var"))
    for chain in ("base", "ethereum"):
        keep_deployment(paths, Deployment(chain=chain, wallet=WALLET))
    plan = plan_deployment(
        Deployment(chain="ethereum", wallet=WALLET), wrapped=other.made.contracts["wrapped"]
    )
    both = {"base": announced(stuck), "ethereum": announced(other)}

    task = asyncio.create_task(redeploy(paths, both))
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(is_there, other.rpc, plan):
            await asyncio.sleep(0.05)
    # What the other one has to be given does not wait for its contract.
    count = await asyncio.to_thread(stuck.rpc.ask, "eth_getTransactionCount", WALLET, "latest")
    assert int(count, 16) > NONCE_MIN
    stuck.automine(True)  # the thread comes to its end
    stuck.mine()
    task.cancel()


@pytest.mark.slow
def test_a_dry_run_changes_nothing(new_world: NewWorld) -> None:
    world = new_world("base")
    before = world.head()["stateRoot"]

    dry_run(world.rpc, plan_of(world))

    assert world.head()["stateRoot"] == before


@pytest.mark.slow
def test_a_deployment_that_broke_off_is_finished_and_one_that_is_whole_is_left_alone(
    new_world: NewWorld,
) -> None:
    world = new_world("base")
    plan = plan_of(world)
    first = DeploymentPlan(
        **{name: getattr(plan, name) for name in plan.__struct_fields__} | {"steps": plan.steps[:1]}
    )
    deploy(world.rpc, first)

    assert len(deploy(world.rpc, plan)) == 2
    assert deploy(world.rpc, plan) == []
    assert says(world, plan.contract, "isExecutor(address)", WALLET) is True


@pytest.mark.slow
def test_a_chain_that_begins_anew_has_the_contract_again_and_a_nonce_that_was_never_used(
    new_world: NewWorld,
) -> None:
    deployment = Deployment(chain="base", wallet=WALLET)
    old, new = new_world("base"), new_world("base")
    assert put_right(announced(old), deployment)
    there = plan_of(old).contract

    assert put_right(announced(new), deployment)
    assert not put_right(announced(new), deployment), "the second time there is nothing to do"

    assert plan_of(new).contract == there
    assert is_there(new.rpc, plan_of(new))
    count = int(new.rpc.ask("eth_getTransactionCount", WALLET, "latest"), 16)
    assert count >= int(old.rpc.ask("eth_getTransactionCount", WALLET, "latest"), 16) > NONCE_MIN


def held_raw(rpc: Rpc, token: str) -> int:
    return int(rpc.ask("eth_call", balance_call(token, WALLET), "latest"), 16)


@pytest.mark.slow
def test_only_a_wallet_that_is_new_or_poor_is_supplied(new_world: NewWorld) -> None:
    rpc = new_world("base").rpc
    assert supply(rpc, "base", WALLET, now_s=NOW_S)
    assert [held_raw(rpc, token) for token in (WETH, USDC)] == [2 * 10**18, 5_000 * 10**6]
    assert int(rpc.ask("eth_getBalance", WALLET, "latest"), 16) == COINS_WEI
    rpc.ask("anvil_setBalance", WALLET, hex(COINS_WEI // 2))

    # More than a tenth is left of that token, less of this one.
    rpc.ask("anvil_dealERC20", WALLET, WETH, hex(10**18))
    assert not supply(rpc, "base", WALLET, now_s=NOW_S + 900)
    assert held_raw(rpc, WETH) == 10**18
    rpc.ask("anvil_dealERC20", WALLET, USDC, hex(10**6))
    assert supply(rpc, "base", WALLET, now_s=NOW_S + 900)
    assert [held_raw(rpc, token) for token in (WETH, USDC)] == [10**18, 5_000 * 10**6]

    assert int(rpc.ask("eth_getBalance", WALLET, "latest"), 16) == COINS_WEI // 2
    assert int(rpc.ask("eth_getTransactionCount", WALLET, "latest"), 16) == NOW_S


@pytest.mark.slow
def test_other_code_at_the_address_is_told_and_called_no_deployment(new_world: NewWorld) -> None:
    world = new_world("base")
    plan = plan_of(world)
    deploy(world.rpc, plan)
    world.rpc.ask("anvil_setCode", plan.contract, "0x6001")

    assert not is_there(world.rpc, plan)
    with pytest.raises(BadValueError, match="is not what was deployed"):
        deploy(world.rpc, plan)


def test_each_wallet_has_a_contract_of_its_own() -> None:
    wrapped = "0x" + "11" * 20
    plans = [
        plan_deployment(Deployment(chain="base", wallet=wallet, is_upgradeable=up), wrapped=wrapped)
        for wallet in (WALLET, "0x" + "5b" * 20)
        for up in (False, True)
    ]

    assert len({one.contract for one in plans}) == 4
    assert len({one.recovery for one in plans}) == 2
    assert all(one.recovery != one.owner for one in plans)


def test_what_is_kept_of_deployments_is_read_again_by_chain(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert read_deployments(paths) == {}
    on_base = Deployment(chain="base", wallet=WALLET)
    keep_deployment(paths, on_base)
    on_polygon = Deployment(chain="polygon", wallet=WALLET, is_upgradeable=True)
    keep_deployment(paths, on_polygon)

    assert read_deployments(paths) == {"base": on_base, "polygon": on_polygon}
    deployments_path(paths).write_text("{")
    with pytest.raises(FatalError, match="remove it, and deploy again"):
        read_deployments(paths)
