"""The contract's own tests hold, on a sample; `make contracts` runs all of them."""

import os
import subprocess

import pytest

from engine.sandbox.world.packages import CONTRACTS
from tests.chains.conftest import need_packages
from tests.contracts import forge_world
from tests.contracts.building import FORGE

pytestmark = pytest.mark.slow


def test_the_tests_of_the_contract_hold() -> None:
    need_packages()
    if not list(FORGE.glob("forge-*")):
        pytest.skip("forge is not installed: the contract's own tests cannot run")
    forge_world.write()

    done = subprocess.run(
        [
            "forge/forge",
            "test",
            "--no-match-contract",
            "GasTest|Symbolic",
            "--skip",
            "test/symbolic/**",
            "test/Gas.t.sol",
        ],
        cwd=CONTRACTS,
        env=os.environ | {"FOUNDRY_PROFILE": "sample", "USES_ARTIFACTS": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-1_000:]
