"""Thousands of pools followed: how much of a core the roles take while a real chain moves them.

`make follow-bench`, 2,000 pools at 200 events a second. The node is real, so are its pools, their
contracts and their events; the roles are processes as in any run, beside the sandbox's books. What
they take before anything moves is told apart. At the end each pair's reserves, as the role tells
them, are compared with the node's.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import psutil

from benchmarks.harness import Row, machine, print_table, scalar
from benchmarks.many_pools import many_pools
from engine.bus.chain_reports import ChainLine
from engine.chains.families.uniswap_v2 import GET_RESERVES
from engine.chains.families.words import topic, unsigned
from engine.chains.following.serving import PATH_PREFIX
from engine.chains.safety.verdict_store import VerdictStore
from engine.connectors.block_stream import BlockStream
from engine.domain.errors import TransientError
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.domain.token_safety import Standing, Verdict
from engine.facade.engine import Facade
from engine.operate.supervisor import Supervisor
from engine.pools.blocks import Block, SwapTold
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.requests.chains import GetChains
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from engine.sandbox.world.abi import call_data
from engine.sandbox.world.building import Built
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.packages import NoWorldError
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.site import MULTICALL3
from engine.settings.schema import ChainsSettings, MarketsSettings, Settings
from engine.wiring.front_end import open_facade
from engine.wiring.paths import Paths, prepare
from engine.wiring.run import role_specs

CHAIN: Final = "ethereum"
POOLS: Final = 2_000
EVENTS_PER_S: Final = 200
MEASURED_S: Final = 30
SETTLED_S: Final = 40
"""After the last pool has come, until all routes through them were looked at."""

WARM_S: Final = 5
RESTED_S: Final = 10
LIVE_S: Final = 180.0
PART_RAW: Final = 10**20
"""Of the new tokens, given to a pair of which it has a million."""

ROLES: Final = ("chains", "engine", "ledger")
EVENTS_OF_A_BLOCK: Final = 100
_PAIR_CREATED: Final = "0x" + topic("PairCreated(address,address,address,uint256)").hex()
_CALLS: Final = "aggregate3((address,bool,bytes)[])"


class Load(NamedTuple):
    """How many events come each second, and for how long."""

    events_per_s: int
    seconds: int


class Pairs:
    """The pairs of new tokens, moved by transactions of a hundred of them each.

    Attributes:
        of: each pair, with its new token.
    """

    def __init__(self, rpc: Rpc, world: Built) -> None:
        self._hands = Hands(rpc, world.made.accounts[0])
        self._rng = random.Random(7)
        dex = next(one for one in world.made.dexes if one.name == "Uniswap V2")
        known = {one.address for one in world.made.tokens}
        asked = {"fromBlock": "0x0", "address": dex.factory, "topics": [_PAIR_CREATED]}
        self.of: list[tuple[str, str]] = []
        for log in rpc.ask("eth_getLogs", asked):
            new = [one for one in map(_address, log["topics"][1:]) if one not in known]
            if new:
                self.of.append((_address(log["data"][:66]), new[0]))
        for token in self.tokens:
            self._hands.send(token, "mint(address,uint256)", MULTICALL3, 2**100)
        self._hands.flush()

    @property
    def tokens(self) -> list[str]:
        """The new tokens."""
        return sorted({token for _, token in self.of})

    def move(self, events: int) -> None:
        """Have so many pairs get a new reserve, each told by its `Sync`."""
        chosen = self._rng.sample(self.of, events)
        for start in range(0, events, EVENTS_OF_A_BLOCK):
            calls: list[tuple[str, bool, bytes]] = []
            for pair, token in chosen[start : start + EVENTS_OF_A_BLOCK]:
                part = self._rng.randrange(1, PART_RAW)
                for to, data in (
                    (token, call_data("transfer(address,uint256)", pair, part)),
                    (pair, call_data("sync()")),
                ):
                    calls.append((to, False, bytes.fromhex(data[2:])))
            self._hands.send(MULTICALL3, _CALLS, calls)
        self._hands.flush()


class Heard:
    """What a role's stream begins with: a block, and so many pools as of it."""

    def __init__(self, wanted: int) -> None:
        self.pools: list[PoolSnapshot] = []
        self.is_whole = asyncio.Event()
        self._wanted = wanted

    def removed(self, address: str) -> None:
        """Nothing is removed here."""

    def pool(self, snapshot: PoolSnapshot) -> None:
        """Keep a pool."""
        self.pools.append(snapshot)
        if len(self.pools) >= self._wanted:
            self.is_whole.set()

    def block(self, block: Block) -> None:
        """Not looked at: none comes meanwhile."""

    def gas(self, price: GasPrice) -> None:
        """Not looked at."""

    def told(self, swap: SwapTold) -> None:
        """Not looked at."""

    def lost(self, fault: Fault) -> None:
        """Nothing is known."""
        raise RuntimeError(f"the stream was lost: {fault}")


def _say(text: str) -> None:
    sys.stderr.write(f"follow-bench: {text}\n")
    sys.stderr.flush()


def _address(word: str) -> str:
    return "0x" + word[-40:].lower()


def announced(
    folder: Path, sandbox: Sandbox, node: Any, world: Built, tokens: Sequence[str]
) -> Paths:
    """Prepare an installation whose sandbox has this chain, its tokens known to be safe."""
    paths = prepare(str(folder))
    local = {
        "chain_id": world.plan.chain_id,
        "block_ms": 1_000 * EVENTS_OF_A_BLOCK // EVENTS_PER_S,
        "http_urls": [node.url],
        "ws_urls": [node.ws_url],
        "private_url": "",
        "dexes": world.made.dexes,
        "contracts": {},
    }
    said = sandbox.announcement() | {"pools": [], "chains": {}, "local_chains": {CHAIN: local}}
    paths.sandbox_announce.write_bytes(msgspec.json.encode(said))
    now_s = int(time.time())
    VerdictStore(paths.chains, CHAIN).save(
        [
            Verdict(
                chain=CHAIN,
                token=token,
                symbol="?",
                standing=Standing.SAFE,
                block_number=1,
                block_hash="",
                judged_at_s=now_s - 1,
                until_s=now_s + 86_400,
            )
            for token in (*tokens, *(one.address for one in world.made.tokens))
        ]
    )
    return paths


@asynccontextmanager
async def running(settings: Settings, paths: Paths) -> AsyncIterator[tuple[Supervisor, Facade]]:
    """Run all roles but the sandbox."""
    specs = [one for one in role_specs(settings, paths, has_bot=False) if one.name != "sandbox"]
    end, ready = asyncio.Event(), asyncio.Event()
    supervisor = Supervisor(specs, on_restart=lambda role, why, _: _say(f"{role} again: {why}"))
    async with open_facade(paths) as facade:
        task = asyncio.create_task(supervisor.run(end, on_ready=ready.set))
        try:
            await asyncio.wait(
                (task, asyncio.ensure_future(ready.wait())), return_when=asyncio.FIRST_COMPLETED
            )
            yield supervisor, facade
        finally:
            end.set()
            await task


async def line_of(facade: Facade) -> ChainLine | None:
    """Return how the chain is, None if nobody says."""
    with contextlib.suppress(TransientError):
        for line in (await facade.ask(GetChains())).chains:
            if line.chain == CHAIN:
                return line
    return None


async def _until_live(facade: Facade, wanted: int) -> None:
    async with asyncio.timeout(LIVE_S):
        while True:
            line = await line_of(facade)
            if line is not None and line.pools_live >= wanted and line.listeners:
                return
            await asyncio.sleep(0.5)


def _cpu_s(pids: dict[str, int]) -> dict[str, float]:
    times = {role: psutil.Process(pids[role]).cpu_times() for role in ROLES}
    return {role: one.user + one.system for role, one in times.items()}


async def measured(pools: int, load: Load) -> list[Row]:
    """Follow so many pools while they move."""
    with (
        many_pools(pools) as (node, world),
        Rpc(node.url) as rpc,
        tempfile.TemporaryDirectory(prefix="syn") as folder,
    ):
        pairs = Pairs(rpc, world)
        settings = Settings(
            markets=MarketsSettings(source="sandbox", sandbox_chains=[CHAIN]),
            chains=ChainsSettings(pool_usd_min=0, pools_max=2 * pools),
        )
        settings = msgspec.structs.replace(
            settings, data=msgspec.structs.replace(settings.data, dir=folder)
        )
        async with open_sandbox(SandboxSettings()) as sandbox:
            paths = announced(Path(folder), sandbox, node, world, pairs.tokens)
            figures = await _follow(settings, paths, rpc, pairs, load)
    return figures


async def _follow(
    settings: Settings, paths: Paths, rpc: Rpc, pairs: Pairs, load: Load
) -> list[Row]:
    events_per_s, seconds = load
    async with running(settings, paths) as (supervisor, facade):
        _say(f"waiting for {len(pairs.of)} pairs")
        await _until_live(facade, len(pairs.of))
        await asyncio.sleep(SETTLED_S)
        at_rest = await _shares(supervisor, asyncio.sleep(RESTED_S))
        await _go_on(pairs, events_per_s, WARM_S)
        before, began = await _line(facade), time.monotonic()
        _say(f"{events_per_s} events a second, {seconds} s")
        shares = await _shares(supervisor, _go_on(pairs, events_per_s, seconds))
        took_s, after = time.monotonic() - began, await _line(facade)
        _say(f"{shares} % of a core; is each pair as the node has it?")
        await _check_exact(paths, rpc, pairs, after.pools_live)
    moves = after.counts["moves"] - before.counts["moves"]
    if after.pools_stale or moves < events_per_s * (seconds - 1):
        raise RuntimeError(f"{moves} moves were told, and not all pools are live: {after}")
    name = f"chains.follow.{len(pairs.of):,} pairs"
    return [
        scalar(f"{name}.events", "1/s", moves / took_s),
        *(scalar(f"{name}.{role}, at rest", "% of a core", at_rest[role]) for role in ROLES),
        *(scalar(f"{name}.{role}", "% of a core", shares[role]) for role in ROLES),
        scalar(f"{name}.chains and engine", "% of a core", shares["chains"] + shares["engine"]),
        scalar(f"{name}.lag p99", "ms", after.lag_ms.get("p99", 0.0)),
    ]


async def _shares(supervisor: Supervisor, meanwhile: Awaitable[None]) -> dict[str, float]:
    """Return what each role takes of a core meanwhile."""
    began, spent = time.monotonic(), _cpu_s(supervisor.pids())
    await meanwhile
    took_s, used = time.monotonic() - began, _cpu_s(supervisor.pids())
    return {role: 100 * (used[role] - spent[role]) / took_s for role in ROLES}


async def _line(facade: Facade) -> ChainLine:
    line = await line_of(facade)
    if line is None:
        raise RuntimeError("the role says nothing of its chain")
    return line


async def _go_on(pairs: Pairs, events_per_s: int, seconds: int) -> None:
    """Move the pairs each second."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for _ in range(seconds):
        await asyncio.to_thread(pairs.move, events_per_s)
        due += 1.0
        await asyncio.sleep(max(due - loop.time(), 0.0))


async def _check_exact(paths: Paths, rpc: Rpc, pairs: Pairs, live: int) -> None:
    """Compare each pair, as the role tells it now, with the node; no block comes meanwhile."""
    await asyncio.sleep(1.0)
    heard = Heard(live)
    stream = BlockStream(
        f"ws://{CHAIN}{PATH_PREFIX}{CHAIN}",
        heard,
        proxy=None,
        jitter=lambda: 0.5,
        socket_path=str(paths.blocks_socket),
    )
    task = asyncio.create_task(stream.run())
    async with asyncio.timeout(LIVE_S):
        await heard.is_whole.wait()
    task.cancel()
    rows = {one.pool.address: one.row for one in heard.pools}
    asked = [
        ("eth_call", ({"to": pair, "data": "0x" + GET_RESERVES.hex()}, "latest"))
        for pair, _ in pairs.of
    ]
    for (pair, _), said in zip(pairs.of, rpc.ask_all(asked), strict=True):
        row, data = rows[pair], bytes.fromhex(said[2:])
        assert isinstance(row, PairRow)
        held = (int(row.reserve0_raw), int(row.reserve1_raw))
        assert held == (unsigned(data, 0), unsigned(data, 1)), pair


def measure_all() -> list[Row]:
    """Measure as asked for; nothing where no node is to be had."""
    try:
        return asyncio.run(measured(POOLS, Load(EVENTS_PER_S, MEASURED_S)))
    except NoWorldError as error:
        sys.stderr.write(f"{error}\n")
        return []


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pools", type=int, default=POOLS)
    parser.add_argument("--events", type=int, default=EVENTS_PER_S)
    parser.add_argument("--seconds", type=int, default=MEASURED_S)
    options = parser.parse_args()
    print(f"machine: {machine()}")
    print_table(asyncio.run(measured(options.pools, Load(options.events, options.seconds))))
    sys.exit(0)
