"""Policies have names, and each place that recovers counts under its own."""

import re
from pathlib import Path
from typing import Any

from engine.background.ports import Task
from engine.background.quarantine import FAILURES_MAX, Quarantine
from engine.decide.venue_failures import REST_S, VenueFailures
from engine.domain import recovery
from engine.domain.backoff import Backoff
from engine.domain.instruments import VenueId
from engine.domain.recovery import (
    CHAIN_READS,
    FEED_RECONNECT,
    POLICIES,
    ROUTE_REST,
    TASK_QUARANTINE,
    Policy,
    Recovery,
    Strategy,
    Tallied,
    Tally,
)
from engine.sending import trust
from engine.sending.trust import Failure, RouteTrust
from tests.background.working_tasks import TASKS
from tests.recoveries import Since
from tests.storage.makers import make_atomic_plan

ROOT = Path(__file__).parents[2]
S = 1_000_000_000


def test_attempts_successes_and_the_time_to_recover_are_counted_from_the_first_failure() -> None:
    now_s, tally = [100.0], Tally()
    place = Recovery(FEED_RECONNECT, of="feed/gemini", tally=tally, now_s=lambda: now_s[0])

    place.works()
    for _ in range(3):
        place.failed()
        now_s[0] += 2
    place.works()
    place.works()
    place.failed()
    now_s[0] += 10
    place.works()

    assert tally.all() == [
        Tallied(
            policy="feed-reconnect",
            of="feed/gemini",
            attempts=4,
            successes=2,
            recover_s=16.0,
            recover_s_max=10.0,
        )
    ]


def test_what_is_given_up_is_no_success_later() -> None:
    tally = Tally()
    place = Recovery(FEED_RECONNECT, tally=tally)
    place.failed()
    place.gave_up()
    place.works()

    (told,) = tally.all()
    assert (told.attempts, told.successes, told.given_up) == (1, 0, 1)


def test_a_backoff_counts_under_the_policy_that_it_names() -> None:
    since = Since(CHAIN_READS)
    backoff = Backoff(CHAIN_READS, first_s=0.2, longest_s=1.0)
    backoff.next_s()
    backoff.next_s()
    backoff.reset()
    backoff.reset()
    backoff.failed()
    backoff.give_up()

    assert since.came_to == (3, 1, 1)


def test_policies_have_names_of_their_own_and_every_strategy_has_one() -> None:
    names = [policy.name for policy in POLICIES]

    assert len(set(names)) == len(names)
    assert {policy.strategy for policy in POLICIES} == set(Strategy)
    assert len([one for one in vars(recovery).values() if isinstance(one, Policy)]) == len(names)


def test_each_policy_is_named_where_it_is_carried_out() -> None:
    sources = [
        path.read_text()
        for folder in ("engine", "bot")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "recovery.py"
    ]
    constants = {name for name, one in vars(recovery).items() if isinstance(one, Policy)}
    named = {
        name
        for text in sources
        for name in re.findall(r"(?:Backoff|Recovery|tried|recovered)\(\s*([A-Z_]+)\b", text)
    }

    assert constants - named == set()


def test_a_task_that_fails_five_times_in_a_row_is_broken_off_and_its_return_counted(
    tmp_path: Path,
) -> None:
    task: Task[Any] = TASKS[0]
    broken = Quarantine(
        tmp_path / "failures", {task.name: task}, clock=lambda: 0.0, wall_ns=lambda: 0
    )
    since = Since(TASK_QUARANTINE)

    for _ in range(FAILURES_MAX - 1):
        broken.failed(task, "it crashed")
    assert since.came_to == (0, 0, 0)
    broken.failed(task, "it crashed")
    broken.failed(task, "it crashed")
    assert since.came_to == (1, 0, 0)
    broken.succeeded(task.name)

    assert since.came_to == (1, 1, 0)


def test_a_route_that_rests_and_works_again_is_counted() -> None:
    routes, plan, since = RouteTrust(), make_atomic_plan(number=1), Since(ROUTE_REST)

    for _ in range(trust.FAILURES_MAX):
        routes.fail(plan, Failure.ORDER, 1)
    routes.succeed(plan)

    assert since.came_to == (1, 1, 0)


def test_a_venue_rests_for_its_time_once_so_many_orders_failed() -> None:
    gemini, at_ns = VenueId("gemini"), 1_000_000 * S
    failures = VenueFailures({gemini: (5, at_ns), VenueId("kraken"): (4, at_ns)})

    assert failures.resting(at_ns, most=5) == [gemini]
    assert failures.resting(at_ns + (REST_S + 1) * S, most=5) == []
