"""A drill kills and clears again, unless somebody kills."""

from pathlib import Path
from typing import Any

import pytest

from engine.bus.command import Envelope
from engine.bus.kill_reports import DrillReport
from engine.bus.records import LatchAct, LatchRecord
from engine.bus.reports import Declined
from engine.operate.kill_drill import drill
from engine.operate.kill_latch import EngineLatches, KillLatch
from tests.operate.test_step_up import Kept

ENVELOPE = Envelope(id="d1", by="me", at_ns=1, expires_at_ns=None, target="main", digest="")


@pytest.fixture
def latches(tmp_path: Path) -> EngineLatches:
    both = [KillLatch(tmp_path / name) for name in ("all", "own")]
    for one in both:
        one.path.parent.mkdir()
        one.create()
    return EngineLatches(*both)


async def run(latches: EngineLatches, outbox: Kept) -> Any:
    return await drill(latches, outbox, lambda: 5, ENVELOPE, engine="main")


async def test_a_drill_sets_the_latch_on_disk_sees_it_refuse_and_clears_it(
    latches: EngineLatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Kept()
    seen: list[str] = []
    clear = KillLatch.clear

    def look_and_clear(latch: KillLatch) -> None:
        seen.append(latch.path.read_text())
        clear(latch)

    monkeypatch.setattr(KillLatch, "clear", look_and_clear)

    report = await run(latches, outbox)

    assert isinstance(report, DrillReport)
    assert report.is_clear
    assert 0 <= report.memory_us <= report.file_us <= report.refused_us <= report.stored_us
    assert seen == ["killed by me: drill d1\n"]
    assert not latches.is_killed()
    (record,) = outbox.records
    assert isinstance(record, LatchRecord)
    assert (record.act, record.engine) == (LatchAct.DRILL, "main")


@pytest.mark.parametrize("which", ["of_all", "own"])
async def test_a_drill_clears_no_kill_from_before(latches: EngineLatches, which: str) -> None:
    latch: KillLatch = getattr(latches, which)
    latch.kill(by="me", why="real")
    outbox = Kept()

    assert isinstance(await run(latches, outbox), Declined)

    assert latch.path.read_text() == "killed by me: real\n"
    assert outbox.records == []


async def test_a_kill_during_a_drill_stays(
    latches: EngineLatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill = KillLatch.kill

    def overtaken(latch: KillLatch, *, by: str, why: str) -> None:
        kill(latch, by=by, why=why)
        latch.path.write_text("stop\n")  # a hand, just then

    monkeypatch.setattr(KillLatch, "kill", overtaken)

    report = await run(latches, Kept())

    assert isinstance(report, DrillReport)
    assert not report.is_clear
    assert latches.own.path.read_text() == "stop\n"


async def test_a_latch_that_refuses_nothing_fails_the_drill(
    latches: EngineLatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KillLatch, "kill", lambda latch, **_why: setattr(latch, "_is_held", False))

    report = await run(latches, Kept())

    assert isinstance(report, Declined)
    assert "THE DRILL FAILED" in report.why
