"""What is deployed is what the sources say."""

import json
import shutil
from typing import Any

import pytest
from eth_hash.auto import keccak

from engine.domain.errors import FatalError
from engine.sandbox.world.abi import call_data
from engine.sandbox.world.packages import CONTRACTS, PACKAGES
from engine.sending.contract_code import (
    ARTIFACTS,
    CONTRACT_NAMES,
    DIRECT,
    PROXY,
    UPGRADEABLE,
    abi,
    creation_code,
    deployed_code,
)
from engine.sending.encoding import PAUSE, REVOKE, SELECTOR, SWAP, WITHDRAW
from tests.chains.local_world import LocalWorld
from tests.contracts.building import BUILT_FROM, LIBRARY, build, built_from, written

SNAPSHOT = CONTRACTS / "snapshots" / "routes.json"
"""What `make contracts` measures, and holds to it."""

BASE_GAS = 21_000
"""Of any transaction."""

CODE_BYTES_MAX = 24_576
"""Of a contract, as EIP-170 has it."""


def test_neither_sources_nor_artifacts_changed_since_they_were_built() -> None:
    if not (PACKAGES / "solc").exists() or not LIBRARY.exists():
        pytest.skip("solc or the library of contracts is missing: the sources are not whole")

    # `make contracts-write` builds them anew.
    assert BUILT_FROM.read_text() == written(built_from())


@pytest.mark.slow
def test_the_artifacts_in_the_repository_are_the_build_of_the_sources() -> None:
    node = shutil.which("node")
    if node is None or not (PACKAGES / "solc").exists() or not LIBRARY.exists():
        pytest.skip("Node, solc or the library of contracts is missing: nothing can be built")

    made = build(node)

    assert set(made) == set(CONTRACT_NAMES)
    for name, artifact in made.items():
        # `python -m tests.contracts.building` writes them anew.
        assert (ARTIFACTS / f"{name}.json").read_text() == written(artifact), name


@pytest.mark.parametrize("name", CONTRACT_NAMES)
def test_each_fits_into_a_contract(name: str) -> None:
    code = json.loads((ARTIFACTS / f"{name}.json").read_text())["deployedBytecode"]

    assert len(code) // 2 - 1 <= CODE_BYTES_MAX


def test_what_is_sent_to_the_contract_is_in_its_interface() -> None:
    known = {_selector(one) for one in abi(DIRECT) if one["type"] == "function"}

    for selector in (SELECTOR, SWAP, PAUSE, WITHDRAW, REVOKE):
        assert selector in known


def test_other_constants_than_the_code_has_are_refused() -> None:
    with pytest.raises(FatalError, match="RECOVERY"):
        deployed_code(DIRECT, {"WRAPPED": "0x" + "11" * 20})


@pytest.mark.slow
def test_a_deployed_contract_has_the_code_that_is_said(world: LocalWorld) -> None:
    hands = world.hands()
    weth, me, recovery = world.token("WETH").address, hands.me, "0x" + "4e" * 20

    direct = hands.deploy("0x" + creation_code(DIRECT, weth, recovery, me).hex())
    logic = hands.deploy("0x" + creation_code(UPGRADEABLE, weth, recovery).hex())
    first = bytes.fromhex(call_data("initialize(address)", me)[2:])
    proxy = hands.deploy("0x" + creation_code(PROXY, logic, first).hex())
    hands.flush()

    both = {"WRAPPED": weth, "RECOVERY": recovery}
    for address, expected in (
        (direct, deployed_code(DIRECT, both)),
        (logic, deployed_code(UPGRADEABLE, both | {"__self": logic})),
        (proxy, deployed_code(PROXY, {})),
    ):
        assert world.rpc.ask("eth_getCode", address, "latest") == "0x" + expected.hex()
    for address in (direct, proxy):
        assert hands.read(address, "owner()", ("address",)) == me
        assert hands.read(address, "RECOVERY()", ("address",)) == recovery


def test_routes_cost_no_more_gas_than_is_asked() -> None:
    gas = {name: int(one) for name, one in json.loads(SNAPSHOT.read_text()).items()}

    assert gas["V2 > V3, V2 on credit"] - BASE_GAS < 150_000
    for first, second in (("V2", "V3"), ("V2", "V2"), ("V3", "V2")):
        routed = gas[f"{first} > {second}, {first} on credit"]
        assert routed <= 1.15 * gas[f"bare {first} > {second}"]


def _selector(function: dict[str, Any]) -> bytes:
    types = ",".join(one["type"] for one in function["inputs"])
    return keccak(f"{function['name']}({types})".encode())[:4]
