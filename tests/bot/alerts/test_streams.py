"""Random streams of notices, acts, outages of the chat and restarts: what holds for all of them."""

from collections import Counter
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.kept import adopt, encode
from bot.alerts.machine import STORM, AlertMachine
from bot.alerts.storm import NEW_MAX
from bot.alerts.table import ACK_S, Way, row_of
from engine.bus.notices import Notice, RoleBack, Unkilled
from engine.domain.modes import Basis
from tests.bot.alerts.makers import MINUTE, S, Table, away, back, killed, limit, lost, refused
from tests.bot.samples import AT_NS
from tests.effort import examples

CRITICAL = ("killed", "records:refused", "away:ledger", "away:engine")
NAMES = (*CRITICAL, "venue:a", "venue:b", "limit:position_limit", "network")


def _notices() -> st.SearchStrategy[Notice]:
    venues = st.sampled_from(["a", "b", "c", "d"])
    return st.one_of(
        venues.map(lost),
        venues.map(back),
        st.builds(limit),
        st.builds(killed),
        st.builds(refused),
        st.sampled_from(["ledger", "engine"]).map(away),
        st.just(Unkilled(at_ns=AT_NS, basis=Basis.SANDBOX, by="x")),
        st.sampled_from(["ledger", "engine"]).map(
            lambda role: RoleBack(at_ns=AT_NS, basis=Basis.SANDBOX, role=role, away_ms=1)
        ),
    )


def _acts() -> st.SearchStrategy[tuple[str, str]]:
    return st.one_of(
        st.tuples(st.sampled_from(["ack", "snooze"]), st.sampled_from(NAMES)),
        st.tuples(st.just("mute"), st.sampled_from(["venue", "limit", "records", "unkill"])),
        st.tuples(st.just("threshold"), st.sampled_from(["venue", "limit", "records"])),
        st.tuples(st.just("quiet"), st.just("0-23")),
    )


STEPS = st.lists(
    st.one_of(
        _notices(),
        _acts(),
        st.floats(0.1, 400),
        st.sampled_from(["away", "here", "restart"]),
    ),
    max_size=60,
)


class Stream:
    """A table that remembers what was fed."""

    def __init__(self) -> None:
        self.table = Table()
        self.fed: Counter[str] = Counter()
        self.critical: set[tuple[str, int]] = set()

    def take(self, step: Notice | tuple[str, str] | float | str) -> None:
        table = self.table
        if isinstance(step, float):
            table.wait(step, step_s=max(1.0, step / 50))
        elif isinstance(step, tuple):
            act, target = step
            table.act(act, target, until_ns=table.now_ns + 60 * MINUTE, number=3)
        elif isinstance(step, str):
            self._do(step)
        else:
            self._feed(step)

    def _do(self, what: str) -> None:
        if what == "restart":
            kept = encode(self.table.machine)
            self.table.machine = AlertMachine(zone=UTC, started_at_ns=self.table.now_ns)
            adopt(self.table.machine, kept)
        else:
            self.table.is_chat_away = what == "away"

    def _feed(self, notice: Notice) -> None:
        self.table.feed(notice)
        row = row_of(notice)
        if row.way is Way.ALERT:
            self.fed[row.topic] += 1
        self.critical |= {
            (one.fingerprint, one.episode)
            for one in self.table.machine.alerts.values()
            if one.is_critical
        }


@settings(max_examples=examples(150), deadline=None)
@given(STEPS)
def test_no_critical_alert_is_ever_dropped_or_silenced(
    steps: list[Notice | tuple[str, str] | float | str],
) -> None:
    stream = Stream()
    for step in steps:
        stream.take(step)
    stream.take("here")
    stream.table.wait(1)

    said = [say for say in stream.table.said if say.is_urgent and say.edits is None]
    assert {(say.what, say.mark[1]) for say in said} >= stream.critical
    assert not any(say.is_silent for say in said)


@settings(max_examples=examples(150), deadline=None)
@given(STEPS, st.sampled_from(CRITICAL[2:]))
def test_an_acknowledgement_stops_the_chain(
    steps: list[Notice | tuple[str, str] | float | str], name: str
) -> None:
    stream = Stream()
    for step in [*steps, away(name.removeprefix("away:")), "here", 2.0]:
        stream.take(step)
    table = stream.table
    table.act("ack", name)
    before = len(table.said)

    table.wait(ACK_S - 1, step_s=10)

    assert not [say for say in table.said[before:] if say.what == name and say.edits is None]
    assert name not in {one.fingerprint for one in table.machine.pages()}


@settings(max_examples=examples(100), deadline=None)
@given(STEPS)
def test_counts_are_what_was_fed(steps: list[Notice | tuple[str, str] | float | str]) -> None:
    stream = Stream()
    for step in steps:
        stream.take(step)

    counted = Counter(stream.table.machine.day.told)
    counted.pop("Several venues at once", None)
    if stream.table.now_ns - AT_NS < 17 * 3_600 * S:  # before the day's digest
        assert counted == stream.fed


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.integers(0, 59_999), min_size=1, max_size=400), st.integers(0, 4))
def test_a_minute_makes_eleven_messages_at_most_beside_the_critical(
    at_ms: list[int], criticals: int
) -> None:
    table = Table()
    for number, ms in enumerate(sorted(at_ms)):
        table.wait((AT_NS + ms * 1_000_000 - table.now_ns) / S, step_s=0.5)
        table.feed(lost(f"v{number}", at_ns=AT_NS + number * MINUTE))
    table.feed(*(killed(engine=f"e{number}") for number in range(criticals)))
    table.wait((AT_NS + MINUTE - 1 - table.now_ns) / S, step_s=0.5)

    new = table.new_messages()
    ordinary = [say for say in new if not say.is_urgent]
    assert len(ordinary) <= NEW_MAX + 1
    assert sum(say.what == STORM for say in new) <= 1
    assert sum(say.is_urgent for say in new) == criticals
