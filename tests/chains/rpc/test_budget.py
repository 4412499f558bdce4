"""A key is asked for no more than its units, in its provider's own measure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.rpc.budget import BUSY_S_MAX, PAUSE_S_MAX, Budget
from engine.chains.rpc.plans import Plan, plan_for
from engine.domain.backoff import asked_wait_s
from tests.chains.rpc.place import Clock


def test_a_host_has_the_plan_of_its_provider_and_the_rate_of_its_key() -> None:
    plan = plan_for("eth-mainnet.g.alchemy.com", {})
    dearer = plan_for("eth-mainnet.g.alchemy.com", {"alchemy.com": 660.0})

    assert (plan.unit, plan.units_per_s, dearer.units_per_s) == ("compute units", 500, 660.0)
    assert dearer.costs == plan.costs
    assert plan.cost_of([("eth_getLogs", []), ("eth_call", [])]) == 86
    assert plan_for("mainnet.infura.io", {}).cost_of([("eth_call", []), ("eth_call", [])]) == 240
    assert plan_for("127.0.0.1", {}).units_per_s is None
    assert plan_for("notalchemy.com", {}).unit == "requests"


@given(
    st.lists(st.tuples(st.floats(0.0, 3.0), st.integers(1, 60)), max_size=60),
    st.floats(0.5, 50.0),
    st.floats(0.5, 10.0),
)
def test_no_span_of_time_spends_more_than_the_bucket_and_its_rate(
    turns: list[tuple[float, int]], rate: float, burst_s: float
) -> None:
    clock = Clock()
    budget = Budget(Plan(units_per_s=rate, burst_s=burst_s), clock)
    spent: list[tuple[float, int]] = []
    for pause_s, asked in turns:
        clock.now_s += pause_s
        cost = min(asked, int(rate * burst_s))
        if budget.wait_s(cost) <= 0:
            budget.take(cost)
            spent.append((clock.now_s, cost))
            assert 0 <= budget.used_ratio <= 1

    for first, (began_s, _) in enumerate(spent):
        total = 0
        for at_s, cost in spent[first:]:
            total += cost
            assert total <= rate * (burst_s + at_s - began_s) + 1e-6


def test_what_is_larger_than_the_bucket_goes_out_when_that_is_full() -> None:
    clock = Clock()
    budget = Budget(Plan(units_per_s=10.0, burst_s=1.0), clock)
    assert budget.wait_s(50) == 0
    budget.take(50)

    assert budget.wait_s(1) == pytest.approx(4.1)
    clock.now_s += 4.2
    assert budget.wait_s(1) == 0
    assert budget.wait_s(50) > 0


@pytest.mark.parametrize(
    ("asked_s", "wait_s"),
    [(7.0, 7.0), (0.0, 1.0), (-5.0, 1.0), (1e9, PAUSE_S_MAX), (float("nan"), 1.0), (None, 1.0)],
)
def test_a_wait_is_kept_within_reason(asked_s: float | None, wait_s: float) -> None:
    clock = Clock()
    budget = Budget(Plan(), clock)

    budget.refused(asked_s)

    assert budget.wait_s(1) == wait_s
    assert budget.used_ratio == 1.0
    clock.now_s += wait_s
    assert budget.wait_s(1) == 0


def test_refusals_that_say_nothing_are_waited_for_longer_each_time() -> None:
    clock = Clock()
    budget = Budget(Plan(), clock)
    waits = []
    for _ in range(8):
        budget.refused(None)
        waits.append(budget.wait_s(1))
        clock.now_s += waits[-1]

    assert waits == [1, 2, 4, 8, 16, 32, 60, BUSY_S_MAX]
    budget.answered()
    budget.refused(None)
    assert budget.wait_s(1) == 1


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("", None),
        ("soon", None),
        ("Sun, 99 Nov 99999 08:49:47 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(text: str, wait_s: float | None) -> None:
    assert asked_wait_s(text, at_s=784_111_777.0) == wait_s
