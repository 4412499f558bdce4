import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engine.operate import exit_codes, role_logs, role_words
from engine.operate import supervisor as supervisor_module
from engine.operate.supervisor import RoleSpec, Supervisor
from tests.patience import PATIENCE_S

ROLE = """
import asyncio, contextlib, os, sys
from pathlib import Path
from engine.bus.lease import held_lease
from engine.operate.lifeline import stop_signals
from engine.operate.role_words import announce_ready, leave_last_words, say_at_terminal

async def main():
    def note(role, why):
        with open(sys.argv[1], "a") as log:
            log.write(f"news {role}: {why}\\n")
    async with stop_signals(ignores_interrupt=True, on_news=note) as stop:
        with open(sys.argv[1], "a") as log:
            log.write(f"start {os.getpid()}\\n")
        if "slow" in sys.argv:
            while not os.path.exists(sys.argv[1] + ".go"):
                await asyncio.sleep(0.01)
        if len(sys.argv) > 2 and "early" in sys.argv:
            sys.exit(int(sys.argv[2]))
        announce_ready()
        if "says" in sys.argv:
            say_at_terminal("write to\\nthe bot")
        if "loud" in sys.argv:
            print("x" * 3000, flush=True)
        if len(sys.argv) > 2 and sys.argv[2].isdigit():
            leave_last_words("the disk is full")
            sys.exit(int(sys.argv[2]))
        await stop.wait()
        with open(sys.argv[1], "a") as log:
            log.write("stop\\n")

with open(sys.argv[1] + ".loaded", "w") as log:
    log.write("yes")
is_leased = "leased" in sys.argv
lease = held_lease(Path(sys.argv[1] + ".lock"), what="role")
with lease if is_leased else contextlib.nullcontext():
    asyncio.run(main())
"""


class Bench:
    """A supervisor of small real roles, and what they wrote."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.restarts: list[tuple[str, str]] = []
        self.left_out: list[str] = []
        self.ended: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.slow: list[str] = []
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()
        self.supervisor: Supervisor | None = None
        (directory / "role.py").write_text(ROLE)

    def spec(
        self,
        name: str,
        *arguments: str,
        ends_all: bool = False,
        is_vital: bool = True,
        hears_news: bool = False,
        stop_s: float = 5.0,
    ) -> RoleSpec:
        return RoleSpec(
            name=name,
            arguments=[str(self.directory / "role.py"), str(self.directory / name), *arguments],
            ends_all=ends_all,
            is_vital=is_vital,
            log_path=self.directory / f"{name}.log",
            hears_news=hears_news,
            stop_s=stop_s,
        )

    async def run(self, *specs: RoleSpec) -> int:
        def note(role: str, why: str, _count: int) -> None:
            self.restarts.append((role, why))

        def ended(role: str) -> None:
            assert self.supervisor is not None
            why = self.supervisor.last_words(role)
            self.ended.append((role, why))
            self.supervisor.tell(role, why)

        self.supervisor = Supervisor(
            specs,
            on_restart=note,
            on_left_out=self.left_out.append,
            on_ended=ended,
            on_said=self.said.append,
            on_slow=lambda role, _seconds: self.slow.append(role),
        )
        return await self.supervisor.run(self.stop, on_ready=self.ready.set)

    def lines(self, name: str) -> list[str]:
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    async def until_noted(self, name: str, line: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while line not in self.lines(name):
                await asyncio.sleep(0.01)

    async def until_started(self, name: str, times: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
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


async def test_a_role_loads_its_code_before_its_turn_and_opens_nothing(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(bench.spec("a", "slow"), bench.spec("b")))
    await bench.until_noted("b.loaded", "yes")
    await bench.until_started("a", 1)
    assert bench.supervisor is not None
    assert list(bench.supervisor.pids()) == ["a", "b"]
    assert bench.lines("b") == []

    (bench.directory / "a.go").touch()
    await bench.until_started("b", 1)
    bench.stop.set()
    assert await running == exit_codes.OK


async def test_a_role_whose_turn_never_came_is_ended_at_once(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(bench.spec("a", "slow"), bench.spec("b")))
    await bench.until_noted("b.loaded", "yes")
    await bench.until_started("a", 1)
    bench.stop.set()

    assert bench.supervisor is not None
    async with asyncio.timeout(PATIENCE_S):
        while "b" in bench.supervisor.pids():
            await asyncio.sleep(0.01)
    (bench.directory / "a.go").touch()
    assert await running == exit_codes.OK
    assert bench.lines("b") == []


async def test_a_role_whose_turn_never_came_ends_with_its_supervisor(bench: Bench) -> None:
    program = (
        "import asyncio; from engine.operate.supervisor import RoleSpec, Supervisor;"
        f"specs = [RoleSpec(name=name, arguments=[{str(bench.directory / 'role.py')!r},"
        f" {str(bench.directory)!r} + '/' + name, 'slow']) for name in 'ab'];"
        "supervisor = Supervisor(specs, on_restart=lambda *_: None);"
        "asyncio.run(supervisor.run(asyncio.Event(), on_ready=lambda: None))"
    )
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await bench.until_noted("b.loaded", "yes")
    roles = psutil.Process(supervisor.pid).children()
    supervisor.kill()
    await supervisor.wait()
    (bench.directory / "a.go").touch()

    ended, left = await asyncio.to_thread(psutil.wait_procs, roles, timeout=PATIENCE_S)

    assert len(ended) == 2
    assert left == []
    assert bench.lines("b") == []


async def test_a_killed_role_is_started_again_and_told(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(bench.spec("a"), bench.spec("b")))
    await bench.ready.wait()
    assert bench.supervisor is not None
    os.kill(bench.supervisor.pids()["a"], signal.SIGKILL)
    await bench.until_started("a", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert bench.restarts == [("a", "killed by SIGKILL")]


async def test_a_role_that_gives_no_sign_of_life_is_killed_and_started_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (role_words, supervisor_module):
        monkeypatch.setattr(module, "HUNG_S", 3.0)
    monkeypatch.setattr(role_words, "LOOK_S", 0.5)
    running = asyncio.create_task(bench.run(bench.spec("a"), bench.spec("b")))
    await bench.ready.wait()
    assert bench.supervisor is not None
    os.kill(bench.supervisor.pids()["a"], signal.SIGSTOP)
    await bench.until_started("a", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert bench.restarts == [("a", "no sign of life for 3 s, killed")]


async def test_a_role_is_started_once_the_one_left_behind_with_its_lease_is_dead(
    bench: Bench,
) -> None:
    lease = bench.directory / "a.lock"
    spec = replace(bench.spec("a", "leased"), lease=lease, stop_s=0.1)
    left = await asyncio.create_subprocess_exec(sys.executable, *spec.arguments)
    await bench.until_started("a", 1)
    left.send_signal(signal.SIGSTOP)
    # Before it has stopped, SIGTERM would be first.
    await asyncio.to_thread(os.waitid, os.P_PID, left.pid, os.WSTOPPED | os.WNOWAIT)

    running = asyncio.create_task(bench.run(spec))
    await bench.until_started("a", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert await left.wait() == -signal.SIGKILL


async def test_a_fatal_exit_before_it_answered_ends_everything_with_its_code(
    bench: Bench,
) -> None:
    code = await bench.run(bench.spec("a"), bench.spec("b", str(exit_codes.FATAL), "early"))

    assert code == exit_codes.FATAL
    assert bench.lines("a")[-1] == "stop"
    assert bench.restarts == []


async def test_a_fatal_exit_later_is_told_to_those_who_listen_and_the_others_go_on(
    bench: Bench,
) -> None:
    roles = (
        bench.spec("a"),
        bench.spec("b", str(exit_codes.FATAL)),
        bench.spec("c", hears_news=True),
    )
    running = asyncio.create_task(bench.run(*roles))
    await bench.until_noted("c", "news b: the disk is full")
    assert bench.supervisor is not None
    assert list(bench.supervisor.pids()) == ["a", "c"]

    os.kill(bench.supervisor.pids()["c"], signal.SIGKILL)  # the next one hears it as well
    await bench.until_started("c", 2)
    await bench.until_noted("c", "news b: the disk is full")
    bench.stop.set()

    assert await running == exit_codes.FATAL
    assert bench.ended == [("b", "the disk is full")]
    assert [line for line in bench.lines("a") if line.startswith(("news", "stop"))] == ["stop"]
    assert len(bench.lines("b")) == 1


async def test_what_a_role_says_for_the_terminal_is_passed_on_at_once_and_not_its_last_word(
    bench: Bench,
) -> None:
    running = asyncio.create_task(bench.run(bench.spec("a", "says")))
    async with asyncio.timeout(PATIENCE_S):
        while not bench.said:
            await asyncio.sleep(0.01)
    bench.stop.set()
    await running

    assert bench.said == ["write to the bot"]
    assert bench.supervisor is not None
    assert bench.supervisor.last_words("a") == ""


async def test_a_role_that_takes_long_to_start_is_told_until_it_is_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "SLOW_S", 0.02)
    running = asyncio.create_task(bench.run(bench.spec("a", "slow")))
    async with asyncio.timeout(PATIENCE_S):
        while len(bench.slow) < 3:
            await asyncio.sleep(0.01)
    (bench.directory / "a.go").touch()
    await bench.ready.wait()
    told = len(bench.slow)
    bench.stop.set()
    await running

    assert len(bench.slow) == told
    assert set(bench.slow) == {"a"}


async def test_no_role_starts_while_all_are_being_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "BACKOFF_S_FIRST", 3_600.0)
    monkeypatch.setattr(supervisor_module, "BACKOFF_S_MAX", 3_600.0)
    running = asyncio.create_task(bench.run(bench.spec("a"), bench.spec("b", "1")))
    async with asyncio.timeout(PATIENCE_S):
        while not bench.restarts:
            await asyncio.sleep(0.01)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert len(bench.lines("b")) == 1
    assert bench.supervisor is not None
    assert bench.supervisor.pids() == {}


async def test_a_role_on_its_way_when_the_closing_begins_is_ended(bench: Bench) -> None:
    bench.stop.set()

    assert await bench.run(bench.spec("a"), bench.spec("b")) == exit_codes.OK

    assert bench.supervisor is not None
    assert bench.supervisor.pids() == {}
    assert bench.lines("b") == []


async def test_a_role_may_use_the_time_that_the_ones_closed_before_it_left(bench: Bench) -> None:
    slow = bench.spec("a", stop_s=0.0)
    running = asyncio.create_task(bench.run(slow, bench.spec("b", stop_s=15.0)))
    await bench.ready.wait()
    bench.stop.set()

    await running

    assert bench.lines("a")[-1] == "stop"


async def test_a_log_is_bounded_while_its_role_runs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_logs, "LOOK_S", 0.01)
    monkeypatch.setattr(role_logs.shorten, "__kwdefaults__", {"bytes_max": 2_000})
    running = asyncio.create_task(bench.run(bench.spec("a", "loud")))
    log = bench.directory / "a.log"
    async with asyncio.timeout(PATIENCE_S):
        while not role_logs.aside_of(log).exists() or log.stat().st_size:
            await asyncio.sleep(0.01)
    bench.stop.set()
    await running

    assert role_logs.aside_of(log).read_text().strip() == "x" * 3_000


async def test_a_role_that_misses_something_outside_does_not_keep_the_others_from_starting(
    bench: Bench,
) -> None:
    away = bench.spec("a", str(exit_codes.TRANSIENT))
    running = asyncio.create_task(bench.run(away, bench.spec("b")))
    await bench.until_started("b", 1)
    await bench.until_started("a", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert bench.restarts[0] == ("a", "the disk is full")


async def test_a_role_that_wants_to_start_anew_is_told_in_its_own_words(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(bench.spec("a", str(exit_codes.TRANSIENT))))
    await bench.until_started("a", 2)
    bench.stop.set()

    assert await running == exit_codes.OK
    assert bench.restarts[0] == ("a", "the disk is full")


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

    await asyncio.to_thread(psutil.wait_procs, [role], timeout=PATIENCE_S)

    assert bench.lines("a")[-1] == "stop"
