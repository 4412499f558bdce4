"""A plan from its hand-over to its signed transaction, right after a block.

`python -m benchmarks.sending`, or `make bench PARTS=sent`. A real node with real protocols and our
contract, the role `signer` as a process of its own, and the sender's desk, table and simulator as
the role has them. Each round makes a block with a trade, reads of it what routes read, looks at it,
has a plan of that block handed over, and goes on until its transaction is signed and sent. What
comes before - a log on its way to a plan - is measured by the parts on logs and blocks of a chain,
and all of it while all roles run by `make bench-live`.
"""

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import psutil

from benchmarks.harness import Row, machine, print_table, row, scalar
from benchmarks.signing import signer_role, signing_environment
from engine.bus.sending import AskAfter, HandOver
from engine.bus.unix_socket import SocketCaller
from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.errors import TransientError
from engine.domain.units import NS_PER_S
from engine.sandbox.world.building import built, start_world
from engine.sending.desk import ChainDesk
from engine.sending.warming import WarmSimulator
from engine.wiring.paths import prepare
from engine.wiring.sender_answers import SenderAnswers
from engine.wiring.signer_client import rehearsed_by, signed_by
from tests.chains.local_world import LocalWorld
from tests.sending.sending_world import CHAIN, SECRET, SendingWorld

ROUNDS: Final = 400
WARM_UP: Final = 50
READY_S: Final = 60.0
GAP: Final = 0.02
"""ETH that a round's trade sells, and its plan takes back."""

_MB: Final = 2**20

Took = dict[str, list[int]]


def measure_all() -> list[Row]:
    """Measure each stage, and all of them together."""
    took: Took = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        local = LocalWorld(*start_world(built(CHAIN), options=("--slots-in-an-epoch", "2")))
        world = SendingWorld(local, Path(folder))
        try:
            world.gap(60)
            grown_mb, role_mb = world.run(partial(_with_signer, world, Path(folder), took))
        finally:
            world.close()
            local.close()
    took.pop("signed_at")
    rows = [
        row(f"sending.{name}", np.array(durations[WARM_UP:])) for name, durations in took.items()
    ]
    return [
        *rows,
        scalar("sending.memory_grown", "MB", grown_mb),
        scalar("sending.memory_of_role", "MB", role_mb),
    ]


async def _with_signer(
    world: SendingWorld, folder: Path, took: Took, desk: ChainDesk
) -> tuple[float, float]:
    async with signer_role(
        folder, secret=SECRET, contract=world.contract, code_hash=world.code_hash
    ) as caller:
        desk.beginnings.rehearse = rehearsed_by(caller)
        desk.signatures.ask = _timed(partial(signed_by, caller), took["signed"], took["signed_at"])
        grown_mb = await _rounds(world, took, desk)
        return grown_mb, await _role_mb(world, folder, desk)


async def _rounds(world: SendingWorld, took: Took, desk: ChainDesk) -> float:
    """Go through all rounds; return by how many MB the process grew after the first ones."""
    warm = desk.beginnings.simulate
    assert isinstance(warm, WarmSimulator)
    desk.beginnings.simulate = _timed(warm, took["simulated"])
    answers = SenderAnswers(world.table)
    process, before_b = psutil.Process(), 0
    gc.collect()
    gc.freeze()
    for number in range(WARM_UP + ROUNDS):
        if number == WARM_UP:
            before_b = process.memory_info().rss
        world.gap(GAP)
        head = await desk.view.head()
        at_ns = partial(int, head.ts * NS_PER_S)
        desk.now_ns = desk.beginnings.now_ns = desk.signatures.now_ns = at_ns
        # What the role does with each block as its nodes tell of it.
        desk.hear(head.hash)
        began = time.perf_counter_ns()
        await warm.ready(head)
        took["state_of_a_new_block"].append(time.perf_counter_ns() - began)
        await desk.step()
        plan = msgspec.structs.replace(
            world.plan(str(GAP), seconds=20), deadline_block=head.number + DEADLINE_BLOCKS
        )
        handed, signed = world.handed(plan), len(took["signed"])
        began = time.perf_counter_ns()
        handing = asyncio.create_task(_timed(answers.hand_over, took["handed_over"])(handed))
        await answers.handed.wait()
        answers.handed.clear()
        await desk.begin_at_once()
        took["handed_over_to_signed"].append(took["signed_at"][-1] - began)
        took["whole_step"].append(time.perf_counter_ns() - began)
        await handing
        assert len(took["signed"]) == signed + 1, world.news(plan)
        await warm.learn(head)
        while world.table.open_lives():
            world.world.mine()
            await desk.step()
    return (process.memory_info().rss - before_b) / _MB


async def _role_mb(world: SendingWorld, folder: Path, desk: ChainDesk) -> float:
    """Return what the role takes as a process of its own, once it has sent something, in MB."""
    paths, made = prepare(str(folder / "var")), world.world.made
    local: dict[str, Any] = {
        "chain_id": world.world.world.chain_id,
        "block_ms": 2_000,
        "http_urls": [world.world.node.url],
        "ws_urls": [world.world.node.ws_url],
        "private_url": "",
        "dexes": made.dexes,
        "contracts": made.contracts,
    }
    said = {"websocket_urls": {}, "rest_urls": {}, "pairs": {}, "market_note": "a measurement"}
    paths.sandbox_announce.write_bytes(
        msgspec.json.encode({**said, "pools": [], "local_chains": {CHAIN: local}})
    )
    environment = signing_environment(folder, world.contract, world.code_hash)
    started = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-m", "engine", "role", "sender"], env=environment
    )
    caller = SocketCaller(paths.socket("sender"), role="sender")
    try:
        world.gap(GAP)
        head = await desk.view.head()
        plan = msgspec.structs.replace(
            world.plan(str(GAP), seconds=READY_S), deadline_block=head.number + DEADLINE_BLOCKS
        )
        async with asyncio.timeout(READY_S):
            while True:
                try:
                    await caller.call(HandOver(handed=world.handed(plan)))
                    while not (
                        await caller.call(AskAfter(client_order_id=f"{plan.plan_id}-t"))
                    ).news:
                        world.world.mine()
                        await asyncio.sleep(0.1)
                    break
                except TransientError:
                    await asyncio.sleep(0.1)
        return psutil.Process(started.pid).memory_info().rss / _MB
    finally:
        await caller.aclose()
        started.terminate()
        await asyncio.to_thread(started.wait)


def _timed(
    call: Callable[..., Awaitable[Any]], took: list[int], at: list[int] | None = None
) -> Any:
    async def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter_ns()
        try:
            return await call(*given, **named)
        finally:
            ended = time.perf_counter_ns()
            took.append(ended - began)
            if at is not None:
                at.append(ended)

    return timed


if __name__ == "__main__":
    print(machine())
    print_table(measure_all())
