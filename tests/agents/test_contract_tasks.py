"""The flash-loan executor's tasks: gas by shape, encodings, and shapes that fail on a fork."""

from typing import Any

from msgspec.structs import replace

from engine.agents.encodings import ENCODINGS
from engine.agents.fork_tests import FORK_TESTS
from engine.agents.route_gas import CASES_MIN, ROUTE_GAS
from engine.background.ports import Outcome, Task
from engine.background.wants import Trials, TrialsGiven
from engine.domain.advice import ShapeGasAdvice, ShapeOffAdvice
from engine.domain.trials import Trial
from tests.agents.worlds import end, given

SHAPE = "uniswap_v3 > uniswap_v2"
WHY = "it reverts: Paused()"


def trial(number: int, **more: object) -> Trial:
    made = Trial(
        chain="base",
        shape=SHAPE,
        lender="first_hop",
        is_used=True,
        plan_id=f"p{number}",
        block=number,
        gas=200_000,
        planned_gas=200_000,
        call_bytes=300,
    )
    return replace(made, **more)


def run(task: Task[Any], *trials: Trial, learned: object = None) -> Outcome[Any]:
    return end(task, given({Trials(): TrialsGiven(trials=trials)}), learned)


def test_a_shape_that_takes_more_gas_than_reckoned_is_advised_dearer_and_never_cheaper() -> None:
    dear = [trial(n, gas=240_000) for n in range(3 * CASES_MIN)]
    cheap = [trial(n, gas=150_000) for n in range(3 * CASES_MIN)]

    (found,) = run(ROUTE_GAS, *dear).found
    (spared,) = run(ROUTE_GAS, *cheap).found

    assert found.advice == ShapeGasAdvice(chain="base", shape=SHAPE, ratio=1.2)
    assert found.figures["misses"] == 0 < found.figures["naive_misses"]
    assert spared.advice is None
    assert spared.figures["gas_ratio"] == 1.0


def test_few_plans_or_the_same_ones_again_advise_nothing() -> None:
    few = [trial(n, gas=240_000) for n in range(CASES_MIN - 1)]
    first = run(ROUTE_GAS, *few)

    again = run(ROUTE_GAS, *few, learned=first.learned)

    assert first.found == again.found == ()
    assert again.learned == first.learned


def test_what_failed_or_was_another_encoding_says_nothing_of_the_gas_of_plans() -> None:
    others = [trial(n, gas=900_000, why=WHY) for n in range(20)]
    others += [trial(n, gas=900_000, is_used=False, lender="aave_v3") for n in range(20)]

    assert run(ROUTE_GAS, *others).found == ()


def test_the_cheapest_encoding_is_told_beside_the_one_that_is_used() -> None:
    used = [trial(n, lender="aave_v3", gas=260_000) for n in range(5)]
    other = [trial(n, is_used=False, gas=195_000) for n in range(5)]
    failing = [trial(n, is_used=False, lender="balancer_v2", gas=1, why=WHY) for n in range(5)]

    (found,) = run(ENCODINGS, *used, *other, *failing).found

    assert found.figures["saved_ratio"] == 0.25
    assert "25.0% more gas than by first_hop" in found.says
    assert found.advice is None


def test_a_shape_that_fails_on_its_own_state_is_off_with_its_cause() -> None:
    (passes,) = run(FORK_TESTS, trial(1)).found
    (fails,) = run(FORK_TESTS, trial(1), trial(2, why=WHY, head_why=WHY)).found

    assert passes.advice is None
    assert fails.advice == ShapeOffAdvice(chain="base", shape=SHAPE, why=WHY)


def test_a_shape_is_on_again_when_a_newer_plan_passes_or_the_same_runs_through() -> None:
    off = run(FORK_TESTS, trial(2, why=WHY, head_why=WHY))
    other_why = "it reverts: CallbackMissing()"
    still = run(FORK_TESTS, trial(2, why=WHY, head_why=other_why), learned=off.learned)
    newer = run(FORK_TESTS, trial(3), learned=still.learned)
    through = run(FORK_TESTS, trial(2, why=WHY), learned=off.learned)

    assert still.found[0].advice is not None
    assert newer.found[0].advice is None
    assert through.found[0].advice is None
    assert newer.found[0].subject == off.found[0].subject  # it takes the place of what was advised


def test_a_plan_too_old_for_its_own_state_is_let_off_by_running_through_alone() -> None:
    off = run(FORK_TESTS, trial(2, why=WHY, head_why=WHY))
    old = trial(2, is_at_head_alone=True)

    still = run(FORK_TESTS, replace(old, head_why=WHY), learned=off.learned)
    through = run(FORK_TESTS, old, learned=off.learned)
    passing = run(FORK_TESTS, replace(old, head_why=WHY), learned=through.learned)

    assert still.found[0].advice == ShapeOffAdvice(chain="base", shape=SHAPE, why=WHY)
    assert through.found[0].advice is None
    assert passing.found[0].advice is None  # on no state of its own it was seen to fail since
    assert run(FORK_TESTS, old).found == ()  # nor does it say that one passes
    assert run(ROUTE_GAS, *[replace(old, plan_id=f"p{n}") for n in range(20)]).found == ()
    many = [
        replace(old, plan_id=f"p{n}", lender=by) for n in range(20) for by in ("a", "first_hop")
    ]
    assert run(ENCODINGS, *[replace(one, is_used=one.lender == "a") for one in many]).found == ()


def test_what_nobody_can_try_any_more_is_not_said_again() -> None:
    off = run(FORK_TESTS, trial(2, why=WHY, head_why=WHY))

    assert run(FORK_TESTS, learned=off.learned).found == ()


def test_an_older_plan_than_the_newest_changes_nothing() -> None:
    newest = run(FORK_TESTS, trial(5))

    older = run(FORK_TESTS, trial(4, why=WHY, head_why=WHY), learned=newest.learned)

    assert older.found[0].advice is None


def test_what_another_encoding_does_switches_nothing_off() -> None:
    other = trial(2, is_used=False, lender="aave_v3", why=WHY, head_why=WHY)

    (found,) = run(FORK_TESTS, trial(1), other).found

    assert found.advice is None
