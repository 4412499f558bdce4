"""`make self-test`: each thing that going live needs is told apart, on a real local chain."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.sandbox.world.abi import call_data
from engine.settings.load import load_settings
from engine.tools import self_test
from engine.tools.self_test import run_self_test, trial_of
from engine.wiring.local_deploying import Deployment, DeploymentPlan, plan_deployment
from engine.wiring.local_deployments import put_right
from tests.chains.conftest import start_local
from tests.chains.included import included
from tests.chains.local_world import LocalWorld
from tests.tools.test_deploying import Rig
from tests.wiring.test_local_deploying import announced

WALLET = "0x" + "5a" * 20
OTHER = "0x" + "5b" * 20

pytestmark = pytest.mark.slow


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    local = start_local("base")
    put_right(announced(local), Deployment(chain="base", wallet=WALLET))
    yield local
    local.close()


def plan_of(world: LocalWorld) -> DeploymentPlan:
    wrapped = world.made.contracts["wrapped"]
    return plan_deployment(Deployment(chain="base", wallet=WALLET), wrapped=wrapped)


def failures(world: LocalWorld, *, wallet: str = WALLET, code_hash: str = "") -> list[str]:
    plan = plan_of(world)
    lines = self_test._of_chain(
        trial_of(announced(world)),
        "base",
        plan.contract,
        code_hash or plan.code_hash,
        wallet=wallet,
    )
    assert len(lines) > 2
    return [text for is_so, text in lines if not is_so]


def acts(world: LocalWorld, sender: str, to: str, data: str) -> None:
    rpc = world.rpc
    rpc.ask("anvil_impersonateAccount", sender)
    sent = {"from": sender, "to": to, "data": data, "gas": hex(200_000)}
    included(rpc, rpc.ask("eth_sendTransaction", sent))


def test_a_fresh_deployment_passes_and_its_simulated_route_swaps_twice(world: LocalWorld) -> None:
    plan = plan_of(world)
    lines = self_test._of_chain(
        trial_of(announced(world)), "base", plan.contract, plan.code_hash, wallet=WALLET
    )

    assert all(is_so for is_so, _ in lines), lines
    assert "a simulated route through" in lines[-1][1]
    assert int(world.rpc.ask("eth_getTransactionCount", WALLET, "latest"), 16) > 0
    assert world.rpc.ask("eth_getBalance", WALLET, "latest") == hex(10**18), "nothing was sent"


def test_a_paused_contract_fails_by_its_pause_and_its_route(world: LocalWorld) -> None:
    contract = plan_of(world).contract
    acts(world, WALLET, contract, call_data("pause()"))

    found = failures(world)

    assert any("unpause" in one for one in found)
    assert any("simulated route" in one and "fails otherwise" in one for one in found)


def test_a_wallet_without_roles_or_coins_is_told_what_it_lacks(world: LocalWorld) -> None:
    found = " ".join(failures(world, wallet=OTHER))

    assert "too little: make deploy CHAIN=base" in found
    assert "may send no route" in found
    assert "may not pause" in found


def test_other_code_ends_the_test_of_the_contract(world: LocalWorld) -> None:
    (found,) = failures(world, code_hash="0x" + "22" * 32)

    assert "make deploy CHAIN=base" in found


def test_without_a_signer_and_a_contract_it_says_what_to_do(
    tmp_path: Path, world: LocalWorld
) -> None:
    rig = Rig(tmp_path)
    rig.announce(world)
    said: list[str] = []

    is_well = asyncio.run(
        run_self_test(
            load_settings({}, directory=tmp_path), rig.paths, chain="base", say=said.append
        )
    )

    assert not is_well
    assert any(one.startswith("FAIL  the signer does not answer") for one in said)
    assert any(one.startswith("FAIL  no contract of ours is named: make deploy") for one in said)
