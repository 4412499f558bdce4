import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from engine.operate import exit_codes
from engine.operate.supervisor import RoleSpec, Supervisor

ROLE = """
import asyncio, os, sys
from engine.operate.lifeline import announce_ready, stop_signals

async def main():
    async with stop_signals(ignores_interrupt=True) as stop:
        with open(sys.argv[1], "a") as log:
            log.write(f"start {os.getpid()}\\n")
        announce_ready()
        if len(sys.argv) > 2:
            sys.exit(int(sys.argv[2]))
        await stop.wait()
        with open(sys.argv[1], "a") as log:
            log.write("stop\\n")

asyncio.run(main())
"""


class Bench:
    """A supervisor of small real roles, and what they wrote."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.restarts: list[tuple[str, str]] = []
        self.left_out: list[str] = []
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()
        self.supervisor: Supervisor | None = None
        (directory / "role.py").write_text(ROLE)

    def spec(
        self, name: str, *arguments: str, ends_all: bool = False, is_vital: bool = True
    ) -> RoleSpec:
        return RoleSpec(
            name=name,
            arguments=[str(self.directory / "role.py"), str(self.directory / name), *arguments],
            ends_all=ends_all,
            is_vital=is_vital,
            log_path=self.directory / f"{name}.log",
        )

    async def run(self, *specs: RoleSpec) -> int:
        def note(role: str, why: str, _count: int) -> None:
            self.restarts.append((role, why))

        self.supervisor = Supervisor(specs, on_restart=note, on_left_out=self.left_out.append)
        return await self.supervisor.run(self.stop, on_ready=self.ready.set)

    def lines(self, name: str) -> list[str]:
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    async def until_started(self, name: str, times: int) -> None:
        async with asyncio.timeout(20):
            while sum(line.startswith("start") for line in self.lines(name)) < times:
                await asyncio.sleep(0.01)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    return Bench(tmp_path)


async def test_roles_start_in_order_and_stop_in_reverse(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(bench.spec("a"), bench.spec("b")))
    await bench.ready.wait()
    assert bench.supervisor is not None
    pids = bench.supervisor.pids()
    bench.stop.set()

    assert await running == exit_codes.OK
    assert list(pids) == ["a", "b"]
    assert bench.lines("a")[-1] == "stop"
    assert (bench.directory / "a").stat().st_mtime_ns >= (bench.directory / "b").stat().st_mtime_ns


async def test_a_killed_role_is_started_again_and_told(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(bench.spec("a"), bench.spec("b")))
    await bench.ready.wait()
    assert bench.supervisor is not None
    os.kill(bench.supervisor.pids()["a"], signal.SIGKILL)
    await bench.until_started("a", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert bench.restarts == [("a", "killed by SIGKILL")]


async def test_a_fatal_exit_ends_everything_with_its_code(bench: Bench) -> None:
    code = await bench.run(bench.spec("a"), bench.spec("b", str(exit_codes.FATAL)))

    assert code == exit_codes.FATAL
    assert bench.lines("a")[-1] == "stop"
    assert bench.restarts == []


async def test_a_fatal_end_of_a_role_that_is_not_vital_leaves_the_others_running(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.operate.supervisor.LEFT_OUT_S", 0.01)
    closed = bench.spec("b", str(exit_codes.FATAL), is_vital=False)
    running = asyncio.create_task(bench.run(bench.spec("a"), closed))
    await bench.until_started("b", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert bench.left_out[0] == "b"
    assert bench.restarts == []
    assert bench.lines("a")[-1] == "stop"


async def test_a_role_that_misses_something_outside_does_not_keep_the_others_from_starting(
    bench: Bench,
) -> None:
    away = bench.spec("a", str(exit_codes.TRANSIENT))
    running = asyncio.create_task(bench.run(away, bench.spec("b")))
    await bench.until_started("b", 1)
    await bench.until_started("a", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert bench.restarts[0] == ("a", f"exit code {exit_codes.TRANSIENT}")


async def test_the_person_leaving_the_terminal_ends_everything(bench: Bench) -> None:
    assert await bench.run(bench.spec("a"), bench.spec("b", "0", ends_all=True)) == exit_codes.OK
    assert bench.lines("a")[-1] == "stop"


async def test_roles_end_when_the_supervisor_is_killed(bench: Bench) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path;"
        "from engine.operate.supervisor import RoleSpec, Supervisor;"
        f"spec = RoleSpec(name='a', arguments=[{str(bench.directory / 'role.py')!r},"
        f" {str(bench.directory / 'a')!r}]);"
        "supervisor = Supervisor([spec], on_restart=lambda *_: None);"
        "asyncio.run(supervisor.run(asyncio.Event(), on_ready=lambda: None))"
    )
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await bench.until_started("a", 1)
    role = psutil.Process(int(bench.lines("a")[0].split()[1]))
    supervisor.kill()
    await supervisor.wait()

    await asyncio.to_thread(psutil.wait_procs, [role], timeout=10)

    assert bench.lines("a")[-1] == "stop"
