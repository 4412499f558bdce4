"""Builds the contract from its sources; `python -m tests.contracts.building` writes artifacts.

Without forge, by the very compiler that forge is given, so that the repository's artifacts can be
held to its sources wherever Node is.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from typing import Any

from engine.sandbox.world.packages import CONTRACTS, PACKAGES
from engine.sending.contract_code import ARTIFACTS, CONTRACT_NAMES

LIBRARY = CONTRACTS / "forge" / "node_modules"
FORGE = LIBRARY / "@foundry-rs"
BUILT_FROM = ARTIFACTS / "built_from.json"
_IMPORT = re.compile(r'^(?:import|}) [^"]*"([^"]+)";|from "([^"]+)";', re.MULTILINE)
_PLACES = {
    "FlashArbitrage": "src/FlashArbitrage.sol",
    "UpgradeableFlashArbitrage": "src/UpgradeableFlashArbitrage.sol",
    "ERC1967Proxy": "forge/node_modules/@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol",
}


def build(node: str) -> dict[str, dict[str, Any]]:
    """Return the artifacts of the sources as they are; it takes some seconds where they changed."""
    asked = json.dumps(_asked())
    kept = CONTRACTS / "cache" / f"built-{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        scratch = kept.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(_built(node, asked)))
        scratch.rename(kept)
    found: dict[str, dict[str, Any]] = json.loads(kept.read_text())
    return found


def _built(node: str, asked: str) -> dict[str, dict[str, Any]]:
    compiler = str(CONTRACTS / "compile.js")
    done = subprocess.run([node, compiler], input=asked, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    wrong = [one["formattedMessage"] for one in answer.get("errors", [])]
    assert not wrong, wrong[0]
    names = _immutables(answer)
    return {
        name: _artifact(answer["contracts"][place][name], names) for name, place in _PLACES.items()
    }


def built_from() -> dict[str, str]:
    """Return what sources, settings and compiler the artifacts are of, and what they are: hashes.

    Written down beside them, so that what changed since is seen without a build.
    """
    compiler = json.loads((PACKAGES / "solc" / "package.json").read_text())["version"]
    asked = json.dumps([compiler, _asked()]).encode()
    files = {name: (ARTIFACTS / f"{name}.json").read_bytes() for name in CONTRACT_NAMES}
    return {
        name: hashlib.sha256(content).hexdigest()
        for name, content in ({"sources": asked} | files).items()
    }


def written(artifact: dict[str, Any]) -> str:
    """Return an artifact, or what it is built from, as its file has it."""
    return json.dumps(artifact, indent=1) + "\n"


def _artifact(one: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    deployed = one["evm"]["deployedBytecode"]
    return {
        "abi": one["abi"],
        "bytecode": "0x" + one["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutables": {
            names[int(number)]: [place["start"] for place in places]
            for number, places in sorted(deployed["immutableReferences"].items())
        },
    }


def _asked() -> dict[str, Any]:
    profile = tomllib.loads((CONTRACTS / "foundry.toml").read_text())["profile"]["default"]
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(_sources().items())},
        "settings": {
            "evmVersion": profile["evm_version"],
            "viaIR": profile["via_ir"],
            "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
            "metadata": {
                "bytecodeHash": profile["bytecode_hash"],
                "appendCBOR": profile["cbor_metadata"],
            },
            "remappings": profile["remappings"],
            "outputSelection": {
                "*": {
                    "": ["ast"],
                    "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode"],
                }
            },
        },
    }


def _sources() -> dict[str, str]:
    """Read our sources, and of the library what they name."""
    found: dict[str, str] = {}
    wanted = [one.relative_to(CONTRACTS).as_posix() for one in (CONTRACTS / "src").rglob("*.sol")]
    wanted.append(_PLACES["ERC1967Proxy"])
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = (CONTRACTS / name).read_text()
        for ours, theirs in _IMPORT.findall(found[name]):
            wanted.append(_place(name, ours or theirs))
    return found


def _place(importer: str, named: str) -> str:
    if named.startswith("@openzeppelin/"):
        return f"forge/node_modules/{named}"
    # What is linked to is read where the link is.
    return os.path.relpath(os.path.normpath((CONTRACTS / importer).parent / named), CONTRACTS)


def _immutables(answer: dict[str, Any]) -> dict[int, str]:
    """Return the names of immutable values by their numbers."""
    names: dict[int, str] = {}

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("mutability") == "immutable":
                names[node["id"]] = node["name"]
            for one in node.values():
                look(one)
        elif isinstance(node, list):
            for one in node:
                look(one)

    for source in answer["sources"].values():
        look(source["ast"])
    return names


if __name__ == "__main__":
    ARTIFACTS.mkdir(exist_ok=True)
    for contract, made in build("node").items():
        assert contract in CONTRACT_NAMES
        (ARTIFACTS / f"{contract}.json").write_text(written(made))
    BUILT_FROM.write_text(written(built_from()))
    sys.exit(0)
