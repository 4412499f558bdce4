"""What roles count of their recoveries adds up, whoever is started anew meanwhile."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bus.health_reports import RecoveryLine
from engine.domain.health import Health, Sight
from engine.domain.modes import Basis
from engine.domain.recovery import FEED_RECONNECT, POLICIES, ROLE_RESTART, Tallied, Tally
from engine.health.keeping import Kept
from engine.health.tallies import Tallies
from engine.health.watch import Watch
from tests.effort import examples

S = 1_000_000_000
GEMINI = "feed/gemini"


def line_of(tallies: Tallies, name: str = FEED_RECONNECT.name) -> RecoveryLine:
    return next(one for one in tallies.lines() if one.policy == name)


def tallied(attempts: int, successes: int = 0, *, of: str = GEMINI) -> Tallied:
    return Tallied(
        policy=FEED_RECONNECT.name,
        of=of,
        attempts=attempts,
        successes=successes,
        recover_s=2.0 * successes,
        recover_s_max=2.0 if successes else 0.0,
    )


@given(
    lives=st.lists(
        st.lists(st.sampled_from(["try", "help", "look"]), max_size=12), min_size=1, max_size=5
    )
)
@settings(max_examples=examples(300), deadline=None)
def test_all_that_was_tried_is_counted_once_over_any_restarts_of_a_role(
    lives: list[list[str]],
) -> None:
    tallies, tried, helped = Tallies(), 0, 0
    for life in lives:
        tally = Tally()
        for act in life:
            if act == "look":
                tallies.take("engine", tally.all())
            elif act == "try":
                tally.tried(FEED_RECONNECT, of=GEMINI)
            else:
                tally.tried(FEED_RECONNECT, of=GEMINI)
                tally.recovered(FEED_RECONNECT, of=GEMINI, after_s=1.0)
        tallies.take("engine", tally.all())
        tries = sum(act in ("try", "help") for act in life)
        helps = sum(act == "help" for act in life)
        before = line_of(tallies)
        # A new process that has counted as much as the one before it looks the same.
        tried, helped = tried + tries, helped + helps
        assert before.attempts <= tried
        assert before.successes <= helped
    if len(lives) == 1:
        assert (line_of(tallies).attempts, line_of(tallies).successes) == (tried, helped)


def test_a_role_that_was_started_anew_counts_from_its_start_and_nothing_is_lost() -> None:
    tallies = Tallies()
    tallies.take("engine", [tallied(7, 3)])
    tallies.take("engine", [tallied(2, 1)])

    line = line_of(tallies)
    assert (line.attempts, line.successes, line.roles) == (9, 4, {"engine": 9})
    assert line.recover_s_mean == 2.0


def test_roles_add_up_and_every_policy_has_its_line() -> None:
    tallies = Tallies()
    tallies.take("chains-base", [tallied(1, of="")])
    tallies.take("chains-ethereum", [tallied(2, of="")])

    assert line_of(tallies).attempts == 3
    assert [one.policy for one in tallies.lines()] == [policy.name for policy in POLICIES]


def test_what_was_tried_for_a_component_stands_in_its_incident_and_outlives_a_restart(
    tmp_path: Path,
) -> None:
    def begin() -> tuple[Watch, Kept]:
        kept = Kept(tmp_path)
        watch = Watch(
            kept, basis=Basis.SANDBOX, now_ns=1_000 * S, retention_days=30, tell=lambda _: None
        )
        return watch, kept

    watch, kept = begin()
    watch.take([Sight(component=GEMINI, health=Health.DOWN)], at_ns=1_000 * S)
    watch.take_tally("engine", [tallied(3)], at_ns=1_003 * S)
    restart = Tallied(policy=ROLE_RESTART.name, of=GEMINI, attempts=1)
    watch.take_tally("ledger", [restart], at_ns=1_004 * S)
    watch.looked(at_ns=1_005 * S, everything=False)
    kept.close()

    again, kept = begin()
    again.take_tally("engine", [tallied(4, 1)], at_ns=1_010 * S)
    report = again.health()
    line = next(one for one in report.recoveries if one.policy == FEED_RECONNECT.name)
    texts = [one.text for one in kept.open_incidents()[0].lines]
    kept.close()

    assert (line.attempts, line.successes) == (4, 1)
    assert texts == ["down", "feed-reconnect, 3 times", "feed-reconnect, 1 times"]
