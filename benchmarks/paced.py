"""Frames on a schedule, as a market sends them: from the readable socket to the decision.

Open loop: a venue in a process of its own sends each frame at its instant over TLS, whatever
becomes of those before, so that a stall counts for every frame that waited. Both sides note times
of the one monotonic clock. Between frames caches go cold and the loop falls asleep, which no
figure taken back to back shows.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import harness, start_up
from benchmarks.paced_engine import BLOCKS_VARIABLE
from benchmarks.paced_sender import CERTIFICATE, KEY, PATIENCE_S, WARM_UP, Pace
from engine.operate.own_core import CORES_LEAST, set_core_aside

PACES = {
    "0.3_ms": Pace(interval_ns=300_000, frames=9_000),
    "3_ms": Pace(interval_ns=3_000_000, frames=2_500),
    "30_ms": Pace(interval_ns=30_000_000, frames=300),
}
FLOOR_PACES = {
    "0.3_ms": Pace(interval_ns=300_000, frames=3_000),
    "3_ms": Pace(interval_ns=3_000_000, frames=1_000),
    "30_ms": Pace(interval_ns=30_000_000, frames=150),
}
LIVE_MIN = 10
"""Books of the recording, which must all be followed to the end."""

LOOK_S = 1.0
TURNS = 2
ROOT = Path(__file__).resolve().parents[1]

Times = np.ndarray[Any, Any]


def make_certificate(folder: Path) -> None:
    """Make a key and a certificate of this machine's loopback that lasts a day."""
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / KEY), "-out", str(folder / CERTIFICATE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"openssl made no certificate: {made.stderr.strip()}")


async def run(which: str, paces: Sequence[Pace], **environment: str) -> list[dict[str, Times]]:
    """Let a receiver, `engine` or `floor`, take each pace; returns instants per frame, in ns.

    Of each frame: `due`, `sent`, and `bytes` at the receiver; for the engine also `core` and
    `decided`.
    """
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        folder = Path(directory)
        make_certificate(folder)
        texts = [str(pace) for pace in paces]
        trust = {"SSL_CERT_FILE": str(folder / CERTIFICATE)}
        sender = await _start("paced_sender", directory, *texts)
        try:
            async with asyncio.timeout(PATIENCE_S):
                assert sender.stdout is not None
                port = int(await sender.stdout.readline())
                receiver = await _start(
                    f"paced_{which}", str(port), directory, *texts, **environment, **trust
                )
                try:
                    if await receiver.wait() or await sender.wait():
                        raise RuntimeError(f"the {which} did not take all frames")
                finally:
                    await _end(receiver)
        finally:
            await _end(sender)
        return [_instants(folder, which, number) for number in range(len(paces))]


async def _start(module: str, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", f"benchmarks.{module}", *arguments),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
    )


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()
        await child.wait()


def _instants(folder: Path, which: str, number: int) -> dict[str, Times]:
    due, sent, ends = np.load(folder / f"sent-{number}.npy").T
    with np.load(folder / f"{which}-{number}.npz") as got:
        at_ns, bytes_by_then = got["bytes"].T
        arrival = np.searchsorted(bytes_by_then, ends)
        instants = {"due": due, "sent": sent, "bytes": at_ns[arrival]}
        if which == "engine":
            if got["live"] < LIVE_MIN:
                raise RuntimeError(f"only {got['live']} books are live")
            core, decided = got["frames"][WARM_UP:].T
            instants |= {"core": core, "decided": decided}
    return instants


STAGES = {
    "schedule_to_socket": ("due", "sent"),
    "socket_to_process": ("sent", "bytes"),
    "process_to_core": ("bytes", "core"),
    "core_to_decision": ("core", "decided"),
    "socket_to_decision": ("sent", "decided"),
    "schedule_to_decision": ("due", "decided"),
}


def rows_of(name: str, instants: dict[str, Times]) -> list[harness.Row]:
    """Return a row of each stage."""
    return [
        harness.row(f"{name}.{stage}", instants[last] - instants[first])
        for stage, (first, last) in STAGES.items()
    ]


async def _measure(name: str, **environment: str) -> list[harness.Row]:
    rows = []
    engine = await run("engine", list(PACES.values()), **environment)
    floor = await run("floor", list(FLOOR_PACES.values()), **environment)
    for pace, of_engine, of_floor in zip(PACES, engine, floor, strict=True):
        rows += rows_of(f"paced.{pace}.{name}", of_engine)
        waited = of_floor["bytes"] - of_floor["sent"]
        rows.append(harness.row(f"paced.{pace}.{name}.floor.socket_to_bytes", waited))
    return rows


async def measure_with_chain() -> list[harness.Row]:
    """Measure frames alone, and at a receiver that follows thousands of pools beside, in turns.

    The ratio is that of the times from the readable socket to the decision: with, over without.
    """
    pace = PACES["3_ms"]
    without: list[Times] = []
    beside: list[Times] = []
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        path = str(Path(directory) / "blocks")
        chain = await _start("paced_chain", path)
        try:
            assert chain.stdout is not None
            await chain.stdout.readline()
            for _ in range(TURNS):
                for taken, more in ((without, {}), (beside, {BLOCKS_VARIABLE: path})):
                    (instants,) = await run("engine", [pace], **more)
                    taken.append(instants["decided"] - instants["sent"])
        finally:
            await _end(chain)
    alone, both = np.concatenate(without), np.concatenate(beside)
    name = "paced.3_ms.following_pools.socket_to_decision"
    ratio = float(np.median(alone) / np.median(both))
    return [
        replace(harness.row(name, both), peer="itself without pools", ratio=round(ratio, 2)),
        harness.scalar(f"{name}, p99 over that without", "times", _p99(both) / _p99(alone)),
    ]


def _p99(times_ns: Times) -> float:
    return float(np.percentile(times_ns, 99))


async def _measure_all() -> list[harness.Row]:
    rows = [harness.scalar("paced.cores_busy_before", "cores", _cores_busy())]
    rows += await _measure("alone")
    rows += await measure_with_chain()
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        async with start_up.installation(Path(directory)):
            rows.append(harness.scalar("paced.cores_busy_beside", "cores", _cores_busy()))
            rows += await _measure("busy")
    return rows + await _measure_own_core()


async def _measure_own_core() -> list[harness.Row]:
    """Measure beside a whole installation, which shares the other cores with the sender."""
    cores, environment = os.sched_getaffinity(0), dict[str, str]()
    if len(cores) < CORES_LEAST:
        return []
    set_core_aside(environment)
    try:
        with tempfile.TemporaryDirectory(prefix="syn") as directory:
            async with start_up.installation(Path(directory)):
                return await _measure("own_core", **environment)
    finally:
        os.sched_setaffinity(0, cores)


def _cores_busy() -> float:
    """Return how many cores were at work in the last second."""
    share = psutil.cpu_percent(interval=LOOK_S) / 100
    return share * (psutil.cpu_count() or 1)


def measure() -> list[harness.Row]:
    """Measure all paces: alone, beside a whole installation, and there with a core of its own."""
    return asyncio.run(_measure_all())


if __name__ == "__main__":
    print(f"machine: {harness.machine()}")
    is_short = sys.argv[1:] == ["pools"]
    harness.print_table(asyncio.run(measure_with_chain()) if is_short else measure())
