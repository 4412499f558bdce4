"""The local world as forge loads it: ``python -m tests.contracts.forge_world`` writes it.

So the contract meets in Solidity the protocols that it meets from Python: Uniswap V2, V3 and V4,
forks, Balancer and Aave as their makers compiled them, with the pools and prices of the sandbox.
"""

import json
import sys
from pathlib import Path
from typing import Any

from engine.sandbox.world.building import Built, built
from engine.sandbox.world.packages import CONTRACTS
from engine.sandbox.world.values import WorldPool

FOLDER = CONTRACTS / "cache"
CHAIN = "ethereum"


def write(folder: Path = FOLDER) -> None:
    """Write what forge loads: accounts, and where everything is."""
    world = built(CHAIN)
    folder.mkdir(exist_ok=True)
    state = json.loads(world.state.read_bytes())
    (folder / "world.json").write_text(json.dumps(_allocs(state["accounts"])))
    (folder / "places.json").write_text(json.dumps(_places(world, state), indent=1))


def _allocs(accounts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        address: {
            "nonce": hex(one["nonce"]),
            "balance": one["balance"],
            "code": one["code"],
            "storage": {_word(slot): _word(value) for slot, value in one["storage"].items()},
        }
        for address, one in accounts.items()
    }


def _word(text: str) -> str:
    return "0x" + text.removeprefix("0x").rjust(64, "0")


def _places(world: Built, state: dict[str, Any]) -> dict[str, Any]:
    made = world.made
    symbols = {one.address: one.symbol.lower() for one in (*made.tokens, made.coin)}
    symbols[made.coin.address] = "coin"
    return {
        "timestamp": int(state["block"]["timestamp"], 16),
        "tokens": {one.symbol.lower(): one.address for one in made.tokens},
        "contracts": dict(made.contracts),
        "pools": {_name(pool, symbols): pool.address for pool in made.pools},
        "ids": {_name(pool, symbols): pool.balancer_id for pool in made.pools if pool.balancer_id},
    }


def _name(pool: WorldPool, symbols: dict[str, str]) -> str:
    """Name a pool: ``uniswap_v3_usdc_weth_500``."""
    dex = "".join(one if one.isalnum() else "_" for one in pool.dex.lower().replace(", ", "_"))
    tokens = "_".join(sorted(symbols[token] for token in pool.tokens))
    return f"{dex}_{tokens}_{pool.fee_pips}"


if __name__ == "__main__":
    write()
    sys.exit(0)
