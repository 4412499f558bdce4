"""Which failures belong together: a rule that can be played again, over any events."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.health import MACHINE, NETWORK, Health, Incident, Weight
from engine.domain.units import NS_PER_S
from engine.health.component_list import common_needs, depends, kind_of
from engine.health.incidents import (
    LINES_MAX,
    SETTLED_NS,
    TOGETHER_NS,
    Change,
    Incidents,
    copied,
)
from tests.effort import examples

S = NS_PER_S
COMPONENTS = (
    *("feed/gemini", "feed/kraken", "feed/coinbase", "rpc/base/one", "rpc/base/two"),
    *("chain/base", "role/engine", "role/chains", "role/ledger", "database", "telegram", "wallet"),
)
GEMINI, KRAKEN, ENGINE = "feed/gemini", "feed/kraken", "role/engine"


@dataclass
class Story:
    """Events of an installation, told to the rule one after the other.

    Attributes:
        downs: instant and component of each failure.
        over: incidents that ended, and when that was said.
    """

    rule: Incidents = field(default_factory=Incidents)
    now_ns: int = 1_000 * S
    stands: dict[str, Health] = field(default_factory=dict)
    well_since: dict[str, int] = field(default_factory=dict)
    downs: list[tuple[int, str]] = field(default_factory=list)
    over: list[Incident] = field(default_factory=list)

    def see(self, component: str, health: Health, *, after_s: float = 0) -> None:
        self.wait(after_s)
        if self.stands.get(component) is health:
            return
        self.stands[component] = health
        if health is Health.DOWN:
            self.downs.append((self.now_ns, component))
        if health is Health.WELL:
            self.well_since[component] = self.now_ns
        self.rule.seen(component, health, why="", at_ns=self.now_ns)

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * S)
        for change, incident in self.rule.tick(at_ns=self.now_ns):
            assert change is Change.ENDED
            self.check_end(incident)
            self.over.append(copied(incident))

    def check_end(self, incident: Incident) -> None:
        for component in incident.members:
            assert self.stands[component] is Health.WELL, f"{component} is not well"
            assert self.now_ns - self.well_since[component] >= SETTLED_NS
        assert incident.ended_at_ns == max(self.well_since[one] for one in incident.members)

    def all(self) -> list[Incident]:
        return [*self.over, *self.rule.open]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(COMPONENTS),
        st.sampled_from(list(Health)),
        st.sampled_from([0.0, 1.0, 12.0, 29.0, 31.0, 100.0, 119.0, 130.0, 600.0]),
    ),
    max_size=60,
)


@given(events=EVENTS)
@settings(max_examples=examples(400), deadline=None)
def test_each_failure_is_in_exactly_one_incident(
    events: list[tuple[str, Health, float]],
) -> None:
    story = Story()
    for component, health, after_s in events:
        story.see(component, health, after_s=after_s)

    held = Counter(
        (at_ns, component)
        for incident in story.all()
        for component, member in incident.members.items()
        for at_ns in member.failed_at_ns
    )
    assert held == Counter(story.downs)
    assert story.rule.failures == len(story.downs)
    numbers = [one.number for one in story.all()]
    assert len(set(numbers)) == len(numbers)


@given(events=EVENTS)
@settings(max_examples=examples(400), deadline=None)
def test_an_incident_ends_only_when_all_its_components_are_well_and_then_does(
    events: list[tuple[str, Health, float]],
) -> None:
    story = Story()  # looks at each end of an incident
    for component, health, after_s in events:
        story.see(component, health, after_s=after_s)
    for component in COMPONENTS:
        story.see(component, Health.WELL)
    story.wait(SETTLED_NS / S)

    assert story.rule.open == []


@given(events=EVENTS, cut=st.integers(0, 60))
@settings(max_examples=examples(200), deadline=None)
def test_a_history_played_again_makes_the_same_incidents_also_over_a_restart(
    events: list[tuple[str, Health, float]], cut: int
) -> None:
    first, second = Story(), Story()
    for number, (component, health, after_s) in enumerate(events):
        first.see(component, health, after_s=after_s)
        if number == cut:
            kept = [copied(one) for one in second.rule.open]
            next_number = 1 + max((one.number for one in second.all()), default=0)
            before = second.rule.failures
            second.rule = Incidents(next_number=next_number, open_ones=kept)
            second.rule.failures = before
        second.see(component, health, after_s=after_s)

    assert [msgspec.to_builtins(one) for one in first.all()] == [
        msgspec.to_builtins(one) for one in second.all()
    ]


def test_a_network_that_is_gone_is_one_incident_of_all_feeds_and_providers() -> None:
    story = Story()
    for component in (GEMINI, KRAKEN, "rpc/base/one", "rpc/base/two", "telegram"):
        story.see(component, Health.DOWN, after_s=5)

    (incident,) = story.rule.open
    assert incident.cause == NETWORK
    assert len(incident.members) == 5
    assert incident.weight is Weight.MAJOR


def test_failures_without_a_common_cause_or_far_apart_are_incidents_of_their_own() -> None:
    story = Story()
    story.see(GEMINI, Health.DOWN)
    story.see("wallet", Health.DOWN, after_s=1)
    story.see(KRAKEN, Health.DOWN, after_s=TOGETHER_NS / S)

    assert [list(one.members) for one in story.rule.open] == [[GEMINI], ["wallet"], [KRAKEN]]


def test_a_role_that_died_takes_what_depends_on_it_however_late_and_is_the_cause() -> None:
    story = Story()
    story.see(GEMINI, Health.DOWN)
    story.see(ENGINE, Health.DOWN, after_s=1)
    story.see(KRAKEN, Health.DOWN, after_s=300)

    (incident,) = story.rule.open
    assert list(incident.members) == [GEMINI, ENGINE, KRAKEN]
    assert incident.cause == ENGINE
    assert incident.weight is Weight.CRITICAL


def test_flapping_makes_no_new_incident() -> None:
    story = Story()
    for _ in range(300):
        story.see(GEMINI, Health.DOWN, after_s=SETTLED_NS / S - 1)
        story.see(GEMINI, Health.WELL, after_s=3)

    assert story.over == []
    (incident,) = story.rule.open
    assert incident.members[GEMINI].failures == 300
    assert len(incident.lines) == LINES_MAX
    assert incident.left_out + LINES_MAX == 600
    assert incident.lines[0].at_ns == incident.opened_at_ns


def test_what_nobody_can_see_is_no_failure_and_ends_none() -> None:
    story = Story()
    story.see(KRAKEN, Health.UNSEEN)
    assert story.rule.open == []
    story.see(GEMINI, Health.DOWN)
    story.see(GEMINI, Health.UNSEEN, after_s=1)
    story.wait(10_000)

    assert len(story.rule.open) == 1


def test_a_component_that_is_gone_holds_no_incident_open() -> None:
    story = Story()
    story.see(GEMINI, Health.DOWN)
    story.rule.gone(GEMINI, at_ns=story.now_ns)

    ended = story.rule.tick(at_ns=story.now_ns + SETTLED_NS)

    assert [change for change, _ in ended] == [Change.ENDED]


def test_what_was_tried_stands_in_the_timeline_of_the_incident_that_it_was_tried_for() -> None:
    story = Story()
    story.see(ENGINE, Health.DOWN)

    story.rule.tried(ENGINE, "restart 1 by the supervisor", at_ns=story.now_ns)
    assert story.rule.tried(KRAKEN, "reconnect", at_ns=story.now_ns) == []

    (incident,) = story.rule.open
    assert [(line.said.value, line.text) for line in incident.lines] == [
        ("seen", "down"),
        ("tried", "restart 1 by the supervisor"),
    ]


def test_needs_go_on_through_what_is_needed() -> None:
    assert depends("chain/base", "rpc/base/one")
    assert not depends("chain/base", "rpc/ethereum/one")
    assert depends("database", MACHINE)
    assert not depends(ENGINE, GEMINI)
    assert common_needs((GEMINI, "rpc/base/one"))[0] == NETWORK
    assert all(kind_of(component).says for component in COMPONENTS)
