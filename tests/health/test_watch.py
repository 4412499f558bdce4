"""What is seen becomes a history that outlives the process, and one notice an incident."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.bus.health_reports import ComponentLine, IncidentReport, RoleEnd
from engine.bus.notices import IncidentEnded, IncidentOpened, Notice
from engine.bus.report import Unknown
from engine.domain.errors import FatalError
from engine.domain.health import NETWORK, Health, Sight
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.health import keeping
from engine.health.incidents import SETTLED_NS
from engine.health.keeping import Kept
from engine.health.watch import LOST_AFTER_NS, OWN, TOLD_AFTER_NS, Watch

S = NS_PER_S
START_NS = 1_790_000_000 * S
GEMINI, KRAKEN, RPC = "feed/gemini", "feed/kraken", "rpc/base/one"


@dataclass
class Place:
    """A folder in which a watch is begun and ended, and a clock that is set by hand."""

    folder: Path
    now_ns: int = START_NS
    told: list[Notice] = field(default_factory=list)
    stands: dict[str, Sight] = field(default_factory=dict)
    kept: Kept | None = None
    watch: Watch = field(init=False)
    ends: int = 0

    def begin(self, *, trouble: str = "") -> None:
        self.kept = None if trouble else Kept(self.folder)
        self.watch = Watch(
            self.kept,
            basis=Basis.SANDBOX,
            now_ns=self.now_ns,
            retention_days=30,
            tell=self.told.append,
            trouble=trouble,
        )

    def end(self) -> None:
        assert self.kept is not None
        self.kept.close()

    def die(self) -> None:
        """End without closing in order, as a process that is killed does."""
        assert self.kept is not None
        self.kept._file.close()

    def hear(self, role: str, *, at_ns: int, restarts: int = 1) -> RoleEnd:
        """Have the supervisor tell of the end of a role."""
        self.ends += 1
        end = RoleEnd(number=self.ends, at_ns=at_ns, role=role, why="killed", restarts=restarts)
        self.watch.ended(end)
        return end

    def failures(self) -> dict[str, int]:
        """Return how often each component failed, of all incidents."""
        found: dict[str, int] = {}
        for summary in self.watch.incidents(99).incidents:
            report = self.watch.incident(summary.number)
            assert isinstance(report, IncidentReport)
            for name, member in report.incident.members.items():
                found[name] = found.get(name, 0) + member.failures
        return found

    def see(self, *names: str, health: Health = Health.WELL, why: str = "") -> None:
        for name in names:
            self.stands[name] = Sight(component=name, health=health, why=why)
        self.wait(5)

    def wait(self, seconds: float) -> None:
        """Let time pass, with a look each five seconds."""
        for _ in range(max(1, round(seconds / 5))):
            self.now_ns += 5 * S
            self.watch.take(self.stands.values(), at_ns=self.now_ns)
            self.watch.looked(at_ns=self.now_ns, everything=True)

    def line(self, name: str) -> ComponentLine:
        return next(one for one in self.watch.health().components if one.name == name)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "health")
    place.begin()
    place.see(OWN, GEMINI, KRAKEN, RPC)
    return place


def test_failures_of_one_cause_are_told_once_as_they_grow_and_their_end_once(place: Place) -> None:
    place.see(GEMINI, health=Health.DOWN, why="disconnected")
    assert place.told == []  # a feed alone is told by a notice of its own
    place.see(KRAKEN, health=Health.DOWN)
    place.see(RPC, health=Health.DOWN)
    place.wait(600)
    place.see(GEMINI, KRAKEN, RPC)
    place.wait(SETTLED_NS / S + 600)

    *opened, ended = place.told
    assert [type(one) for one in opened] == [IncidentOpened] * 2
    assert {one.number for one in opened if isinstance(one, IncidentOpened)} == {1}
    assert isinstance(opened[-1], IncidentOpened)
    assert opened[-1].components == (GEMINI, KRAKEN, RPC)
    assert opened[-1].cause == NETWORK
    assert isinstance(ended, IncidentEnded)
    assert ended.lasted_ms == 615_000
    assert place.watch.health().open_incidents == []


def test_a_component_that_no_other_notice_tells_of_is_told_once_it_lasts(place: Place) -> None:
    place.see(RPC, health=Health.DOWN)
    place.wait(TOLD_AFTER_NS / S - 5)
    assert place.told == []
    place.wait(300)

    assert [type(one) for one in place.told] == [IncidentOpened]


def test_reading_changes_nothing(place: Place) -> None:
    place.see(GEMINI, health=Health.DOWN)
    before = place.watch.health()

    incident = place.watch.incident(0)
    assert isinstance(incident, IncidentReport)
    incident.incident.lines.clear()
    place.watch.incidents(5)

    assert place.watch.health() == before
    again = place.watch.incident(1)
    assert isinstance(again, IncidentReport)
    assert len(again.incident.lines) == 1
    assert isinstance(place.watch.incident(99), Unknown)


def test_a_restart_goes_on_with_histories_incidents_and_their_numbers(place: Place) -> None:
    place.see(GEMINI, KRAKEN, health=Health.DOWN)
    place.end()
    place.now_ns += 8 * S
    place.begin()
    assert place.watch.health().open_incidents == [1]
    place.see(GEMINI, KRAKEN)
    place.wait(SETTLED_NS / S)
    place.see(RPC, health=Health.DOWN)
    place.wait(60)

    assert [one.number for one in place.watch.incidents(9).incidents] == [2, 1]
    assert sum(isinstance(one, IncidentEnded) for one in place.told) == 1
    assert [health for _, health in place.line(GEMINI).changes] == [
        Health.WELL,
        Health.DOWN,
        Health.WELL,
    ]


def test_a_break_in_order_is_unseen_and_no_failure(place: Place) -> None:
    place.wait(60)
    place.end()
    place.now_ns += 3_600 * S
    place.begin()
    place.wait(5)

    assert place.line(OWN).available["24 h"] == 1.0
    assert [health for _, health in place.line(GEMINI).changes] == [
        Health.WELL,
        Health.UNSEEN,
        Health.WELL,
    ]
    assert place.watch.incidents(9).incidents == []


def test_a_ledger_that_was_killed_was_down_until_it_looks_again(place: Place) -> None:
    place.wait(60)
    place.die()
    place.now_ns += 600 * S
    place.begin()
    place.wait(5)

    assert [health for _, health in place.line(OWN).changes] == [
        Health.WELL,
        Health.DOWN,
        Health.WELL,
    ]
    assert place.line(OWN).available["1 h"] == pytest.approx(60 / 665, abs=0.01)
    (incident,) = place.watch.incidents(9).incidents
    assert incident.cause == OWN


def test_what_nobody_names_any_more_is_gone_and_holds_no_incident_open(place: Place) -> None:
    place.see(RPC, health=Health.DOWN)
    del place.stands[RPC]
    place.wait(LOST_AFTER_NS / S + SETTLED_NS / S + 10)

    assert RPC not in {one.name for one in place.watch.health().components}
    assert place.watch.health().open_incidents == []
    place.end()
    place.begin()
    assert RPC not in {one.name for one in place.watch.health().components}


def test_old_changes_go_and_how_each_component_stands_stays(place: Place) -> None:
    for _ in range(20):
        place.see(GEMINI, health=Health.DOWN)
        place.see(GEMINI)
    place.wait(SETTLED_NS / S)
    assert place.kept is not None
    assert len(list(place.kept.changes(since_ns=0))) > 40

    place.watch.prune(at_ns=place.now_ns + 31 * NS_PER_DAY)

    kept = dict(place.kept.changes(since_ns=0))
    assert {name: one.health for name, one in kept.items()} == dict.fromkeys(
        (OWN, GEMINI, KRAKEN, RPC), Health.WELL
    )
    assert place.watch.incidents(9).incidents == []


def test_however_often_it_flaps_so_many_rows_are_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROWS_MAX", 10)
    for _ in range(20):
        place.see(GEMINI, health=Health.DOWN)
        place.see(GEMINI)
    place.watch.prune(at_ns=place.now_ns)

    assert place.kept is not None
    assert len(list(place.kept.changes(since_ns=0))) <= 10 + len(place.stands)


def test_a_disk_that_takes_no_history_is_shown_and_the_watch_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise FatalError("no space left on device")

    monkeypatch.setattr(Kept, "change", refuse)
    place.see(GEMINI, KRAKEN, health=Health.DOWN)
    place.wait(60)

    assert place.watch.health().trouble == "no space left on device"
    assert place.watch.incidents(9).incidents[0].number == 1
    assert any(isinstance(one, IncidentOpened) for one in place.told)


BOT, ENGINE = "role/bot", "role/engine"


def test_an_end_that_is_told_is_a_failure_of_a_role_that_was_never_seen(tmp_path: Path) -> None:
    place = Place(tmp_path / "health")
    place.begin()
    place.hear("bot", at_ns=place.now_ns)
    place.hear("engine", at_ns=place.now_ns + S, restarts=0)

    place.see(BOT, ENGINE)

    assert place.failures() == {BOT: 1, ENGINE: 1}
    assert [health for _, health in place.line(BOT).changes] == [Health.DOWN, Health.WELL]


def test_an_end_that_is_told_is_a_failure_of_a_role_that_was_starting(place: Place) -> None:
    place.see(ENGINE, health=Health.UNSEEN, why="it is starting")
    place.hear("engine", at_ns=place.now_ns)
    place.wait(5)

    assert place.failures() == {ENGINE: 1}
    assert place.line(ENGINE).why == "it is starting"


def test_an_end_that_is_told_long_afterwards_is_a_failure_and_no_outage(place: Place) -> None:
    place.see(BOT)
    ended_ns = place.now_ns + S
    place.wait(600)  # another process of it was there at the next look
    place.hear("bot", at_ns=ended_ns)
    place.wait(5)

    assert place.failures() == {BOT: 1}
    assert place.line(BOT).health is Health.WELL
    assert place.line(BOT).available["1 h"] > 0.99


@pytest.mark.parametrize("away_s", [2, 600])
def test_an_end_while_the_ledger_was_away_is_a_failure_though_all_is_well_since(
    place: Place, away_s: int
) -> None:
    place.see(BOT)
    place.die()
    ended_ns = place.now_ns + S
    place.now_ns += away_s * S
    place.begin()
    place.wait(10)
    place.hear("ledger", at_ns=ended_ns - S // 2)
    place.hear("bot", at_ns=ended_ns)
    place.wait(5)

    assert place.failures() == {OWN: 1, BOT: 1}
    assert place.line(BOT).health is Health.WELL


def test_an_end_that_a_look_found_or_that_is_told_again_is_one_failure(place: Place) -> None:
    place.see(BOT, ENGINE)
    ended_ns = place.now_ns + S
    place.see(BOT, health=Health.DOWN, why="it has no process")
    place.see(BOT)
    end = place.hear("bot", at_ns=ended_ns)
    place.watch.ended(end)
    place.hear("engine", at_ns=place.now_ns + S)
    place.see(ENGINE, health=Health.DOWN, why="its process ended and was started again")
    place.see(ENGINE)

    assert place.failures() == {BOT: 1, ENGINE: 1}
    (summary, *_) = place.watch.incidents(9).incidents[::-1]
    report = place.watch.incident(summary.number)
    assert isinstance(report, IncidentReport)
    texts = [one.text for one in report.incident.lines if one.component == BOT]
    assert texts.count("restart 1 by the supervisor") == 1


def test_a_ledger_that_was_killed_was_down_however_soon_it_is_back(place: Place) -> None:
    place.die()
    place.now_ns += S
    place.begin()
    place.wait(5)

    assert place.failures() == {OWN: 1}
    assert Health.UNSEEN not in {health for _, health in place.line(GEMINI).changes}


def test_a_ledger_that_was_killed_before_it_ever_looked_was_down(tmp_path: Path) -> None:
    place = Place(tmp_path / "health")
    place.begin()
    place.die()
    place.now_ns += 8 * S
    place.begin()
    place.see(OWN)

    assert place.failures() == {OWN: 1}


def test_no_failure_is_kept_without_its_incident_when_the_ledger_is_killed_between(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    place.see(BOT)
    with monkeypatch.context() as patched:
        patched.setattr(Kept, "incident", die)
        with pytest.raises(KeyboardInterrupt):
            place.hear("bot", at_ns=place.now_ns + S)
    place.die()
    place.now_ns += 2 * S
    place.begin()
    place.wait(5)
    place.hear("bot", at_ns=place.now_ns - 6 * S)  # told again: nobody had answered

    assert place.failures() == {OWN: 1, BOT: 1}
