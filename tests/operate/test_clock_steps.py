"""What a step of the clock, or a sleep, does to a run: durations stay, limits do not loosen."""

from array import array
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pyotp
import pytest

from engine.bus.records import CodesUsed
from engine.core.inputs.corrected import CORRECTED
from engine.core.inputs.kind import Answers
from engine.core.market_rows import MarketRows
from engine.core.middle import Middle
from engine.decide.order_rate import OrderRate
from engine.decide.switches import Switches
from engine.domain.corrections import Correction
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.opportunities import Reason
from engine.market.lateness import Lateness
from engine.operate.clock_watch import ClockWatch
from engine.operate.hot_path import HotPath
from engine.operate.one_time_code import LOCKED_S, TRIES_MAX, OneTimeCode
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import read_entries
from engine.ports import NO_ACTIONS, NO_TIME, Action, BookSink, InputKind, ListedRow, Reconnect
from engine.wiring.engine_inputs import accept_of
from tests.reference.host import Host
from tests.reference.world import AGE_NS_MAX, MS, SECOND, START_NS, Setup, World, limit_set

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
STEPS = [8 * HOUR, -8 * HOUR, 2 * SECOND, -2 * SECOND]

NEAR = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])


class TwoBooks:
    """A feed of the world's two books, which only the test moves; obeys `ports.Feed`."""

    venue = VenueId("here")

    def __init__(self, sink: BookSink) -> None:
        self._sink = sink
        self.behind = array("q", [NO_TIME])

    def opened(self, at_ns: int) -> Sequence[Action]:
        raise NotImplementedError

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        del payload, at_ns
        return NO_ACTIONS

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        raise NotImplementedError

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:
        raise NotImplementedError

    def listed(self, rows: Sequence[ListedRow], at_ns: int) -> Sequence[Action]:
        raise NotImplementedError

    def closed(self, at_ns: int) -> Sequence[Action]:
        for book in (0, 1):
            self._sink.invalidate(book, Fault.DISCONNECTED, at_ns)
        return NO_ACTIONS

    def tick(self, at_ns: int) -> Sequence[Action]:
        del at_ns
        return NO_ACTIONS


def make_hot_path(world: World, recorder: Recorder | None = None) -> HotPath:
    """Make the hot path of this world, as the engine makes it."""
    feed = TwoBooks(world.board)
    lateness = Lateness(world.board, [feed.behind], [[0, 1]], lag_ms_max=2_000)
    return HotPath(
        board=world.board,
        middle=Middle(
            feeds=[feed],
            is_connected=[False],
            lateness=lateness,
            rows=MarketRows(
                world.board,
                [feed.venue],
                [[0, 1]],
                detector=world.detector,
                inventory=world.inventory,
                lateness=lateness,
                followers=(),
            ),
            pools=world.pools,
            pipeline=world.pipeline,
            switches=Switches(mode=Mode.PAPER),
            decider=world.decider,
            inventory=world.inventory,
        ),
        recorder=recorder,
    )


def correct(world: World, *, step_ns: int = 0, asleep_ns: int = 0) -> Answers:
    """Let the run of this world take a correction, as the engine hands it over."""
    world.now_ns += step_ns + asleep_ns
    return make_hot_path(world).correct(
        Correction(step_ns=step_ns, asleep_ns=asleep_ns), world.now_ns
    )


def open_gap(world: World) -> None:
    world.show(0, *NEAR)
    world.show(1, *HIGH)


@pytest.mark.parametrize("step_ns", STEPS)
def test_no_book_outlives_a_step_and_every_connection_is_made_anew(step_ns: int) -> None:
    world = World()
    open_gap(world)

    actions = correct(world, step_ns=step_ns)

    assert not any(world.board.is_live(book) for book in (0, 1))
    assert [[type(action) for action in of_feed] for of_feed in actions.values()] == [[Reconnect]]


def test_a_frame_that_waited_out_a_sleep_is_taken_after_the_correction(tmp_path: Path) -> None:
    settings = RecorderSettings(directory=tmp_path, segment_bytes=1 << 20, total_bytes_max=1 << 20)
    world, host, recorder = World(), Host(), Recorder(settings, "r1")
    clock, hot_path = host.make_clock(), make_hot_path(world, recorder)
    watch = ClockWatch(clock, hot_path.correct)
    accept = accept_of(hot_path, 0, watch)
    accept(InputKind.FRAME, "", b"1", clock.now_ns())

    host.sleep(8 * HOUR)
    host.step(-HOUR)
    accept(InputKind.FRAME, "", b"2", clock.now_ns())
    recorder.close()

    kinds = [(entry.kind, entry.at_ns) for entry in read_entries(recorder.run_directory)]
    assert kinds == [
        (InputKind.FRAME, START_NS),
        (CORRECTED.number, START_NS + 7 * HOUR),
        (InputKind.FRAME, START_NS + 7 * HOUR),
    ]


@pytest.mark.parametrize("step_ns", STEPS)
@pytest.mark.parametrize("asleep_ns", [0, 5 * HOUR])
def test_an_opportunity_lasts_until_the_step_and_no_longer(step_ns: int, asleep_ns: int) -> None:
    world = World(Setup(mode=Mode.OBSERVE))
    open_gap(world)
    world.wait(400)

    correct(world, step_ns=step_ns, asleep_ns=asleep_ns)

    (closed,) = world.journal.closed
    assert closed.lasted_ns == 400 * MS
    assert closed.closed_at_ns == START_NS + 400 * MS


@pytest.mark.parametrize("step_ns", STEPS)
def test_a_plan_under_way_ends_with_the_books_that_it_was_made_for(step_ns: int) -> None:
    world = World()
    open_gap(world)
    assert len(world.journal.plans) == 1

    correct(world, step_ns=step_ns)

    (finished,) = world.journal.finished
    assert all(order.fills for order in finished.execution.orders)
    assert finished.execution.closed_at_ns == START_NS + 20 * MS
    assert world.executors.next_at_ns > world.now_ns + DAY


@pytest.mark.parametrize("step_ns", STEPS)
def test_an_outage_is_as_long_as_it_lasted(step_ns: int) -> None:
    world = World()
    open_gap(world)
    world.lose(0)
    world.lose(1)
    world.wait(3_000)

    correct(world, step_ns=step_ns)
    world.wait(1_000)
    world.show(0, *NEAR)

    assert world.journal.edges[-1].lost_ms == 4_000  # type: ignore[union-attr]
    assert world.freshness.stale_s(VenueId("here"), world.now_ns) == pytest.approx(4)


@pytest.mark.parametrize("step_ns", STEPS)
def test_a_silent_book_is_found_stale_in_time_after_a_step(step_ns: int) -> None:
    world = World(Setup(mode=Mode.OBSERVE))
    open_gap(world)
    world.tick()
    correct(world, step_ns=step_ns)
    open_gap(world)

    world.now_ns += AGE_NS_MAX + 1
    world.tick()

    assert [closed.is_stale for closed in world.journal.closed] == [True, True]


@pytest.mark.parametrize("step_ns", STEPS)
def test_orders_count_for_a_minute_of_time_that_passed(step_ns: int) -> None:
    rate = OrderRate()
    rate.add(3, START_NS)

    rate.step_clock(step_ns)
    at_ns = START_NS + step_ns

    assert rate.last_minute(at_ns + 59 * SECOND) == 3
    assert rate.last_minute(at_ns + 61 * SECOND) == 0


@pytest.mark.parametrize("step_ns", [-DAY, DAY, -2 * DAY])
def test_a_day_that_lost_the_limit_stays_lost_over_a_step(step_ns: int) -> None:
    world = World(Setup(values=limit_set(daily_loss_usd=Decimal(50))))
    world.positions.restore(residuals=(), realised_usd=Decimal(-60), at_ns=world.now_ns)
    correct(world, step_ns=step_ns)

    open_gap(world)

    assert world.journal.plans == []
    assert world.journal.reasons == [Reason.DAILY_LOSS_LIMIT]


def test_neither_of_two_days_that_lost_is_forgotten_and_going_back_and_forth_adds_none() -> None:
    world = World()
    world.positions.restore(residuals=(), realised_usd=Decimal(-40), at_ns=world.now_ns)
    world.positions.restore(residuals=(), realised_usd=Decimal(-10), at_ns=world.now_ns - DAY)

    for step_ns in (-DAY, DAY, -DAY, DAY):
        correct(world, step_ns=step_ns)
        assert world.positions.realised_usd(world.now_ns) == -40


def test_the_gains_of_another_day_make_up_for_no_loss() -> None:
    world = World()
    world.positions.restore(residuals=(), realised_usd=Decimal(70), at_ns=world.now_ns)
    world.positions.restore(residuals=(), realised_usd=Decimal(-10), at_ns=world.now_ns - DAY)

    correct(world, step_ns=-DAY)

    assert world.positions.realised_usd(world.now_ns) == -10


def test_a_night_asleep_is_a_new_day_as_any_other() -> None:
    world = World()
    world.positions.restore(residuals=(), realised_usd=Decimal(-40), at_ns=world.now_ns)

    correct(world, asleep_ns=DAY)

    assert world.positions.realised_usd(world.now_ns) == 0


def test_the_wait_after_wrong_codes_is_no_longer_for_a_clock_that_was_set_back() -> None:
    code = OneTimeCode(SECRET, CodesUsed())
    for _ in range(TRIES_MAX):
        code.refusal("000000", at_ns=START_NS)

    told = code.refusal("000000", at_ns=START_NS - 8 * HOUR)

    assert told is not None
    assert f"in {LOCKED_S + 1} s" in told


def test_the_right_code_is_taken_after_a_step_and_one_that_was_used_is_not() -> None:
    totp = pyotp.TOTP(SECRET)
    code = OneTimeCode(SECRET, CodesUsed())
    used = totp.at(START_NS // SECOND)
    assert code.refusal(used, at_ns=START_NS) is None

    for step_ns in (-8 * HOUR, 8 * HOUR, -20 * HOUR):
        at_ns = START_NS + step_ns
        assert code.refusal(totp.at(at_ns // SECOND), at_ns=at_ns) is None
    assert code.refusal(used, at_ns=START_NS) is not None
    assert code.refusal(totp.at(START_NS // SECOND - 30), at_ns=START_NS) is not None


def test_a_correction_is_read_as_it_was_written() -> None:
    correction = Correction(step_ns=-8 * HOUR, asleep_ns=3)

    assert CORRECTED.decode(CORRECTED.encode(correction)) == correction
    for damaged in (b"", b"{}", b'{"step_ns":1.5,"asleep_ns":0}', b"[" * 100_000):
        with pytest.raises(BadValueError, match="damaged"):
            CORRECTED.decode(damaged)
