"""However roles are started, stopped and killed: one engine trades, and that one answers."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from engine.bus.command import seal
from engine.bus.reports import Acknowledged
from engine.domain.errors import TransientError
from engine.requests.overview import GetStatus
from engine.requests.safety import Pause
from engine.wiring.front_end import open_facade
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S, insist
from tests.scenarios.rig import (
    CALM,
    environment,
    run_engine_command,
    running_installation,
)
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


@asynccontextmanager
async def role(data_dir: Path, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a role without a supervisor, as a person would by hand."""
    with (data_dir.parent / f"{name}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "engine", "role", name),
            cwd=data_dir.parent,
            env=environment(data_dir),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def answering(data_dir: Path, *, other_than: str = "") -> str:
    """Wait for a run that answers at the engine's socket, and return its id."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with open_facade(Paths(data_dir)) as facade:
                with suppress(TransientError):
                    status = await facade.ask(GetStatus())
                    if status.run_id != other_than:
                        return status.run_id
            await asyncio.sleep(0.05)


def is_running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def test_a_second_engine_is_refused_and_the_firsts_socket_stays_or_is_there_again(
    tmp_path: Path,
) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, speed=CALM) as first,
    ):
        run_id = (await first.until_live()).run_id
        pid = first.role("engine").pid
        paused = await insist(first.facade, seal(Pause(), by="test", at_ns=time.time_ns()))
        assert isinstance(paused, Acknowledged)

        code, said = await run_engine_command(tmp_path / "var", "role", "engine")

        assert code == 3
        assert f"another engine (process {pid}) already runs" in said
        status = await insist(first.facade, GetStatus())
        assert (status.run_id, status.is_paused) == (run_id, True)

        (tmp_path / "var" / "run" / "engine.sock").unlink()
        assert await answering(tmp_path / "var") == run_id, "a socket that was removed"


@pytest.mark.campaign
async def test_a_new_run_ends_the_roles_that_an_earlier_one_left_stopped(tmp_path: Path) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, speed=CALM) as first,
    ):
        await first.until_live()
        await first.say("/start", "Syndicate")
        left = [first.role(name) for name in ("ledger", "engine", "bot")]
        for process in left:
            process.send_signal(signal.SIGSTOP)
        first.process.kill()
        await first.process.wait()

        async with running_installation(tmp_path / "var", phone, speed=CALM) as second:
            await second.until_live()
            _, alive = await asyncio.to_thread(psutil.wait_procs, left, timeout=PATIENCE_S)

            assert alive == []
            assert await answering(tmp_path / "var")


@pytest.mark.campaign
async def test_an_engine_that_was_stopped_is_ended_and_started_anew(tmp_path: Path) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, speed=CALM) as first,
    ):
        before = await first.until_live()
        await first.say("/start", "Syndicate")
        stopped = first.role("engine")
        stopped.send_signal(signal.SIGSTOP)

        await first.until_status(lambda status: status.run_id != before.run_id)

        assert not is_running(stopped)
        await first.until_told("no sign of life")


async def test_an_engine_whose_lease_was_taken_stops_and_the_other_goes_on(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    async with AsyncExitStack() as stack:
        for name, sign in (("sandbox", "sandbox.json"), ("ledger", "ledger.sock")):
            await stack.enter_async_context(role(data_dir, name))
            async with asyncio.timeout(PATIENCE_S):
                while not (data_dir / "run" / sign).exists():
                    await asyncio.sleep(0.05)
        old = await stack.enter_async_context(role(data_dir, "engine"))
        first = await answering(data_dir)
        old.send_signal(signal.SIGSTOP)
        # The worst that a person can do: throw the lease away, so that a second one is started.
        (data_dir / "run" / "engine.lock").unlink()
        await stack.enter_async_context(role(data_dir, "engine"))
        second = await answering(data_dir, other_than=first)

        old.send_signal(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_S):
            code = await old.wait()

        assert code == 75
        assert "was taken from this engine" in (tmp_path / "engine.log").read_text()
        assert await answering(data_dir) == second
