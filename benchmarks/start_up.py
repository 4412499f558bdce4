"""Start to first live book, and memory of all roles: a real installation on the sandbox."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from benchmarks import harness
from engine.bus.reports import StatusReport
from engine.domain.errors import TransientError
from engine.requests.overview import GetStatus
from engine.wiring.front_end import open_facade
from engine.wiring.paths import Paths

SETTLE_S = 10.0
DEADLINE_S = 120.0


@contextlib.asynccontextmanager
async def installation(directory: Path) -> AsyncIterator[tuple[int, float]]:
    """Run an installation on the sandbox until the block ends.

    Gives its process once a book is live, and how long that took in s.
    """
    environment = dict(os.environ, SYNDICATE_DATA_DIR=str(directory), MARKETS="sandbox")
    started_s = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "engine",
        "run",
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(DEADLINE_S), open_facade(Paths(directory)) as facade:
            while True:
                try:
                    status = await facade.ask(GetStatus())
                except TransientError:
                    status = None
                if isinstance(status, StatusReport) and any(
                    line.books_live for line in status.venues
                ):
                    break
                await asyncio.sleep(0.02)
        yield child.pid, time.monotonic() - started_s
    finally:
        child.terminate()
        await child.wait()


def measure() -> list[harness.Row]:
    """Measure one start with compiled kernels cached."""
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        return asyncio.run(_measure(Path(directory)))


async def _measure(directory: Path) -> list[harness.Row]:
    async with installation(directory) as (pid, live_s):
        await asyncio.sleep(SETTLE_S)
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        resident_mb = sum(process.memory_info().rss for process in tree) / 1_048_576
    return [
        harness.scalar("start_to_first_live_book", "s", live_s),
        harness.scalar("memory_of_all_roles", "MB", resident_mb),
    ]


if __name__ == "__main__":
    harness.print_table(measure())
