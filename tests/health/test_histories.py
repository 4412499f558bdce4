"""Availability is the share of the seen time in which a component worked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.health import Health, Sight
from engine.domain.units import NS_PER_HOUR, NS_PER_S
from engine.health.history import CHANGES_MAX, KEPT_NS, Histories
from tests.effort import examples

S, H = NS_PER_S, NS_PER_HOUR
START_NS = 1_000_000 * S
NAME = "feed/gemini"


def see(histories: Histories, health: Health, *, at_s: float, since_s: float | None = None) -> bool:
    since_ns = 0 if since_s is None else START_NS + round(since_s * S)
    sight = Sight(component=NAME, health=health, since_ns=since_ns)
    return histories.take(sight, at_ns=START_NS + round(at_s * S)) is not None


def available(histories: Histories, *, now_s: float, hours: float = 1.0) -> float | None:
    return histories.availability(
        NAME, now_ns=START_NS + round(now_s * S), window_ns=round(hours * H)
    )


def test_what_stays_as_it_is_makes_no_change() -> None:
    histories = Histories()
    assert see(histories, Health.WELL, at_s=0)
    assert not any(see(histories, Health.WELL, at_s=at_s) for at_s in range(1, 1_000))
    assert len(histories.changes(NAME, since_ns=0)) == 1


def test_time_down_counts_against_it_degraded_does_not_and_unseen_counts_for_nothing() -> None:
    histories = Histories()
    see(histories, Health.WELL, at_s=0)
    see(histories, Health.DOWN, at_s=1_800)
    see(histories, Health.DEGRADED, at_s=2_160)
    see(histories, Health.UNSEEN, at_s=2_400)

    # 30 min well, 6 min down, 4 min degraded, 20 min unseen
    assert available(histories, now_s=3_600) == pytest.approx(34 / 40)
    assert available(histories, now_s=2_400 + 3_600) is None


def test_the_window_is_all_that_counts_and_what_was_so_at_its_beginning_counts_in_it() -> None:
    histories = Histories()
    see(histories, Health.DOWN, at_s=0)
    see(histories, Health.WELL, at_s=7_200)

    assert available(histories, now_s=7_200) == 0.0
    assert available(histories, now_s=7_200 + 1_800) == pytest.approx(0.5)
    assert available(histories, now_s=7_200 + 3_600) == 1.0
    assert available(histories, now_s=7_200 + 3_600, hours=24) == pytest.approx(1 / 3)


def test_a_change_begins_when_whoever_looked_says_and_never_before_the_last_one() -> None:
    histories = Histories()
    see(histories, Health.WELL, at_s=100)
    see(histories, Health.DOWN, at_s=110, since_s=104)
    see(histories, Health.WELL, at_s=112, since_s=90)

    at_s = [(one.at_ns - START_NS) // S for one in histories.changes(NAME, since_ns=0)]
    assert at_s == [100, 104, 104]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(list(Health)), st.integers(1, 40_000)), min_size=1, max_size=40
    ),
    hours=st.sampled_from([1, 24, 168]),
)
@settings(max_examples=examples(400), deadline=None)
def test_availability_is_that_of_every_second_looked_at_alone(
    steps: list[tuple[Health, int]], hours: int
) -> None:
    histories, now_s, spans = Histories(), 0, []
    for health, lasts_s in steps:
        see(histories, health, at_s=now_s)
        spans.append((now_s, now_s + lasts_s, health))
        now_s += lasts_s

    seen_s = up_s = 0
    for begin_s, end_s, health in spans:
        inside_s = max(0, end_s - max(begin_s, now_s - hours * 3_600))
        seen_s += 0 if health is Health.UNSEEN else inside_s
        up_s += inside_s if health in (Health.WELL, Health.DEGRADED) else 0
    expected = up_s / seen_s if seen_s else None
    assert available(histories, now_s=now_s, hours=hours) == (
        None if expected is None else pytest.approx(expected)
    )


def test_what_flaps_for_ever_takes_a_bounded_memory() -> None:
    histories = Histories()
    for number in range(2 * CHANGES_MAX):
        see(histories, Health.DOWN if number % 2 else Health.WELL, at_s=number)
    assert len(histories.changes(NAME, since_ns=0)) == CHANGES_MAX

    see(histories, Health.UNSEEN, at_s=2 * CHANGES_MAX + KEPT_NS / S)
    assert len(histories.changes(NAME, since_ns=0)) == 2
