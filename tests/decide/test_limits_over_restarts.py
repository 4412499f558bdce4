"""No sequence of events, restarts and partial fills of real orders exceeds a limit.

What is reckoned with here is folded anew from what was recorded, and by nothing that decides.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.bounds.daily_loss import LOSS_RESERVE_BPS
from engine.decide.closing import closing_terms
from engine.decide.under_way import exposure_quote, venues_usd
from engine.domain.instruments import VenueId
from engine.domain.measured_edge import MeasuredEdge, kelly_notional
from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders import Execution, Intent, OrderState
from engine.domain.orders_told import OrderNews
from engine.domain.plans import LeggedPlan, closes_of, is_closing
from engine.domain.residuals import Residual, fold_residuals
from engine.domain.units import BPS_PER_UNIT, NS_PER_MINUTE
from engine.execute.closing import Closing, reckon_closing
from engine.execute.unwinding import UnwindRules
from tests.decide.test_live_books import seen
from tests.effort import examples
from tests.execute.live_books import Desk
from tests.reference.world import AGE_NS_MAX, START_NS, Setup, World, limit_set, make_instrument

VENUES = ("here", "there", "far")
PRICES = [("99.00", "99.10"), ("100.00", "100.10"), ("102.00", "102.10")]
NOTHING = Decimal(0)


class Lives:
    """An engine that trades at three venues and is lost now and then; what a ledger would have.

    Attributes:
        executions: of all lives, as they were booked.
        checked: how many plans were looked at.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.most_usd = Decimal(self.random.choice([150, 300]))
        self.position_usd = Decimal(self.random.choice([200, 400]))
        self.fall_usd = Decimal(self.random.choice([3, 8]))
        self.day_usd = Decimal(self.random.choice([2, 9]))
        self.failures = self.random.choice([1, 3])
        self.rate = self.random.choice([6, 12])
        self.kelly_ratio = Decimal(self.random.choice(["0", "0.02"]))
        self.desk = Desk(self.random)
        self.executions: list[Execution] = []
        self.intents: dict[str, list[Intent]] = {}
        self.heard: set[str] = set()
        self.untold: list[OrderNews] = []
        self.lives = self.checked = 0
        self.sent_at_ns: list[int] = []
        self.failed: dict[VenueId, int] = {}
        self.failed_at_ns: dict[VenueId, int] = {}
        self.cut_by: list[str] = []
        self.now_ns = START_NS
        self.begin()

    # ---- a life ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin with what was recorded."""
        self.lives += 1
        self.world = world = World(
            Setup(
                instruments=[make_instrument(one) for one in VENUES],
                run_id=f"r{self.lives}",
                mode=Mode.LIVE,
                trades=VENUES,
                trader=self.desk,
                kelly_ratio=f"{self.kelly_ratio}",
                sent_at_ns=[at for at in self.sent_at_ns if at > self.now_ns - NS_PER_MINUTE],
                failures={
                    venue: (count, self.failed_at_ns[venue]) for venue, count in self.failed.items()
                },
                values=limit_set(
                    venue_exposure_usd=self.most_usd,
                    position_usd=self.position_usd,
                    drawdown_usd=self.fall_usd,
                    daily_loss_usd=self.day_usd,
                    orders_per_minute_max=self.rate,
                    venue_failures_max=self.failures,
                ),
            )
        )
        world.now_ns = self.now_ns
        self.booked, self.decided = 0, 0
        world.decider.live.positions.restore(
            residuals=self.left_over,
            realised_usd=self.realised_usd,
            at_ns=self.now_ns,
            drawdown_usd=self.fallen_usd,
            edge=self.edge,
        )
        world.pipeline.recover(
            [
                Intent.of(those[0].plan, [one for of in those for one in of.sendables])
                for those in self.intents.values()
            ],
            self.now_ns,
        )
        self.given(lambda: None)

    def lose(self) -> None:
        """Lose the engine, and have another one."""
        self.now_ns = self.world.now_ns + 1_000_000
        self.begin()

    def given(self, act: Callable[[], object]) -> None:
        """Take an input, and look at what came of it."""
        act()
        journal = self.world.journal
        for intent in journal.intents:
            those = self.intents.setdefault(intent.plan.plan_id, [])
            if intent not in those:
                those.append(intent)
        journal.intents.clear()
        for finished in journal.ended[self.booked :]:
            execution = finished.execution
            self.executions.append(execution)
            self.intents.pop(execution.plan_id, None)
            self._count_failures(execution)
        self.booked = len(journal.ended)
        for decided in journal.decided[self.decided :]:
            if isinstance(decided.decision, LeggedPlan):
                self.check(decided.decision)
        self.decided = len(journal.decided)

    def _count_failures(self, execution: Execution) -> None:
        for order in execution.orders:
            venue = order.instrument.venue
            if order.filled_base > 0:
                self.failed.pop(venue, None)
            elif order.version and order.state is OrderState.REJECTED:
                self.failed[venue] = self.failed.get(venue, 0) + 1
                self.failed_at_ns[venue] = execution.closed_at_ns

    def turn(self) -> None:
        """Let something happen."""
        world, random = self.world, self.random
        for venue in VENUES:
            self.given(partial(world.see_venue, seen(world, venue, usd="2000", btc="20")))
        world.wait(random.choice([60, 3_000, 8_000]))
        book = random.randrange(len(VENUES))
        bid, ask = random.choice(PRICES)
        size = random.choice(["0.4", "1", "3"])
        self.given(lambda: world.show(book, [(bid, size)], [(ask, size)]))
        for name, news in self.desk.news.items():
            if name not in self.heard:
                self.heard.add(name)
                self.untold += news
        random.shuffle(self.untold)
        for _ in range(min(random.randint(0, 7), len(self.untold))):
            news_of = self.untold.pop()
            if world.executors.knows(news_of.client_order_id):
                self.given(partial(world.tell_order, news_of))
        if random.random() < 0.1:
            self.given(self.close)
        world.wait(1)
        self.given(world.tick)
        if random.random() < 0.06:
            self.lose()

    def close(self) -> None:
        """Say yes to closing what is left over."""
        world = self.world
        for number, left in enumerate(world.decider.live.positions.residuals, self.checked * 10):
            found = reckon_closing(
                left,
                world.board,
                costs=world.costs,
                rules=UnwindRules(),
                age_ns_max=AGE_NS_MAX,
                at_ns=world.now_ns,
            )
            if isinstance(found, Closing) and found.reckoned is not None:
                terms = closing_terms(
                    found.reckoned,
                    Money.LIVE,
                    run_id=f"r{self.lives}t{world.now_ns}",
                    number=number,
                    usd_per_quote=Decimal(1),
                    at_ns=world.now_ns,
                )
                world.close_leftovers(terms, terms)

    # ---- what was recorded -------------------------------------------------------------------

    @property
    def left_over(self) -> tuple[Residual, ...]:
        return fold_residuals(part for one in self.executions for part in one.residuals)

    @property
    def realised_usd(self) -> Decimal:
        return sum((one.realised_usd for one in self.executions), NOTHING)

    @property
    def fallen_usd(self) -> Decimal:
        sums = [NOTHING]
        for one in self.executions:
            sums.append(sums[-1] + one.realised_usd)
        return max(sums) - sums[-1]

    @property
    def edge(self) -> MeasuredEdge:
        edge = MeasuredEdge()
        for one in self.executions:
            if not is_closing(one.opportunity_id):
                edge = edge.learn(realised_usd=one.realised_usd, expected_usd=one.expected_usd)
        return edge

    # ---- the limits --------------------------------------------------------------------------

    def check(self, plan: LeggedPlan) -> None:
        """Look at a plan when it was made: with all before it, it is within every limit."""
        self.checked += 1
        assert plan.sizing is not None
        self.cut_by.append(plan.sizing.limit)
        world = self.world
        others = [
            those[0].plan
            for plan_id, those in self.intents.items()
            if plan_id != plan.plan_id and isinstance(those[0].plan, LeggedPlan)
        ]
        under_way = sum((exposure_quote(one.legs) for one in others), NOTHING)
        at_risk = under_way + exposure_quote(plan.legs)
        reserve = at_risk * LOSS_RESERVE_BPS / BPS_PER_UNIT
        left = self._left_usd()
        assert self.fallen_usd + reserve <= self.fall_usd
        assert at_risk + sum(left.values()) <= self.position_usd
        marked = world.decider.live.positions.marked(
            lambda asset: world.valuation.usd_per(asset, world.now_ns), world.now_ns
        )
        assert reserve - self.realised_usd - marked.usd <= self.day_usd
        at_venues = [venues_usd(one.legs, Decimal(1)) for one in others if not closes_of(one)]
        for venue, usd in venues_usd(plan.legs, Decimal(1)).items():
            there = sum((one.get(venue, NOTHING) for one in at_venues), NOTHING)
            assert left.get(venue, NOTHING) + there + usd <= self.most_usd
            assert self.failed.get(venue, 0) < self.failures
        self._check_rate(plan)
        if self.kelly_ratio:
            self._check_kelly(plan, under_way)

    def _left_usd(self) -> dict[VenueId, Decimal]:
        world, found = self.world, dict[VenueId, Decimal]()
        for one in self.left_over:
            worth = world.valuation.usd_per(one.held.asset, world.now_ns)
            assert worth is not None
            usd = abs(one.held.value) * worth
            found[one.venue] = found.get(one.venue, NOTHING) + usd
        return found

    def _check_rate(self, plan: LeggedPlan) -> None:
        now_ns = plan.decided_at_ns
        self.sent_at_ns += [now_ns] * len(plan.legs)
        assert sum(now_ns - NS_PER_MINUTE < at for at in self.sent_at_ns) <= self.rate

    def _check_kelly(self, plan: LeggedPlan, under_way: Decimal) -> None:
        world = self.world
        capital = sum(
            (
                one.held.value * (world.valuation.usd_per(one.held.asset, world.now_ns) or NOTHING)
                for one in world.decider.live.inventory.holdings
            ),
            NOTHING,
        )
        most = kelly_notional(
            self.edge,
            expected_ratio=Decimal(plan.opportunity.net_edge_bps) / BPS_PER_UNIT,
            kelly_ratio=self.kelly_ratio,
            capital_usd=capital,
        )
        assert most is None or under_way + plan.notional_usd <= most


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_sequence_of_events_restarts_and_partial_fills_exceeds_a_limit(seed: int) -> None:
    lives = Lives(seed)

    for _ in range(30):
        lives.turn()


def test_the_sequences_trade_restart_lose_and_reach_each_limit() -> None:
    reached: set[Reason] = set()
    lives = [Lives(seed) for seed in (0, 5, 13, 15)]  # which reach all of them
    for one in lives:
        for _ in range(30):
            one.turn()
            reached |= {
                decided.decision.reason
                for decided in one.world.journal.decided
                if isinstance(decided.decision, Refusal)
            }

    assert sum(one.checked for one in lives) > 10
    assert any(one.lives > 1 for one in lives)
    assert any(one.fallen_usd > 0 for one in lives)
    assert any("of Kelly" in limit for one in lives for limit in one.cut_by)
    assert {
        Reason.DRAWDOWN_LIMIT,
        Reason.DAILY_LOSS_LIMIT,
        Reason.VENUE_EXPOSURE,
        Reason.VENUE_FAILURES,
        Reason.ORDER_RATE_LIMIT,
    } <= reached
