"""Nothing on the engine's loop holds it for a millisecond: guarded by what is called, not by time.

A call costs about 0.1 us, so that 5,000 take half a millisecond however busy the machine is. What
kernels and decoders do within one call is in `make bench`.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from benchmarks.full_path import inputs_of, make_core
from benchmarks.real_frames import LOADS, Recorded
from engine.connectors.session import SessionLimits
from engine.operate.core_parts import Core
from engine.ports import InputKind
from tests.reference.run_core import make_reports

INPUTS = 3_000
FRAMES_A_TICK = 30
CALLS_AT_ONCE = 5_000


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions, ours and the interpreter's, a piece of work calls."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


@pytest.fixture(scope="module", params=LOADS)
def played(request: pytest.FixtureRequest) -> tuple[Core, dict[str, int]]:
    """Return a core that has taken a recording, and the most calls of one input of each kind."""
    recorded: Recorded = request.param()
    core, most = make_core(recorded), dict[str, int]()

    def note(kind: str, calls: int) -> None:
        most[kind] = max(most.get(kind, 0), calls)

    for number, (kind, key, payload, at_ns) in enumerate(inputs_of(recorded)[:INPUTS]):

        def take() -> None:
            core.hot_path.accept(kind, stream=0, key=key, payload=payload, at_ns=at_ns)  # noqa: B023

        note(kind.name, calls_of(take))
        if number % FRAMES_A_TICK == 0:
            note("TICK", calls_of(lambda: core.hot_path.tick(at_ns)))  # noqa: B023
    return core, most


def test_no_tick_and_no_answer_of_a_venue_holds_the_loop(
    played: tuple[Core, dict[str, int]],
) -> None:
    assert {kind: calls for kind, calls in played[1].items() if calls > CALLS_AT_ONCE} == {}


def test_a_burst_of_frames_does_not_hold_the_loop(played: tuple[Core, dict[str, int]]) -> None:
    most = played[1][InputKind.FRAME.name]
    assert most * SessionLimits().frames_at_once <= CALLS_AT_ONCE


@pytest.mark.parametrize(
    "ask", ["status", "venues", "limits", "spreads", "version", "opportunities"]
)
def test_no_report_holds_the_loop(played: tuple[Core, dict[str, int]], ask: str) -> None:
    core = played[0]
    reports = make_reports(core)
    at_ns = core.header.started_at_ns
    arguments = (10, at_ns) if ask == "opportunities" else () if ask == "version" else (at_ns,)
    assert calls_of(lambda: getattr(reports, ask)(*arguments)) <= CALLS_AT_ONCE
