"""Two latches stop an engine: that of all engines, and its own. Neither opens the other."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.bus.command import seal
from engine.bus.records import LatchState, kill_record
from engine.operate.codes import Codes
from engine.operate.kill_latch import EngineLatches, KillLatch
from engine.operate.kill_switches import KillSwitches
from engine.operate.outbox import Outbox
from engine.requests.safety import Kill
from tests.operate.test_kill_switch import NEW, NOW_NS, NoLedger, S


@pytest.fixture
def latches(tmp_path: Path) -> EngineLatches:
    both = [KillLatch(tmp_path / name) for name in ("all", "own")]
    for one in both:
        one.path.parent.mkdir()
        one.create()
        os.utime(one.path, ns=(NOW_NS - 10 * S, NOW_NS - 10 * S))
    return EngineLatches(*both)


def make_switches(latches: EngineLatches, own_latch: LatchState | None = None) -> KillSwitches:
    state = NEW if own_latch is None else replace(NEW, own_latch=own_latch)
    outbox = Outbox(NoLedger())
    return KillSwitches(
        latches,
        outbox,
        lambda: NOW_NS,
        engine_id="base",
        state=state,
        codes=Codes(None, outbox, lambda: NOW_NS),
    )


@pytest.mark.parametrize("engine", ["", "base"])
def test_either_kill_stops_the_engine_voids_what_was_asked_and_sets_only_its_own_latch(
    latches: EngineLatches, engine: str
) -> None:
    switches = make_switches(latches)
    switch = switches.of(engine)
    assert switch is not None

    asked = seal(Kill(why="test", engine=engine), by="me", at_ns=NOW_NS)
    switch.kill(kill_record(asked.sealed, why="test", engine=engine))

    assert latches.is_killed()
    assert [latches.of_all.is_killed(), latches.own.is_killed()] == [engine == "", engine == "base"]
    assert switches.besides(switch).voids_unkill(NOW_NS + S) is None
    assert switches.voids_loosening(NOW_NS) is not None
    assert switches.voids_loosening(NOW_NS + S) is None


def test_an_engine_has_no_switch_of_another_ones(latches: EngineLatches) -> None:
    assert make_switches(latches).of("main") is None


def test_a_kill_by_name_that_is_in_the_ledger_alone_holds_after_a_restart(
    latches: EngineLatches,
) -> None:
    os.utime(latches.own.path, ns=(NOW_NS - S, NOW_NS - S))

    make_switches(latches, LatchState(is_killed=True, at_ns=NOW_NS))

    assert latches.own.is_killed()
    assert not latches.of_all.is_killed()
