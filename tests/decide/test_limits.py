"""No sequence of events exceeds a limit."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.decide.bounds.book_age import StaleLimit
from engine.decide.bounds.daily_loss import DAILY_LOSS_USD
from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.bounds.orders import ORDERS_PER_MINUTE
from engine.decide.bounds.position import POSITION_USD
from engine.decide.limit_set import LimitSet
from engine.decide.limits import Draft, Finding
from engine.decide.order_rate import OrderRate
from engine.decide.under_way import exposure_quote
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.modes import Mode
from engine.domain.opportunities import HopKind, Reason, Refusal
from engine.domain.plans import LeggedPlan
from engine.domain.units import NS_PER_DAY, NS_PER_MINUTE
from tests.effort import examples
from tests.reference.world import START_NS, Setup, World, limit_set, make_instrument

NEAR = ([("100.00", "3")], [("100.10", "3")])
HIGH = ([("101.00", "3")], [("101.20", "3")])
FLAT = ([("100.00", "3")], [("100.20", "3")])


def open_gap(world: World) -> None:
    world.show(0, *NEAR)
    world.show(1, *HIGH)


def test_the_kill_latch_stops_everything_and_is_asked_again_at_the_end() -> None:
    world = World()
    world.is_killed = True
    open_gap(world)
    assert world.journal.reasons == [Reason.KILLED]

    late = World()
    late.kill_answers = [False, True]  # the latch is set while the plan is being made
    open_gap(late)

    assert late.journal.plans == []
    assert late.journal.reasons == [Reason.KILLED]
    assert late.circumstances.under_way.total_usd == 0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world.switches, "is_paused", True), Reason.PAUSED),
        (lambda world: setattr(world.switches, "mode", Mode.OBSERVE), Reason.OBSERVE_ONLY),
        (lambda world: setattr(world, "is_ledger_behind", True), Reason.LEDGER_BEHIND),
    ],
)
def test_a_shut_gate_refuses_with_its_reason(spoil: object, reason: Reason) -> None:
    world = World()
    assert callable(spoil)
    spoil(world)

    open_gap(world)

    assert world.journal.reasons == [reason]
    assert world.decider.refused == {reason: 1}
    lines = {line.name: line.refusals for line in world.decider.limit_lines(world.now_ns)}
    assert sum(lines.values()) == 1


def test_a_stale_book_is_never_traded() -> None:
    world = World()
    open_gap(world)
    opportunity = world.journal.found[0]
    world.wait(10_000)
    assert isinstance(world.decider.decide(opportunity, world.now_ns), LeggedPlan)

    world.now_ns += 1
    refusal = world.decider.decide(opportunity, world.now_ns)

    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.STALE_BOOK
    assert refusal.detail == "BTC-USD at here: age 10000 ms, limit 10000 ms"


def test_a_stale_book_is_seen_behind_a_pool() -> None:
    world = World()
    open_gap(world)
    seen = world.journal.found[0]
    first, second = seen.hops
    mixed = structs.replace(seen, hops=(structs.replace(first, kind=HopKind.POOL), second))
    world.lose(second.row)

    verdict = StaleLimit.make(world.circumstances).check(Draft(opportunity=mixed), world.now_ns)

    assert isinstance(verdict, Finding)
    assert verdict.reason is Reason.STALE_BOOK


def test_a_book_that_was_proven_too_long_ago_is_never_traded() -> None:
    world = World(Setup(values=limit_set(unproven_s_max=3)))
    proven_at_ns = world.now_ns
    world.board.proven(1, proven_at_ns)
    open_gap(world)
    opportunity = world.journal.found[0]
    world.now_ns = proven_at_ns + 3_000_000_000
    plan = world.decider.decide(opportunity, world.now_ns)
    assert isinstance(plan, LeggedPlan)
    assert plan.unproven_ms == 3_000

    world.now_ns += 1
    refusal = world.decider.decide(opportunity, world.now_ns)

    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.UNPROVEN_BOOK
    assert refusal.detail == "BTC-USD at there: last proven equal 3.0 s ago, limit 3 s"
    line = next(x for x in world.decider.limit_lines(world.now_ns) if x.name == "unproven book")
    assert (line.limit, line.used, line.unit, line.refusals) == ("3", "3.0", "s", 1)
    world.board.proven(1, world.now_ns)
    assert isinstance(world.decider.decide(opportunity, world.now_ns), LeggedPlan)


def test_books_whose_feeds_prove_themselves_need_no_other_proof() -> None:
    world = World(Setup(values=limit_set(unproven_s_max=1)))
    open_gap(world)
    world.wait(9_000)

    plan = world.decider.decide(world.journal.found[0], world.now_ns)

    assert isinstance(plan, LeggedPlan)
    assert plan.unproven_ms == 0


def test_an_edge_below_the_minimum_is_refused_with_both_numbers() -> None:
    world = World(Setup(edge_bps_min="0", values=limit_set(net_edge_bps_min=Decimal(80))))

    open_gap(world)

    (decided,) = world.journal.decided
    assert isinstance(decided.decision, Refusal)
    assert decided.decision.reason is Reason.EDGE_BELOW_MIN
    assert decided.decision.detail == "edge 69.8201 bps, least 80 bps"


def test_a_plan_is_shrunk_to_the_room_that_is_left() -> None:
    world = World(Setup(values=limit_set(position_usd=Decimal(150))))

    open_gap(world)

    (plan,) = world.journal.plans
    assert Decimal(145) < plan.notional_usd <= 150
    assert exposure_quote(plan.legs) <= 150


def test_a_plan_that_does_not_fit_at_all_is_refused() -> None:
    instruments = [make_instrument("here", lot="1"), make_instrument("there")]
    values = limit_set(position_usd=Decimal(90))
    world = World(Setup(instruments=instruments, values=values))

    open_gap(world)

    assert world.journal.reasons == [Reason.POSITION_LIMIT]


def test_a_quote_asset_without_a_usd_price_is_not_traded() -> None:
    instruments = [make_instrument(name, "BTC-EUR") for name in ("here", "there")]
    world = World(Setup(instruments=instruments))

    open_gap(world)

    assert world.journal.reasons == [Reason.NO_USD_PRICE]
    assert world.journal.decided[0].profit_usd is None


def test_a_day_that_lost_the_limit_ends_trading_until_the_next_utc_day() -> None:
    world = World(Setup(values=limit_set(daily_loss_usd=Decimal(50))))
    world.positions.restore(residuals=[], realised_usd=Decimal(-48), at_ns=START_NS)
    open_gap(world)
    assert world.journal.reasons == [Reason.DAILY_LOSS_LIMIT]

    world.lose(0)
    world.now_ns = (START_NS // NS_PER_DAY + 1) * NS_PER_DAY
    open_gap(world)

    assert len(world.journal.plans) == 1


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(st.integers(0, NS_PER_MINUTE), st.integers(1, 3)), max_size=60))
def test_no_minute_has_more_orders_than_were_let_through(
    orders: list[tuple[int, int]],
) -> None:
    rate, limit = OrderRate(), 5
    sent: list[int] = []
    now_ns = 0
    for step_ns, count in orders:
        now_ns += step_ns
        if rate.last_minute(now_ns) + count <= limit:
            rate.add(count, now_ns)
            sent.extend([now_ns] * count)

    for end_ns in sent:
        assert sum(end_ns - NS_PER_MINUTE < at_ns <= end_ns for at_ns in sent) <= limit


@settings(max_examples=examples(200), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, NS_PER_MINUTE), st.integers(0, 2 * NS_PER_MINUTE)), max_size=30
    )
)
def test_asking_for_the_order_rate_changes_no_later_answer(steps: list[tuple[int, int]]) -> None:
    asked, unasked = OrderRate(), OrderRate()
    now_ns = 0
    for step_ns, ahead_ns in steps:
        now_ns += step_ns
        asked.add(2, now_ns)
        unasked.add(2, now_ns)
        asked.last_minute(now_ns + ahead_ns)  # a report of an instant after the next input's

        assert asked.last_minute(now_ns) == unasked.last_minute(now_ns)


def test_a_report_looks_at_latch_and_ledger_without_a_recorded_look() -> None:
    world = World()
    world.kill_answers = [True]  # the answer to the next recorded look

    lines = {line.name: line.used for line in world.decider.limit_lines(world.now_ns)}

    assert lines["kill latch"] == "clear"
    assert world.kill_answers == [True]


def test_a_plan_needs_room_for_all_its_orders_within_the_minute() -> None:
    world = World(Setup(values=limit_set(orders_per_minute_max=5)))
    for number in range(4):
        open_gap(world)
        world.wait(100)
        world.lose(0)
        world.change(1, [("101.00", str(number + 4))], [])

    assert len(world.journal.plans) == 2
    assert world.journal.reasons == [Reason.ORDER_RATE_LIMIT] * 2
    world.wait(60_000)
    world.lose(1)
    world.show(1, *HIGH)
    world.show(0, [("100.00", "2")], [("100.10", "2")])
    assert len(world.journal.plans) == 3


@dataclass(frozen=True)
class Step:
    book: int
    shape: int
    wait_ms: int
    size: int
    event: int


all_steps = st.lists(
    st.builds(
        Step,
        book=st.integers(0, 1),
        shape=st.integers(0, 2),
        wait_ms=st.sampled_from([0, 3, 15, 40, 700, 20_000]),
        size=st.integers(1, 12),
        event=st.integers(0, 9),
    ),
    max_size=40,
)
SHAPES = (("99.00", "99.10"), ("100.00", "100.10"), ("101.00", "101.20"))


class Watcher:
    """Checks every limit at the moment at which a plan is made."""

    def __init__(self, world: World, values: LimitSet) -> None:
        self.world = world
        self.values = values
        self.sent_at_ns: list[int] = []
        self.plans = 0

    def check(self) -> None:
        world, values = self.world, self.values
        new_plans = world.journal.plans[self.plans :]
        for plan in new_plans:
            self.plans += 1
            assert not world.is_killed
            assert not world.switches.is_paused
            assert plan.net_edge_bps >= values[EDGE_BPS]
            self.sent_at_ns.extend([plan.decided_at_ns] * 2)
        assert self.orders_in_minute() <= values[ORDERS_PER_MINUTE]
        if new_plans:
            self.check_money()

    def orders_in_minute(self) -> int:
        now_ns = self.world.now_ns
        return sum(now_ns - NS_PER_MINUTE < at_ns <= now_ns for at_ns in self.sent_at_ns)

    def check_money(self) -> None:
        world, values = self.world, self.values

        def usd_per(asset: AssetCode) -> Decimal | None:
            return world.valuation.usd_per(asset, world.now_ns)

        done = {one.plan.plan_id for one in world.journal.finished}
        open_usd = sum(
            exposure_quote(plan.legs) for plan in world.journal.plans if plan.plan_id not in done
        )
        left = world.positions.exposure(usd_per, world.now_ns)
        marked = world.positions.marked(usd_per, world.now_ns)
        assert left.unknown is marked.unknown is None
        assert open_usd + left.usd <= values[POSITION_USD]
        loss_usd = -world.positions.realised_usd(world.now_ns) - marked.usd
        assert loss_usd <= values[DAILY_LOSS_USD]


@settings(max_examples=examples(120), deadline=None)
@given(steps=all_steps)
def test_no_sequence_of_events_exceeds_a_limit(steps: list[Step]) -> None:
    values = limit_set(
        position_usd=Decimal(600), daily_loss_usd=Decimal(12), orders_per_minute_max=8
    )
    world = World(Setup(values=values))
    watcher = Watcher(world, values)
    for step in steps:
        world.wait(step.wait_ms)
        world.is_killed = step.event == 0
        world.switches.is_paused = step.event == 1
        bid, ask = SHAPES[step.shape]
        if step.event == 2:
            world.lose(step.book)
        else:
            world.show(step.book, [(bid, str(step.size))], [(ask, str(step.size))])
        watcher.check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"age_ms_max": 0},
        {"age_ms_max": Decimal("0.5")},
        {"orders_per_minute_max": 1},
        {"position_usd": Decimal("Infinity")},
        {"position_usd": Decimal("NaN")},
        {"daily_loss_usd": Decimal(0)},
        {"net_edge_bps_min": Decimal(-1)},
    ],
)
def test_limits_without_a_sane_value_are_refused(wrong: dict[str, Decimal]) -> None:
    with pytest.raises(BadValueError):
        limit_set(**wrong)


def test_a_limit_is_told_without_an_exponent_however_it_was_written() -> None:
    values = limit_set(
        net_edge_bps_min=Decimal("1e1"),
        position_usd=Decimal("1e3"),
        daily_loss_usd=Decimal("5e2"),
    )
    world = World(Setup(instruments=[make_instrument("a")], values=values))

    told = {line.name: line.limit for line in world.decider.limit_lines(START_NS)}

    assert told["least net edge"] == "10"
    assert told["position"] == "1000"
    assert told["daily loss"] == "500"
