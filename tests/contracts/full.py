"""`make contracts`: everything that is tried on the contract, part after part.

``python -m tests.contracts.full --parts "fuzz gas"`` runs some of them.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from engine.sandbox.world.packages import CONTRACTS
from tests.contracts import forge_world

FORGE = "forge/forge"
TOOLS = CONTRACTS.parent / ".venv-contracts" / "bin"
GAS = (FORGE, "test", "--match-contract", "GasTest", "--isolate")

PARTS: dict[str, tuple[str, ...]] = {
    "format": (FORGE, "fmt", "--check"),
    "fuzz": (FORGE, "test", "--no-match-contract", "GasTest|Symbolic"),
    "gas": (*GAS, "--gas-snapshot-check", "true"),
    "coverage": (
        *(FORGE, "coverage", "--no-match-contract", "GasTest|Symbolic"),
        *("--no-match-coverage", "test/|forge/"),
    ),
    "slither": (str(TOOLS / "slither"), ".", "--config-file", "slither.json"),
    "halmos": (str(TOOLS / "halmos"), "--match-contract", "Symbolic", "--loop", "4"),
}
ON_REQUEST = {"gas-write": GAS}
OTHER_PROFILES = {"coverage": "default"}
"""Which lines tests reach does not take as many examples as which rules hold."""


def run(parts: Sequence[str], profile: str) -> bool:
    """Run parts; say whether all went well."""
    forge_world.write()
    environment = os.environ | {"PATH": f"{CONTRACTS / 'forge'}:{TOOLS}:{os.environ['PATH']}"}
    failed = []
    for part in parts:
        print(f"---- {part}", flush=True)
        begun = time.monotonic()
        done = subprocess.run(
            (PARTS | ON_REQUEST)[part],
            check=False,
            cwd=CONTRACTS,
            env=environment | {"FOUNDRY_PROFILE": OTHER_PROFILES.get(part, profile)},
        )
        print(f"---- {part}: {time.monotonic() - begun:.0f} s, exit code {done.returncode}")
        if done.returncode:
            failed.append(part)
    print(f"{len(parts)} parts, failed: {', '.join(failed) or 'none'}")
    return not failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", default=" ".join(PARTS))
    parser.add_argument("--profile", default="full")
    words = parser.parse_args()
    sys.exit(0 if run(words.parts.split(), words.profile) else 1)
