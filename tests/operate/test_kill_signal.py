import asyncio
import os
import sys
from pathlib import Path

import pytest

from engine.operate.kill_signal import signal_engine

ROOT = Path(__file__).resolve().parents[2]
STUCK = """
import socket, sys, time
from pathlib import Path
from engine.operate.kill_latch import EngineLatches, KillLatch
from engine.operate.kill_signal import obey_kill_signal
latch, own = KillLatch(Path(sys.argv[1])), KillLatch(Path(sys.argv[2]).parent / "own")
own.path.parent.mkdir()
latches = EngineLatches(latch, own)
for one in (latch, own):
    one.create()
obey_kill_signal(latches)
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[2])
server.listen()
print("listens", flush=True)
while not latches.is_killed():
    pass
print("all held" if latch.is_killed() else "held by its name", flush=True)
"""


@pytest.mark.parametrize(
    ("is_of_all", "said"), [(True, b"all held\n"), (False, b"held by its name\n")]
)
async def test_a_process_that_accepts_nothing_is_held_by_the_signal(
    tmp_path: Path, *, is_of_all: bool, said: bytes
) -> None:
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

    assert signal_engine(path, is_of_all=is_of_all) == process.pid

    assert await process.stdout.readline() == said
    assert await process.wait() == 0


def test_without_an_engine_nobody_is_signalled(tmp_path: Path) -> None:
    assert signal_engine(tmp_path / "engine.sock") is None
