import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.operate.takeover import end_left_behind

HOLDER = """
import sys, time
from pathlib import Path
from engine.bus.lease import held_lease
with held_lease(Path(sys.argv[1]), what="engine"):
    print("held", flush=True)
    time.sleep(600)
"""
ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def holding(lease: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that holds a lease; its last argument is the lease."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, str(lease)), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_stopped_process_that_holds_the_lease_of_its_role_is_killed(tmp_path: Path) -> None:
    lease = tmp_path / "engine.lock"
    async with holding(lease) as left:
        left.send_signal(signal.SIGSTOP)
        # Before it has stopped, SIGTERM would be first.
        await asyncio.to_thread(os.waitid, os.P_PID, left.pid, os.WSTOPPED | os.WNOWAIT)

        await end_left_behind(lease, [str(lease)], stop_s=0.1)

        assert await left.wait() == -signal.SIGKILL


async def test_a_process_that_still_hears_is_asked_to_end(tmp_path: Path) -> None:
    lease = tmp_path / "engine.lock"
    async with holding(lease) as left:
        await end_left_behind(lease, [str(lease)], stop_s=20.0)

        assert await left.wait() == -signal.SIGTERM


async def test_whatever_else_holds_the_lease_is_left_alone(tmp_path: Path) -> None:
    lease = tmp_path / "engine.lock"
    async with holding(lease) as other:
        with pytest.raises(
            FatalError, match=f"held by process {other.pid}, which is no role engine"
        ):
            await end_left_behind(lease, ["-m", "engine", "role", "engine"], stop_s=0.1)

        assert other.returncode is None


async def test_a_lease_that_nobody_holds_needs_nothing(tmp_path: Path) -> None:
    lease = tmp_path / "engine.lock"
    await end_left_behind(lease, ["x"], stop_s=0.1)
    lease.write_text("1\n")

    await end_left_behind(lease, ["x"], stop_s=0.1)
