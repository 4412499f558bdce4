"""A kill by every path: what each came to, and that a later clearing is the newer act."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from engine.bus.command import seal
from engine.bus.records import Append, Appended
from engine.bus.reports import Acknowledged, Declined, KillReport
from engine.bus.request import Caller, Request
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.facade.doors import Doors, EngineDoor, SignalEngine
from engine.facade.killing import Killer
from engine.operate.kill_latch import KillLatch
from engine.requests.safety import Kill

S = 1_000_000_000


class Engine:
    def __init__(self) -> None:
        self.is_away = False

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        assert isinstance(request, Kill)
        assert timeout_s > 0
        if self.is_away:
            raise TransientError("the engine did not answer")
        return Acknowledged(text="", is_killed=True, is_paused=False, mode=Mode.PAPER)


class Ledger:
    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        assert isinstance(request, Append)
        assert timeout_s > 0
        return Appended(count=1)


@pytest.fixture
def latch(tmp_path: Path) -> KillLatch:
    latch = KillLatch(tmp_path)
    latch.create()
    os.utime(latch.path, ns=(50 * S, 50 * S))
    return latch


def make_killer(
    latch: KillLatch, engine: Caller | None = None, signal: SignalEngine | None = None
) -> Killer:
    own = EngineDoor(
        caller=engine or Engine(), latch=KillLatch(latch.path.parent / "own"), signal=signal
    )
    return Killer(Doors("main", own), Ledger(), latch)


def kill(at_s: int, *, is_late: bool = True) -> Kill:
    return seal(Kill(why="test"), by="me", at_ns=at_s * S, is_late=is_late)


async def test_a_late_kill_from_before_a_clearing_is_declined_and_says_both_times(
    latch: KillLatch,
) -> None:
    report = await make_killer(latch).kill(kill(49))

    assert isinstance(report, Declined)
    assert "00:00:49" in report.why
    assert "00:00:50" in report.why
    assert not latch.is_killed()


@pytest.mark.parametrize("command", [kill(50), kill(1, is_late=False)])
async def test_any_other_kill_kills(latch: KillLatch, command: Kill) -> None:
    report = await make_killer(latch).kill(command)

    assert isinstance(report, KillReport)
    assert latch.is_killed()


async def test_a_kill_that_is_told_twice_does_not_void_what_was_asked_since_the_first_time(
    latch: KillLatch,
) -> None:
    latch.kill(by="me", why="test")
    os.utime(latch.path, ns=(60 * S, 60 * S))
    killer = make_killer(latch)

    report = await killer.kill(kill(61))  # dated by the second that the file was set in
    assert isinstance(report, KillReport)
    assert latch.changed_at_ns() == 60 * S

    await killer.kill(kill(62))
    assert latch.changed_at_ns() != 60 * S
    assert latch.is_killed()


@pytest.mark.parametrize("text", ["clear\n", "killed"])
async def test_a_late_kill_acts_where_the_file_does_not_prove_that_it_was_done(
    latch: KillLatch, text: str
) -> None:
    far_ahead_ns = time.time_ns() + 3_600 * S
    at_ns = 60 * S if text == "clear\n" else far_ahead_ns
    latch.path.write_text(text)
    os.utime(latch.path, ns=(at_ns, at_ns))
    latch.hold()  # by memory, of which no engine knows

    await make_killer(latch).kill(kill(61))

    assert latch.cleared_at_ns() is None
    assert latch.changed_at_ns() != at_ns


async def test_no_path_waits_for_another_and_a_silent_engine_is_signalled(
    latch: KillLatch,
) -> None:
    engine = Engine()
    engine.is_away = True

    report = await make_killer(latch, engine, signal=lambda _: 123).kill(kill(60))

    assert isinstance(report, KillReport)
    assert not report.engine.is_done
    assert "process 123 was signalled" in report.engine.text
    assert report.latch_file.is_done
    assert report.ledger.is_done


class Doomed(Engine):
    """An engine that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        assert isinstance(request, Kill)
        reply = await super().call(request, timeout_s=timeout_s)
        self.told.append(request.engine)
        return reply


class Two:
    """Two engines behind one front-end, that of `main`."""

    def __init__(self, directory: Path) -> None:
        self.engines = {name: Doomed() for name in ("main", "base")}
        self.latches = {name: KillLatch(directory / name) for name in ("", *self.engines)}
        for one in self.latches.values():
            one.path.parent.mkdir(exist_ok=True)
            one.create()
        own = self._door("main")
        doors = Doors("main", own, read_ids=self._read_ids, open_door=self._door)
        self.killer = Killer(doors, Ledger(), self.latches[""])

    async def _read_ids(self) -> list[str]:
        return ["base", "main"]

    def _door(self, name: str) -> EngineDoor:
        return EngineDoor(caller=self.engines[name], latch=self.latches[name])

    def killed(self) -> list[str]:
        return sorted(name for name, latch in self.latches.items() if latch.is_killed())

    def told(self) -> dict[str, list[str]]:
        return {name: engine.told for name, engine in self.engines.items()}


def named(engine: str) -> Kill:
    return seal(Kill(why="test", engine=engine), by="me", at_ns=60 * S)


async def test_a_kill_reaches_every_engine_and_one_by_name_that_one_alone(tmp_path: Path) -> None:
    two = Two(tmp_path)

    report = await two.killer.kill(named("base"))
    assert isinstance(report, KillReport)
    assert (report.of, report.engine.is_done) == ("base", True)
    assert (two.killed(), two.told()) == (["base"], {"main": [], "base": ["base"]})

    report = await two.killer.kill(named(""))
    assert isinstance(report, KillReport)
    assert two.killed() == ["", "base"]
    assert two.told() == {"main": [""], "base": ["base", ""]}


async def test_a_kill_is_whole_only_if_every_engine_has_it(tmp_path: Path) -> None:
    two = Two(tmp_path)
    two.engines["base"].is_away = True

    report = await two.killer.kill(named(""))

    assert isinstance(report, KillReport)
    assert not report.engine.is_done
    assert "base: the engine did not answer" in report.engine.text
    assert "main: stopped" in report.engine.text


@pytest.mark.parametrize("name", ["bse", "MAIN", "base ", "../main"])
async def test_a_name_that_no_engine_has_kills_nothing_and_says_which_there_are(
    tmp_path: Path, name: str
) -> None:
    two = Two(tmp_path)

    report = await two.killer.kill(named(name))

    assert isinstance(report, Declined)
    assert "known: base, main" in report.why
    assert (two.killed(), two.told()) == ([], {"main": [], "base": []})
