"""What each line of advice changes is measured segment by segment, and told with an interval."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from types import GenericAlias
from typing import Any

import msgspec
import pytest

from bot.render.discoveries import effect_words, render_discoveries, render_discovery
from bot.render.plain import write_plain
from engine.background.coding import encode_checked, outcome_type
from engine.background.effects import SPAN_NS, Tally
from engine.background.history import History
from engine.background.nursery import open_nursery
from engine.background.ports import Given, Outcome, Task
from engine.background.runs import Ended
from engine.background.wants import AdvisedNow, Recorded, RecordedGiven
from engine.bus.memory import MemoryCaller
from engine.bus.overview_reports import LimitLine, LimitsReport
from engine.domain.advice import DatedAdvice, GasAdvice, ThresholdProposal
from engine.domain.discoveries import Discovery, Verdict, refusal_of
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How
from engine.domain.units import NS_PER_S
from engine.operate.recording import number_of, segments_of
from engine.requests.advise import Advise
from engine.requests.discoveries import GetDiscoveries
from engine.requests.overview import GetLimits
from engine.requests.request_list import requests_of
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.wiring import limit_trials
from engine.wiring.counterfactual import play, without_any
from engine.wiring.effect_task import DISCOVERY_EFFECTS, Line, Measuring
from engine.wiring.limit_task import LIMIT_EFFECTS
from engine.wiring.limit_trials import TERM, limits_of, trials_of
from engine.wiring.recorded import newest_run, whole_segments
from engine.wiring.task_findings import Findings
from engine.wiring.task_wants import ASK_S, Wants
from engine.wiring.work_list import TASKS, TASKS_AT
from tests.agents.worlds import end
from tests.background.agents import Away
from tests.background.habits import RIVALS
from tests.background.rival_chain import CHAIN
from tests.background.world import World, run_world
from tests.once import made_once
from tests.simulation.simulation import MEMORY, make_empty_database
from tests.storage.finding import keep, load_one, run_of
from tests.storage.makers import NOW_NS
from tests.storage.model import put_empty_ledger

SECONDS = 700.0
SEGMENT_BYTES = 2_500_000
RECORDINGS, KEPT = "recordings", "outcomes"
RUNS_MAX = 99
DEARER = (GasAdvice(chain=CHAIN, ratio=4.9), GasAdvice(chain=CHAIN, ratio=5.0))
"""Gas that is reckoned with five times as dear makes most transactions not worth it."""

TOLD_S = (60.0, 320.0)
LINE = f"GasAdvice {CHAIN}"


@dataclass
class Adviser:
    """Advises the one piece, and the other in its place within the second segment."""

    told: int = 0

    async def __call__(self, world: World) -> None:
        if self.told < len(DEARER) and world.elapsed_s() > TOLD_S[self.told]:
            until_ns = world.life.now_ns() + 3_600 * NS_PER_S
            self.told += 1
            piece = DatedAdvice(
                discovery=self.told, until_ns=until_ns, advice=DEARER[self.told - 1]
            )
            await world.life.answers.answer(Advise(advice=(piece,)))


def make_recording(folder: Path) -> None:
    """Let a world run, and keep what it recorded."""
    with TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        for name in ("empty", "world"):
            (root / name).mkdir()
        world = run_world(
            1,
            root / "world",
            seconds=SECONDS,
            empty_database=make_empty_database(root / "empty"),
            beside=Adviser(),
            segment_bytes=SEGMENT_BYTES,
            habits=RIVALS,
        )
        copytree(world.machine.recordings, folder / RECORDINGS)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "advised-world", make_recording) / RECORDINGS


@pytest.fixture(scope="module")
def recording(recordings: Path) -> Path:
    return newest_run(recordings)


def given(
    recording: Path,
    *advised: AdvisedNow,
    segments: list[int] | None = None,
    edge_bps_min: float = 0.0,
) -> Given:
    recorded = RecordedGiven(
        folder=str(recording),
        segments=whole_segments(recording) if segments is None else segments,
        advised=list(advised) or [AdvisedNow(seq=2, line=LINE, advice=DEARER[1])],
        limits={TERM: edge_bps_min},
    )
    return Given(at_ns=NOW_NS, basis=Basis.SANDBOX, seed=1, answers={Recorded(): recorded})


def measured(
    what: Given, learned: Measuring | None = None, *, task: Task[Any] = DISCOVERY_EFFECTS
) -> Outcome[Measuring]:
    outcome: Outcome[Measuring] = end(task, what, learned)
    return outcome


OUTCOMES: Any = GenericAlias(list, outcome_type(DISCOVERY_EFFECTS))


@pytest.fixture(scope="module")
def outcomes(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome[Measuring]]:
    """One run after the other, each a segment, until all that is recorded was measured."""

    def make(folder: Path) -> None:
        (folder / KEPT).write_bytes(msgspec.msgpack.encode(all_measured(recording)))

    kept = made_once(tmp_path_factory, "advised-world-outcomes", make) / KEPT
    found: list[Outcome[Measuring]] = msgspec.msgpack.decode(kept.read_bytes(), type=OUTCOMES)
    return found


def all_measured(recording: Path) -> list[Outcome[Measuring]]:
    found: list[Outcome[Measuring]] = []
    while len(found) < RUNS_MAX:
        outcome = measured(given(recording), found[-1].learned if found else None)
        if outcome.measured["segment"] < 0:
            return found
        found.append(outcome)
    raise AssertionError("it comes to no end")


def test_a_line_is_measured_with_all_that_took_each_others_place_in_it(
    recording: Path, outcomes: list[Outcome[Measuring]]
) -> None:
    last = outcomes[-1].learned
    assert last is not None
    line = last.lines[LINE]

    assert last.upto == whole_segments(recording)[-1]
    assert line.given.captured < line.withheld.captured
    assert 0 < len(line.gains_usd) <= SECONDS * NS_PER_S / SPAN_NS
    assert line.given.cost_usd < line.withheld.cost_usd
    # Nothing else was advised: without the line is without any.
    captured = 0
    for number in whole_segments(recording):
        tally = Tally(since_ns=0)
        path = recording / f"{number:06}.zst"
        play(path, first=0, put=tally.take, change=without_any)
        captured += tally.captured
    assert line.withheld.captured == captured


def test_segments_add_up_and_each_is_told_as_far_as_it_is_known(
    recording: Path, outcomes: list[Outcome[Measuring]]
) -> None:
    spans = []
    assert len(outcomes) == len(whole_segments(recording))
    for outcome in outcomes:
        (told,) = outcome.effects
        assert told.seq == 2
        assert told.effect.is_of_line
        assert told.effect.verdict is Verdict.TOO_LITTLE
        spans.append(told.effect.blocks)

    assert len(spans) > 1
    assert spans == sorted(spans)
    assert spans[0] < spans[-1]


def test_when_all_is_measured_a_run_does_nothing(
    recording: Path, outcomes: list[Outcome[Measuring]]
) -> None:
    again = measured(given(recording), outcomes[-1].learned)

    assert again.learned == outcomes[-1].learned
    assert again.measured["segment"] == -1


@pytest.fixture(scope="module")
def begun(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Measuring:
    """The first segment once it was played as it was."""

    def make(folder: Path) -> None:
        states = [*DISCOVERY_EFFECTS.run(given(recording), None, None)]
        # Where it may be held: before, and between its two ways. After both it would go on with
        # the next segment, and what this one says would never be told.
        assert len(states) == 2
        (folder / KEPT).write_bytes(encode_checked(states[1], type_=Measuring, what="state"))

    kept = made_once(tmp_path_factory, "advised-world-begun", make) / KEPT
    return msgspec.msgpack.decode(kept.read_bytes(), type=Measuring)


def test_a_run_that_was_interrupted_between_two_ways_ends_as_if_it_had_not_been(
    recording: Path, outcomes: list[Outcome[Measuring]], begun: Measuring
) -> None:
    assert begun.as_it_was.number == whole_segments(recording)[0]
    assert begun.done == ()
    assert end(DISCOVERY_EFFECTS, given(recording), None, begun) == outcomes[0]


def test_what_is_proposed_is_played_as_if_somebody_had_taken_it(
    recording: Path, begun: Measuring
) -> None:
    proposal = ThresholdProposal(term="net_edge_bps_min", value=900.0, why="to try it")
    advised = AdvisedNow(seq=7, line="ThresholdProposal net_edge_bps_min", advice=proposal)
    found = measured(given(recording, advised), begun)

    assert found.learned is not None
    line = found.learned.lines[advised.line]
    assert line.given.captured == 0 < line.withheld.captured


def test_other_limits_are_tried_each_on_what_was_recorded(
    recording: Path,
    outcomes: list[Outcome[Measuring]],
    begun: Measuring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limit_trials, "STEPS", (2.0, 90.0))
    (trial, last) = trials_of({TERM: 10.0})
    known = msgspec.structs.replace(begun, done=(trial,))
    found = measured(given(recording, edge_bps_min=10.0), known, task=LIMIT_EFFECTS)

    assert found.learned is not None
    assert found.learned.upto == begun.as_it_was.number
    line = found.learned.lines[last]
    assert line.given.captured == 0 < line.withheld.captured
    # What was earned and lost is gone, span by span; the rest of the segment is no whole span.
    was = begun.as_it_was
    spans = range((was.until_ns - was.since_ns) // SPAN_NS)
    assert line.gains_usd == tuple(-was.profit_usd.get(span, 0.0) for span in spans)
    assert any(line.gains_usd)
    assert found.found == ()
    # The segment is done without them where lines of advice are what it is played without.
    alone = measured(given(recording, edge_bps_min=10.0), begun)
    assert alone.learned == outcomes[0].learned


@pytest.mark.parametrize(("gain_usd", "proposals"), [(0.5, 1), (0.0, 0), (-0.5, 0)])
def test_a_limit_that_is_proven_to_earn_is_proposed_to_a_person(
    recording: Path, gain_usd: float, proposals: int
) -> None:
    best, *_, other = trials_of({TERM: 10.0})
    hour = tuple(gain_usd + at % 3 / 100 - 0.01 for at in range(30))
    flat = tuple(at % 3 / 10 - 0.1 for at in range(30))
    lines = {best: Line(gains_usd=hour), other: Line(gains_usd=flat)}
    known = Measuring(folder=str(recording), upto=99, lines=lines)
    what = given(recording, segments=[100], edge_bps_min=10.0)
    found = measured(what, known, task=LIMIT_EFFECTS)

    advised = [one.advice for one in found.found]
    assert len(advised) == proposals
    for one in advised:
        assert isinstance(one, ThresholdProposal)
        assert (one.term, one.value) == (TERM, 12.5)
        assert "12.5 bps brought +15" in one.why
    assert [refusal_of(one) for one in found.found] == [""] * proposals
    assert found.learned is not None
    assert found.learned.lines == {}


def test_without_a_limit_in_force_none_is_tried_and_nothing_is_played(recording: Path) -> None:
    known = Measuring(folder=str(recording))
    assert measured(given(recording), known, task=LIMIT_EFFECTS) == Outcome(learned=known)
    assert trials_of({}) == trials_of({TERM: 0.0}) == []
    assert [limits_of(one) for one in trials_of({TERM: 8.0})] == [
        {TERM: Decimal(text)} for text in ("10", "12", "16", "24")
    ]
    assert limits_of(LINE) is None


def test_a_segment_that_is_gone_is_passed_and_what_is_known_stays(recording: Path) -> None:
    known = Measuring(folder=str(recording), upto=1, lines={LINE: Line(gains_usd=(1.0, 2.0))})
    beyond = max(number_of(one) for one in segments_of(recording)) + 5
    found = measured(given(recording, segments=[1, beyond]), known)

    assert found.learned == replace_upto(known, beyond)


def test_a_segment_that_cannot_be_read_is_counted_and_told_with_the_effect(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "000002.zst").write_bytes(b"no recording")
    lines = {LINE: Line(gains_usd=(1.0, 2.0))}
    known = Measuring(folder=str(tmp_path), upto=1, lines=lines)
    found = measured(given(tmp_path, segments=[1, 2]), known)

    assert found.learned == msgspec.structs.replace(known, upto=2, unread=1)
    assert found.measured["unread"] == 1
    ((told,),) = (found.effects,)
    assert told.effect.unread == 1
    assert effect_words(told.effect) == "unproven, 1 unread"
    assert "segment 2 is left out: " in capsys.readouterr().err
    elsewhere = measured(given(recording, segments=[]), found.learned)
    assert elsewhere.measured["unread"] == 0


def replace_upto(state: Measuring, upto: int) -> Measuring:
    return msgspec.structs.replace(state, upto=upto)


def test_an_hour_is_told_whole_and_the_next_is_measured_anew(recording: Path) -> None:
    hour = tuple(-1.0 - at % 3 / 10 for at in range(30))
    known = Measuring(folder=str(recording), upto=99, lines={LINE: Line(gains_usd=hour)})
    what = given(recording, segments=[])
    beyond = measured(given(recording, segments=[100]), known)

    assert [one.effect.verdict for one in beyond.effects] == [Verdict.COSTS]
    assert beyond.learned is not None
    assert beyond.learned.lines == {}
    assert measured(what, beyond.learned).effects == ()


@dataclass
class Engine:
    """An engine that hears advice."""

    async def answer(self, request: Any, /) -> Any:
        raise AssertionError(f"{request} is asked by nobody here")


class Limited:
    """An engine that tells its limits."""

    async def call(self, request: Any, /, *, timeout_s: float = 5.0) -> LimitsReport:
        assert (request, timeout_s) == (GetLimits(), ASK_S)
        line = LimitLine(name="edge", unit="bps", limit="10", used="", refusals=0, term=TERM)
        return LimitsReport(basis=Basis.SANDBOX, market_note="", limits=[line])


GAS = Discovery(
    kind="gas_trend",
    subject=CHAIN,
    says="gas rises fivefold until it lands",
    figures={"gas_ratio": 5.0},
    score=0.5,
    holds_s=3_600.0,
    advice=DEARER[1],
)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    put_empty_ledger(tmp_path)
    settings = LedgerSettings(data_dir=tmp_path)
    async with open_ledger(settings, clock=lambda: NOW_NS) as opened:
        yield opened


async def test_from_advice_to_effect_to_the_phone(
    recording: Path, outcomes: list[Outcome[Measuring]], ledger: Ledger
) -> None:
    await keep(ledger, run_of(GAS))
    findings = Findings(
        ledger=MemoryCaller(requests_of("ledger"), ledger),
        engine=MemoryCaller(requests_of("engine"), Engine()),
        chains=None,
        basis=Basis.SANDBOX,
        clock=lambda: NOW_NS,
    )
    (told,) = outcomes[-1].effects
    of_it = msgspec.structs.replace(told, seq=1)

    async def tell(effects: tuple[Any, ...]) -> None:
        outcome: Outcome[Any] = Outcome(effects=effects)
        ended = Ended(
            how=How.DONE, begun_at_ns=NOW_NS, ended_at_ns=NOW_NS, outcome=outcome, run_id="r1"
        )
        await findings(DISCOVERY_EFFECTS, ended)

    await tell((of_it,))
    unproven = await ledger.answer(GetDiscoveries())
    one = await load_one(ledger, 1)

    assert "unproven" in write_plain(render_discoveries(unproven))
    assert "too little measured" in write_plain(render_discovery(one))

    costs = msgspec.structs.replace(of_it.effect, verdict=Verdict.COSTS)
    await tell((msgspec.structs.replace(of_it, effect=costs),))

    assert (await ledger.answer(GetDiscoveries())).lines == []
    (over,) = (await ledger.answer(GetDiscoveries(is_in_force=False))).lines
    assert over.ended == Verdict.COSTS.value
    dearer = msgspec.structs.replace(GAS, figures={"gas_ratio": 4.0})
    (kept,) = await keep(ledger, run_of(dearer, name="run-2"))
    assert kept.why == "no effect was measured"  # nothing of its line, whatever it says
    for_people = msgspec.structs.replace(dearer, advice=None)
    (kept,) = await keep(ledger, run_of(for_people, name="run-3"))
    assert kept.seq == 2


async def test_it_ends_alike_in_a_process_of_its_own_within_its_bounds(
    recording: Path, outcomes: list[Outcome[Measuring]], tmp_path: Path
) -> None:
    async with open_nursery(
        folder=tmp_path / "background",
        tasks=TASKS,
        tasks_at=TASKS_AT,
        basis=Basis.SANDBOX,
        tell=lambda _: None,
        is_idle=False,
    ) as nursery:
        ended = await nursery.run(DISCOVERY_EFFECTS, given(recording))

    assert (ended.how, ended.why) == (How.DONE, "")
    assert ended.outcome == outcomes[0]
    assert 0 < ended.memory_mb < DISCOVERY_EFFECTS.bounds.memory_mb


async def test_a_recording_is_given_with_the_advice_that_counts_while_a_core_is_free(
    recording: Path, recordings: Path, ledger: Ledger, tmp_path: Path
) -> None:
    caller = MemoryCaller(requests_of("ledger"), ledger)
    wants = Wants(
        ledger=caller,
        engine=Away(),
        chains=None,
        prices_path=tmp_path,
        recordings=recordings,
        is_quiet=lambda: True,
        tasks=(),
        history=History(tmp_path / "runs", []),
        basis=Basis.SANDBOX,
        seed=1,
        clock=lambda: NOW_NS,
    )
    assert (await wants(DISCOVERY_EFFECTS)).of(Recorded()).advised == []
    await keep(ledger, run_of(GAS))

    told = (await wants(DISCOVERY_EFFECTS)).of(Recorded())

    assert told.advised == [AdvisedNow(seq=1, line=LINE, advice=DEARER[1])]
    assert told.limits == {}
    limited: Any = Limited()
    assert (await replace(wants, engine=limited)(DISCOVERY_EFFECTS)).of(Recorded()).limits == {
        TERM: 10.0
    }
    newest = max(number_of(one) for one in segments_of(recording))
    assert told.segments == list(range(1, newest))  # the newest may still be written
    for other, why in (
        (replace(wants, is_quiet=lambda: False), "the machine is busy"),
        (replace(wants, recordings=tmp_path / "none"), "no run is recorded"),
        (replace(wants, recordings=None), "none is made here"),
    ):
        with pytest.raises(TransientError, match=why):
            await other(DISCOVERY_EFFECTS)
