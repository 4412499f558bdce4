import asyncio
import os
import sys
from pathlib import Path

from engine.operate.kill_signal import signal_engine

ROOT = Path(__file__).resolve().parents[2]
STUCK = """
import socket, sys, time
from pathlib import Path
from engine.operate.kill_latch import KillLatch
from engine.operate.kill_signal import obey_kill_signal
latch = KillLatch(Path(sys.argv[1]))
latch.create()
obey_kill_signal(latch)
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[2])
server.listen()
print("listens", flush=True)
while not latch.is_killed():
    pass
print("held", flush=True)
"""


async def test_a_process_that_accepts_nothing_is_held_by_the_signal(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        STUCK,
        str(tmp_path),
        str(path),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listens\n"

    assert signal_engine(path) == process.pid

    assert await process.stdout.readline() == b"held\n"
    assert await process.wait() == 0


def test_without_an_engine_nobody_is_signalled(tmp_path: Path) -> None:
    assert signal_engine(tmp_path / "engine.sock") is None
