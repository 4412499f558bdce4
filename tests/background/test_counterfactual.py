"""The same recorded hours are played again one way and another, by the same rules."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from engine.background.effects import Tally
from engine.bus.records import ExecutionRecord, IntentRecord, OpportunityRecord, Record
from engine.core.inputs.intent_stored import INTENT_STORED
from engine.core.inputs.switched import SWITCHED, ControlState
from engine.core.inputs.tick import TICK
from engine.domain.advice import DatedAdvice, ShapeGasAdvice, ShapeOffAdvice
from engine.domain.errors import BadValueError
from engine.domain.modes import Mode
from engine.domain.orders import Receipt
from engine.domain.plans import AtomicPlan, MixedPlan, OnChain
from engine.domain.units import NS_PER_S
from engine.execute.fork_word import AdvisedWord, ForkWord, shape_of_plan
from engine.operate.recording import Entry, EntryKind
from engine.operate.world import KILLED
from engine.ports import InputKind
from engine.requests.advise import Advise
from engine.wiring.counterfactual import Change, FollowingWorld, _inputs, play, without_any
from tests.background.world import World, run_world
from tests.simulation.chain import CHAIN
from tests.simulation.simulation import MEMORY, make_empty_database

SECONDS = 8.0
OFF = ShapeOffAdvice(chain=CHAIN, shape="uniswap_v3", why="it reverts: Paused()")


async def _advise(world: World) -> None:
    """Tell the recorded run that a fork refuses a shape."""
    if world.elapsed_s() < 1.5:
        until_ns = world.life.now_ns() + 3_600 * NS_PER_S
        advice = DatedAdvice(discovery=1, until_ns=until_ns, advice=OFF)
        await world.life.answers.answer(Advise(advice=(advice,)))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        for name in ("empty", "world"):
            (root / name).mkdir()
        empty = make_empty_database(root / "empty")
        yield run_world(1, root / "world", seconds=SECONDS, empty_database=empty, beside=_advise)


def played(world: World, change: Change, *, forks: ForkWord | None = None) -> list[Record]:
    records: list[Record] = []
    play(world.recording, first=0, put=records.append, change=change, forks=forks)
    return records


def transactions(records: list[Record], shape: str) -> list[tuple[OnChain, Receipt | None]]:
    """Return plans of a shape with what became of their transactions, None if none was sent."""
    found: list[tuple[OnChain, Receipt | None]] = []
    for one in records:
        if isinstance(one, ExecutionRecord) and isinstance(one.plan, AtomicPlan | MixedPlan):
            sent = one.execution.transaction
            if shape_of_plan(one.plan) == shape:
                found.append((one.plan, None if sent is None else sent.receipt))
    return found


def as_it_was(entry: Entry) -> Entry | None:
    return entry


@pytest.fixture(scope="module")
def unchanged(world: World) -> list[Record]:
    return played(world, as_it_was)


def test_a_world_trades_and_is_played_to_the_same_opportunities_twice(
    world: World, unchanged: list[Record]
) -> None:
    once, again = unchanged, played(world, as_it_was)
    found = [one.opportunity_id for one in once if isinstance(one, OpportunityRecord)]

    assert once == again
    assert world.life.failures == []
    assert len(found) > 10
    assert any(isinstance(one, ExecutionRecord) for one in once)


def test_another_way_differs_where_its_inputs_do(world: World, unchanged: list[Record]) -> None:
    begins_ns = world.life.header.started_at_ns
    half_ns = begins_ns + int(SECONDS / 2 * 1e9)

    def deaf(entry: Entry) -> Entry | None:
        return None if entry.kind == InputKind.FRAME and entry.at_ns > half_ns else entry

    ways = []
    for records in (unchanged, played(world, deaf)):
        before, after = Tally(since_ns=begins_ns), Tally(since_ns=half_ns)
        for record in records:
            after.take(record)
            if isinstance(record, OpportunityRecord) and record.seen_at_ns <= half_ns:
                before.take(record)
        ways.append((before.found, after.found))

    (given_before, given_after), (deaf_before, deaf_after) = ways
    assert given_before == deaf_before > 0
    assert given_after > deaf_after


def test_all_ways_trade_on_paper_and_wait_for_no_intent(world: World) -> None:
    observe = SWITCHED.encode(ControlState(mode=Mode.OBSERVE, is_paused=False))
    is_first = True

    def observing(entry: Entry) -> Entry | None:
        nonlocal is_first
        if is_first:
            is_first = False
            return Entry(entry.seq, SWITCHED.number, entry.stream, entry.at_ns, "", observe)
        return entry

    records = played(world, observing)

    assert any(isinstance(one, IntentRecord) for one in records)
    assert any(isinstance(one, ExecutionRecord) for one in records)


def test_what_a_fork_refused_in_the_recorded_run_is_not_sent_where_nobody_is_advised_of_it(
    world: World, unchanged: list[Record]
) -> None:
    advised_ns = world.life.header.started_at_ns + 2 * NS_PER_S

    def since(records: list[Record]) -> list[Receipt | None]:
        sent = transactions(records, OFF.shape)
        return [receipt for plan, receipt in sent if plan.decided_at_ns > advised_ns]

    tried = since(played(world, without_any))

    assert since(unchanged) == []
    assert tried
    assert set(tried) == {None}


def test_what_takes_more_gas_on_a_fork_pays_more_on_paper(
    world: World, unchanged: list[Record]
) -> None:
    word = AdvisedWord()
    dearer = ShapeGasAdvice(chain=CHAIN, shape="uniswap_v2", ratio=2.5)
    word.take([DatedAdvice(discovery=1, until_ns=2**62, advice=dearer)])
    ended = AdvisedWord()
    ended.take([DatedAdvice(discovery=1, until_ns=1, advice=dearer)])

    def paid(records: list[Record]) -> dict[tuple[str, int | None], Decimal]:
        sent = transactions(records, dearer.shape)
        return {(plan.plan_id, got.block): got.gas for plan, got in sent if got is not None}

    as_reckoned = paid(unchanged)
    more = paid(played(world, as_it_was, forks=word))
    both = as_reckoned.keys() & more.keys()

    assert paid(played(world, as_it_was, forks=ended)) == as_reckoned
    assert both
    ratios = [more[one] / as_reckoned[one] for one in both]
    assert max(ratios) == Decimal("2.5")
    assert min(ratios) > 1  # less where a part of it is for bytes, which are no more than before


def test_a_pause_of_the_recorded_run_holds(world: World) -> None:
    paused = SWITCHED.encode(ControlState(mode=Mode.PAPER, is_paused=True))
    is_first = True

    def pausing(entry: Entry) -> Entry | None:
        nonlocal is_first
        if is_first:
            is_first = False
            return Entry(entry.seq, SWITCHED.number, entry.stream, entry.at_ns, "", paused)
        return entry

    assert not any(isinstance(one, ExecutionRecord) for one in played(world, pausing))


def test_what_was_seen_with_an_input_is_known_before_it_and_holds_until_it_was_seen_otherwise() -> (
    None
):
    def look(answer: bytes) -> Entry:
        return Entry(0, EntryKind.OBSERVED, 0, 0, KILLED, answer)

    def tick(seq: int) -> Entry:
        return Entry(seq, TICK.number, 0, seq, "", b"")

    watched = FollowingWorld()
    answer = Entry(5, INTENT_STORED.number, 0, 5, "", b"{}")  # to what the recorded run did
    entries = [tick(1), look(b"1"), tick(2), tick(3), look(b"0"), tick(4), answer]
    seen = [(entry.seq, watched.is_killed()) for entry in _inputs(iter(entries), watched)]

    assert seen == [(1, True), (2, True), (3, False), (4, False)]


def test_a_recording_without_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "000001.zst").write_bytes(b"")

    with pytest.raises(BadValueError):
        play(tmp_path, first=0, put=lambda _record: None, change=as_it_was)
