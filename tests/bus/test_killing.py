"""A kill by every path: what each came to, and that a later clearing is the newer act."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from engine.bus.command import seal
from engine.bus.records import Append, Appended
from engine.bus.reports import Acknowledged, Declined, KillReport
from engine.bus.request import Request
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
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


def kill(at_s: int, *, is_late: bool = True) -> Kill:
    return seal(Kill(why="test"), by="me", at_ns=at_s * S, is_late=is_late)


async def test_a_late_kill_from_before_a_clearing_is_declined_and_says_both_times(
    latch: KillLatch,
) -> None:
    report = await Killer(Engine(), Ledger(), latch, None).kill(kill(49))

    assert isinstance(report, Declined)
    assert "00:00:49" in report.why
    assert "00:00:50" in report.why
    assert not latch.is_killed()


@pytest.mark.parametrize("command", [kill(50), kill(1, is_late=False)])
async def test_any_other_kill_kills(latch: KillLatch, command: Kill) -> None:
    report = await Killer(Engine(), Ledger(), latch, None).kill(command)

    assert isinstance(report, KillReport)
    assert latch.is_killed()


async def test_a_kill_that_is_told_twice_does_not_void_what_was_asked_since_the_first_time(
    latch: KillLatch,
) -> None:
    latch.kill(by="me", why="test")
    os.utime(latch.path, ns=(60 * S, 60 * S))
    killer = Killer(Engine(), Ledger(), latch, None)

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

    await Killer(Engine(), Ledger(), latch, None).kill(kill(61))

    assert latch.cleared_at_ns() is None
    assert latch.changed_at_ns() != at_ns


async def test_no_path_waits_for_another_and_a_silent_engine_is_signalled(
    latch: KillLatch,
) -> None:
    engine = Engine()
    engine.is_away = True

    report = await Killer(engine, Ledger(), latch, lambda: 123).kill(kill(60))

    assert isinstance(report, KillReport)
    assert not report.engine.is_done
    assert "process 123 was signalled" in report.engine.text
    assert report.latch_file.is_done
    assert report.ledger.is_done
