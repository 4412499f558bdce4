"""Our own contracts, compiled once for each state of their sources."""

import fcntl
import hashlib
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CONTRACTS = Path(__file__).parents[3] / "contracts"
COMPILER = CONTRACTS / "compile.js"


@cache
def tokens() -> dict[str, str]:
    """Return what deploys each token of contracts/tokens, by its name."""
    return _compiled("Solidity", CONTRACTS / "tokens", "*.sol", "evm.bytecode.object")


@cache
def probes() -> dict[str, str]:
    """Return the code that each contract of contracts/probe has once it is deployed."""
    return _compiled("Yul", CONTRACTS / "probe", "*.yul", "evm.deployedBytecode.object")


def _compiled(language: str, folder: Path, names: str, what: str) -> dict[str, str]:
    sources = {one.name: one.read_text() for one in sorted(folder.glob(names))}
    codes: dict[str, str] = {}
    # One file each: the compiler takes no second one of Yul.
    for group in [sources] if language == "Solidity" else [{k: v} for k, v in sources.items()]:
        for contracts in _run(_asked(language, group, what))["contracts"].values():
            for name, one in contracts.items():
                part = one["evm"]["deployedBytecode" if "deployed" in what else "bytecode"]
                codes[name] = part["object"]
    return codes


def _asked(language: str, sources: dict[str, str], what: str) -> str:
    return json.dumps(
        {
            "language": language,
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": {
                "evmVersion": "paris",
                # Of the tokens there are many, and theirs takes most of the time.
                "optimizer": {"enabled": language == "Yul"},
                "outputSelection": {"*": {"*": [what]}},
            },
        }
    )


def _run(asked: str) -> dict[str, Any]:
    kept = CONTRACTS / "node_modules" / f".compiled-{hashlib.sha256(asked.encode()).hexdigest()}"
    # Processes that want the same wait for whoever compiles it.
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _kept_or_compiled(kept, asked)


def _kept_or_compiled(kept: Path, asked: str) -> dict[str, Any]:
    if not kept.exists():
        node = shutil.which("node")
        if node is None or not (CONTRACTS / "node_modules" / "solc").exists():
            pytest.skip("Node or solc is missing: our tokens cannot be compiled")
        done = subprocess.run(
            [node, COMPILER], input=asked, capture_output=True, text=True, check=True
        )
        answer = json.loads(done.stdout)
        wrong = [one for one in answer.get("errors", []) if one["severity"] == "error"]
        assert not wrong, wrong[0]["formattedMessage"]
        scratch = kept.with_name(f"{kept.name}.{hash(asked)}")
        scratch.write_text(done.stdout)
        scratch.rename(kept)
    found = json.loads(kept.read_text())
    assert isinstance(found, dict)
    return found
