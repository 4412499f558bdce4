"""The clock of a role: what it counts, and what it finds between itself and the wall clock."""

import pytest

from engine.domain.corrections import Correction
from engine.market.board import Board
from engine.market.freshness import Freshness
from engine.operate.clock import SteadyClock, make_clock
from engine.ports import LevelForm
from tests.reference.host import Host
from tests.reference.world import AGE_NS_MAX, SECOND, START_NS, make_instrument

HOUR = 3_600 * SECOND


def test_a_book_is_as_old_as_the_machine_slept_before_anybody_looks_at_the_clock() -> None:
    host = Host()
    clock = host.make_clock()
    board = Board([make_instrument("here")])
    freshness = Freshness(board, age_ns_max=AGE_NS_MAX)
    board.replace(0, LevelForm.PAIRS, b"[[1,1]]", b"[[2,1]]", clock.now_ns())

    host.sleep(8 * HOUR)

    assert freshness.age_ns(0, clock.now_ns()) == 8 * HOUR
    assert not board.is_fresh(0, at_ns=clock.now_ns(), age_ns_max=AGE_NS_MAX)
    assert clock.take_correction() == Correction(step_ns=0, asleep_ns=8 * HOUR)
    assert clock.take_correction() is None


@pytest.mark.parametrize("step_ns", [8 * HOUR, -8 * HOUR, SECOND + 1, -SECOND - 1])
def test_a_step_changes_nothing_until_it_is_taken_and_is_taken_once(step_ns: int) -> None:
    host = Host()
    clock = host.make_clock()
    host.step(step_ns)
    host.run(SECOND)

    assert clock.now_ns() == START_NS + SECOND
    assert clock.take_correction() == Correction(step_ns=step_ns, asleep_ns=0)
    assert clock.now_ns() == START_NS + SECOND + step_ns
    assert clock.take_correction() is None


@pytest.mark.parametrize("step_ns", [SECOND, -SECOND, 1])
def test_up_to_a_second_the_clock_goes_its_own_way(step_ns: int) -> None:
    host = Host()
    clock = host.make_clock()
    host.step(step_ns)

    assert clock.take_correction() is None
    assert clock.now_ns() == START_NS


def test_small_steps_add_up_to_one_that_is_taken() -> None:
    host = Host()
    clock = host.make_clock()
    host.step(700_000_000)
    assert clock.take_correction() is None
    host.step(700_000_000)

    assert clock.take_correction() == Correction(step_ns=1_400_000_000, asleep_ns=0)


def test_a_process_that_is_held_up_while_it_looks_finds_no_step() -> None:
    host = Host()
    clock = host.make_clock()
    host.held_up_ns = 5 * SECOND

    assert clock.take_correction() is None
    host.held_up_ns = 0
    assert clock.take_correction() is None


def test_a_role_without_ages_reads_a_clock_that_is_right_at_once() -> None:
    host = Host()
    clock = make_clock(host.make_clock())
    for step_ns in (8 * HOUR, -20 * HOUR):
        host.step(step_ns)
        assert clock() == host.wall_ns


def test_the_clocks_of_this_host_agree() -> None:
    clock = SteadyClock()

    assert clock.take_correction() is None
    assert clock.now_ns() <= clock.now_ns()
