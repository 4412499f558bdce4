"""Memory of the role `chains` as a process, with local chains and thousands of real pools followed.

`make role-memory` (POOLS=5000 on six chains) prints resident memory in MB: once all pools are live,
the most since the start, and after blocks with trades; with one process for all chains, or each.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from benchmarks.many_pools import many_pools
from engine.bus.chain_reports import ChainsReport
from engine.chains.safety.verdict_store import VERDICTS_MAX, VerdictStore
from engine.domain.chains import CHAINS
from engine.domain.errors import TransientError
from engine.domain.token_safety import Standing, Verdict
from engine.requests.chains import GetChains
from engine.sandbox.world.abi import topic
from engine.sandbox.world.anvil import Anvil
from engine.sandbox.world.building import Built
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.trader import Trader
from engine.wiring.bus import caller_to
from engine.wiring.chain_processes import ROLE
from engine.wiring.paths import Paths, prepare

READY_S: Final = 1_200.0
BLOCKS: Final = 10
LOOK_S: Final = 0.2
STILL_LOOKS: Final = 10
"""So often the same: no more pools come."""
_CREATED: Final = [
    [
        topic("PairCreated(address,address,address,uint256)"),
        topic("PoolCreated(address,address,uint24,int24,address)"),
    ]
]
_MB: Final = 2**20


def announced(folder: Path, chains: dict[str, tuple[Anvil, Built]]) -> Paths:
    """Return an installation whose sandbox has these chains, with all of their tokens safe."""
    paths = prepare(str(folder))
    said: dict[str, Any] = {
        "websocket_urls": {},
        "rest_urls": {},
        "pairs": {},
        "market_note": "a measurement",
        "pools": [],
        "local_chains": {},
    }
    for name, (node, world) in chains.items():
        said["local_chains"][name] = {
            "chain_id": world.plan.chain_id,
            "block_ms": CHAINS[name].block_ms,
            "http_urls": [node.url],
            "ws_urls": [node.ws_url],
            "private_url": "",
            "dexes": world.made.dexes,
            "contracts": world.made.contracts,
        }
        verdicts = [_safe(name, token) for token in _tokens(node, world)]
        assert len(verdicts) < VERDICTS_MAX
        VerdictStore(paths.chains, name).save(verdicts)
    paths.sandbox_announce.write_bytes(msgspec.json.encode(said))
    return paths


def _tokens(node: Anvil, world: Built) -> set[str]:
    with Rpc(node.url) as rpc:
        logs = rpc.ask("eth_getLogs", {"fromBlock": "0x0", "topics": _CREATED})
    found = {"0x" + word[26:] for log in logs for word in log["topics"][1:3]}
    return found | {one.address for one in world.made.tokens}


def _safe(chain: str, token: str) -> Verdict:
    return Verdict(
        chain=chain,
        token=token,
        symbol="?",
        standing=Standing.SAFE,
        block_number=1,
        block_hash="",
        judged_at_s=int(time.time()) - 1,
        until_s=int(time.time()) + 86_400,
    )


@contextmanager
def process(paths: Paths, role: str) -> Iterator[psutil.Process]:
    """Run the role as the supervisor does."""
    environment = {
        **os.environ,
        "SYNDICATE_DATA_DIR": str(paths.data_dir),
        "SYNDICATE_CHAINS_POOL_USD_MIN": "100",
        "SYNDICATE_CHAINS_PROCESSES": "one" if role == ROLE else "each",
    }
    started = subprocess.Popen(
        [sys.executable, "-m", "engine", "role", role], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait()


async def until_live(paths: Paths, roles: Sequence[str]) -> int:
    """Wait until there are pools, all are live, and no more come; return how many."""
    until_s = time.monotonic() + READY_S
    seen: list[tuple[int, int]] = []
    while time.monotonic() < until_s:
        live = stale = 0
        for role in roles:
            caller = caller_to(paths, role)
            with suppress(TransientError):
                report: ChainsReport = await caller.call(GetChains())
                live += sum(one.pools_live for one in report.chains)
                stale += sum(one.pools_stale for one in report.chains)
            await caller.aclose()
        print(f"{live} pools are live, {stale} are not yet", file=sys.stderr, flush=True)
        seen.append((live, stale))
        if live and not stale and seen[-STILL_LOOKS:] == [(live, 0)] * STILL_LOOKS:
            return live
        await asyncio.sleep(2.0)
    raise TimeoutError(f"{live} pools are live and {stale} are not after {READY_S:.0f} s")


def trade(chains: dict[str, tuple[Anvil, Built]], rng: random.Random) -> None:
    """Make blocks with a few trades each, on every chain."""
    with ExitStack() as stack:
        traders = []
        for node, world in chains.values():
            rpc = stack.enter_context(Rpc(node.url))
            traders.append((Trader(Hands(rpc, world.made.accounts[1]), world.made), world.made))
        for _ in range(BLOCKS):
            for trader, made in traders:
                pools = [one for one in made.pools if one.protocol.value == "uniswap_v2"]
                pool = rng.choice(pools)
                token = rng.choice(pool.tokens)
                trader.swap(pool, token, 10 ** next(
                    one.decimals for one in made.tokens if one.address == token
                ) // 10)  # fmt: skip
                trader.hands.flush()
            time.sleep(LOOK_S)


def figures_of(process: psutil.Process) -> dict[str, float]:
    """Return what a process has now, and had at most."""
    with Path(f"/proc/{process.pid}/status").open() as file:
        most_kb = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    memory = process.memory_full_info()
    return {
        "rss_mb": round(memory.rss / _MB, 1),
        "own_mb": round(memory.uss / _MB, 1),
        "most_mb": round(most_kb / 1_024, 1),
    }


async def measured(pools: int, names: Sequence[str], *, is_each: bool) -> dict[str, Any]:
    """Measure one way of running."""
    with ExitStack() as stack:
        chains = {
            name: stack.enter_context(many_pools(pools // len(names), name)) for name in names
        }
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        paths = announced(Path(folder), chains)
        roles = [f"{ROLE}-{name}" for name in names] if is_each else [ROLE]
        processes = {role: stack.enter_context(process(paths, role)) for role in roles}
        began_s = time.monotonic()
        live = await until_live(paths, roles)
        live_s = round(time.monotonic() - began_s, 1)
        first = {role: figures_of(one) for role, one in processes.items()}
        await asyncio.to_thread(trade, chains, random.Random(1))
        then = {role: figures_of(one) for role, one in processes.items()}
    return {"pools": live, "live_s": live_s, "live": first, "after_blocks": then}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pools", type=int, default=5_000)
    parser.add_argument("--chains", default=",".join(CHAINS))
    parser.add_argument("--each", action="store_true", help="a process for each chain")
    options = parser.parse_args()
    names = options.chains.split(",")
    print(json.dumps(asyncio.run(measured(options.pools, names, is_each=options.each)), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
