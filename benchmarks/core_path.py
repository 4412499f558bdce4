"""The hot path of the core: apply, screen, confirm, decide. `python -m benchmarks.core_path`."""

import functools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import msgspec
from sortedcontainers import SortedDict

from benchmarks.core_market import (
    START_NS,
    Frame,
    make_board,
    make_frames,
    make_instruments,
    plenty,
)
from benchmarks.harness import Row, measure, print_table
from engine.core.journal import Decided
from engine.core.pipeline import Pipeline
from engine.decide.approvals import ApprovalRules, Approvals
from engine.decide.circumstances import Circumstances
from engine.decide.decider import Decider
from engine.decide.least_draws import LeastDraws
from engine.decide.limit_list import LIMITS, terms_of
from engine.decide.limit_set import LimitSet
from engine.decide.live_places import LivePlaces
from engine.decide.mandates import Mandates
from engine.decide.permits import Permits
from engine.decide.switches import Switches
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.screen_terms import Screen
from engine.detect.graph.value_round import ValueRound
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.moving.pool_health import PoolHealth
from engine.detect.screening.detector import Detector
from engine.detect.screening.episodes import Closed
from engine.domain.approvals import Approval, ApprovalEnd
from engine.domain.holdings import Deposit
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.low_balances import BalanceTurn
from engine.domain.mandates import MandateUse
from engine.domain.modes import Mode
from engine.domain.opportunities import Opportunity, Refusal
from engine.domain.orders import Intent
from engine.domain.plans import LeggedPlan, Plan
from engine.domain.told import Cost, WalletSeen
from engine.execute.executor_list import Executors
from engine.execute.fill import PaperVenue
from engine.execute.finished import Finished
from engine.execute.latency import Latency, LatencyModel
from engine.execute.plan_executor import Around
from engine.execute.unwinding import UnwindRules
from engine.market.board import Board
from engine.market.estimates import Estimates
from engine.market.freshness import Freshness, VenueEdge
from engine.market.gas_book import GasBook
from engine.market.valuation import Valuation
from engine.portfolio.costs import Costs
from engine.portfolio.fee_set import FeeSet
from engine.portfolio.inventory import Inventory
from engine.portfolio.low_balances import LowBalances
from engine.portfolio.positions import Positions
from engine.portfolio.taken import Taken
from engine.portfolio.taken_pools import TakenPools
from engine.portfolio.wallets import Found
from engine.ports import LevelForm
from engine.quote.atomic import AtomicConfirmer, AtomicRules
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import Confirmed, LimitRules
from engine.quote.legs import LegsConfirmer
from engine.quote.mixed import MixedConfirmer

CALLS = 20_000
AGE_NS_MAX = 10_000_000_000
FORM = LevelForm.PAIRS


class SilentJournal:
    def opportunity_found(self, opportunity: Opportunity) -> None:
        pass

    def opportunity_decided(self, decided: Decided) -> None:
        pass

    def opportunity_closed(self, closed: Closed) -> None:
        pass

    def time_passed(self, at_ns: int) -> None:
        pass

    def intended(self, intent: Intent) -> None:
        pass

    def execution_finished(self, finished: Finished) -> None:
        pass

    def deposited(self, deposit: Deposit, at_ns: int) -> None:
        pass

    def found_on_chain(self, found: Found, seen: WalletSeen, at_ns: int) -> None:
        pass

    def found_at_venue(self, found: Found, at_ns: int) -> None:
        pass

    def balance_turned(self, turn: BalanceTurn, at_ns: int) -> None:
        pass

    def fee_told(self, venue: VenueId, before: Decimal, after: Decimal, at_ns: int) -> None:
        pass

    def cost_booked(self, cost: Cost, at_ns: int) -> None:
        pass

    def venue_changed(self, edge: VenueEdge) -> None:
        pass

    def approval_asked(self, approval: Approval) -> None:
        pass

    def approval_ended(self, end: ApprovalEnd) -> None:
        pass

    def approved_started(self, plan: Plan) -> None:
        pass

    def closing_decided(self, terms: LeggedPlan, decision: Plan | Refusal) -> None:
        pass

    def mandate_changed(self, use: MandateUse) -> None:
        pass


class Core:
    """All parts on one board."""

    def __init__(self) -> None:
        instruments = make_instruments()
        self.board = make_board(instruments)
        board = self.board
        self.costs = Costs(fee_bps_taker={one.venue: Decimal(20) for one in instruments})
        self.taken = Taken(board)
        self.positions = Positions()
        self.inventory = Inventory(holdings=plenty(instruments))
        self.valuation = Valuation(board, age_ns_max=AGE_NS_MAX)
        self.circumstances = Circumstances(
            board=board,
            valuation=self.valuation,
            positions=self.positions,
            inventory=self.inventory,
            is_killed=lambda: False,
            is_ledger_behind=lambda: False,
            shows_killed=lambda: False,
            shows_ledger_behind=lambda: False,
            is_pool_fresh=lambda _number, _at_ns: False,  # it has none
            limits=LimitSet(
                terms_of(LIMITS), by_settings={"orders_per_minute_max": Decimal(10**9)}
            ),
            switches=Switches(mode=Mode.PAPER),
        )
        rules = LimitRules(slippage_bps=Decimal(5))
        self.confirmer = LegsConfirmer(board, self.costs, self.taken, rules)
        graph = LiveGraph(
            board, self.costs, Screen(edge_bps_min=Decimal(10), age_ns_max=AGE_NS_MAX)
        )
        taken_pools = TakenPools(graph.pools)
        moving = MovingPools(graph, {}, started_at_ns=START_NS)
        atomic = AtomicConfirmer(
            ExactLegs(board, self.costs, self.taken, graph.pools),
            graph.pools,
            taken_pools,
            self.valuation,
            AtomicRules(limits=rules, flash_fee_bps=Decimal(5), gas=GasBook()),
        )
        self.decider = Decider(
            confirmer=self.confirmer,
            atomic=atomic,
            mixed=MixedConfirmer(
                board, self.costs, self.taken, graph.pools, atomic=atomic, rules=rules
            ),
            circumstances=self.circumstances,
            permits=Permits(
                self.circumstances.switches, Approvals("bench", ApprovalRules()), Mandates()
            ),
        )
        self.detector = Detector(board, graph, age_ns_max=AGE_NS_MAX, run_id="bench")
        for book in range(len(instruments)):
            self.detector.on_change(book, START_NS)
        latency = Latency(median_ms=20, p99_ms=80)
        executors = Executors(
            Around(
                venue=PaperVenue(board, self.costs, self.taken, age_ns_max=AGE_NS_MAX),
                costs=self.costs,
                latency=LatencyModel({one.venue: latency for one in instruments}, seed=1),
                rules=UnwindRules(),
                order_rate=self.circumstances.order_rate,
                pools=graph.pools,
                taken_pools=taken_pools,
                is_killed=self.circumstances.is_killed,
                intend=lambda _intent: None,
                permit_refusal=self.decider.permits.refusal,
            )
        )
        self.pipeline = Pipeline(
            board=board,
            taken=self.taken,
            freshness=Freshness(board, age_ns_max=AGE_NS_MAX),
            graph=graph,
            valuation=self.valuation,
            value_round=ValueRound(graph, Estimates(board, age_ns_max=AGE_NS_MAX)),
            pools=moving,
            pool_health=PoolHealth(moving),
            detector=self.detector,
            decider=self.decider,
            executors=executors,
            inventory=self.inventory,
            live_places=LivePlaces(
                self.circumstances.live,
                LowBalances(),
                LeastDraws(board, self.costs, self.circumstances.gas),
            ),
            fees=FeeSet(self.costs.fee_bps_taker),
            journal=SilentJournal(),
        )


def _apply_calls(board: Board, frames: list[Frame]) -> list[Callable[[], object]]:
    return [
        functools.partial(board.apply, book, FORM, bids, asks, START_NS)
        for book, bids, asks in frames
    ]


def measure_apply() -> Row:
    board = make_board(make_instruments())
    calls = _apply_calls(board, list(make_frames(CALLS)))
    return measure("core.apply.4_levels", calls, between=board.changed.clear)


def measure_sorted_dict() -> Row:
    """The same changes in a SortedDict of floats, decoded by msgspec."""
    books = [(SortedDict(), SortedDict()) for _ in make_instruments()]
    board = make_board(make_instruments())
    for book, sides in enumerate(books):
        for side, held in zip(sides, board.top_levels(book, 5_000), strict=True):
            side.update({price / 100: size / 1e8 for price, size in held})

    decode = msgspec.json.Decoder(list[tuple[str, str]]).decode

    def apply(book: int, bids: bytes, asks: bytes) -> tuple[float, float]:
        bid_side, ask_side = books[book]
        for side, raw in ((bid_side, bids), (ask_side, asks)):
            for price, size in decode(raw):
                number = float(size)
                if number:
                    side[float(price)] = number
                else:
                    side.pop(float(price), None)
        return bid_side.peekitem(-1)[0], ask_side.peekitem(0)[0]

    calls = [functools.partial(apply, *frame) for frame in make_frames(CALLS)]
    return measure("peer.sorted_dict.4_levels", calls)


def measure_screen() -> Row:
    core = Core()
    calls = [
        functools.partial(core.detector.on_change, number % 5, START_NS) for number in range(CALLS)
    ]
    return measure("core.screen.4_peers.no_hit", calls)


def measure_screen_hit() -> Row:
    core = Core()
    core.board.replace(
        1, FORM, b'[["49600.00","1"]]', b'[["49700.00","0.3"],["49701.00","0.3"]]', START_NS
    )
    calls = [functools.partial(core.detector.on_change, 1, START_NS) for _ in range(CALLS)]
    row = measure("core.screen.4_peers.4_hits", calls)
    assert core.detector.found == 4
    return row


def measure_pipeline() -> Row:
    core = Core()
    applies = _apply_calls(core.board, list(make_frames(CALLS)))
    pipeline = core.pipeline

    def whole(apply: Callable[[], object], at_ns: int) -> None:
        pipeline.before_input(at_ns)
        apply()
        pipeline.after_input(at_ns)

    calls = [
        functools.partial(whole, apply, START_NS + number * 10_000)
        for number, apply in enumerate(applies)
    ]
    row = measure("core.pipeline.apply_and_screen.no_hit", calls)
    assert core.detector.found == 0
    return row


def measure_pipeline_alone() -> Row:
    core = Core()
    pipeline, changed = core.pipeline, core.board.changed

    def around(book: int, at_ns: int) -> None:
        changed.append(book)
        pipeline.before_input(at_ns)
        pipeline.after_input(at_ns)

    calls = [
        functools.partial(around, number % 5, START_NS + number * 10_000) for number in range(CALLS)
    ]
    return measure("core.pipeline.without_apply.no_hit", calls)


def _opportunity(core: Core) -> Opportunity:
    core.board.replace(
        1, FORM, b'[["49600.00","1"]]', b'[["49700.00","0.01"],["49701.00","0.3"]]', START_NS
    )
    core.board.changed.clear()
    return core.detector.on_change(1, START_NS)[0].first


def measure_confirm() -> Row:
    core = Core()
    opportunity = _opportunity(core)
    size = Decimal("0.02")
    calls = [functools.partial(core.confirmer.confirm, opportunity, size) for _ in range(5_000)]
    return measure("core.confirm", calls)


LEVELS = 100


def measure_confirm_triangle() -> Row:
    """Three books of one venue, each 100 levels deep."""
    venue = VenueId("one")
    quotes = {"BTC-USD": 50_000, "ETH-BTC": 0.05, "ETH-USD": 2_600}
    instruments = [
        Instrument(
            venue=venue,
            pair=Pair.parse(pair),
            wire_name=pair,
            price_decimals=5,
            size_decimals=8,
            tick_quote=Decimal("0.00001"),
            lot_base=Decimal("0.00001"),
        )
        for pair in quotes
    ]
    board = Board(instruments)
    costs = Costs(fee_bps_taker={venue: Decimal(10)})
    graph = LiveGraph(board, costs, Screen(edge_bps_min=Decimal(10), age_ns_max=AGE_NS_MAX))
    detector = Detector(board, graph, age_ns_max=AGE_NS_MAX, run_id="bench")
    seen: list[Opportunity] = []
    for book, price in enumerate(quotes.values()):
        bids, asks = (
            ",".join(
                f'["{price * (1 + sign * n / 5_000):.5f}","0.2"]' for n in range(1, LEVELS + 1)
            )
            for sign in (-1, 1)
        )
        board.replace(book, FORM, f"[{bids}]".encode(), f"[{asks}]".encode(), START_NS)
        seen += [episode.first for episode in detector.on_change(book, START_NS)]
    opportunity = seen[-1]
    assert len(opportunity.hops) == len(quotes)
    rules = LimitRules(slippage_bps=Decimal(5))
    confirmer = LegsConfirmer(board, costs, Taken(board), rules)
    size = Decimal(opportunity.size_base)
    assert isinstance(confirmer.confirm(opportunity, size), Confirmed)
    calls = [functools.partial(confirmer.confirm, opportunity, size) for _ in range(2_000)]
    return measure("core.confirm.three_legs", calls)


def measure_decide() -> Row:
    core = Core()
    opportunity = _opportunity(core)
    plans: list[LeggedPlan] = []

    def decide() -> None:
        decision = core.decider.decide(opportunity, START_NS)
        assert isinstance(decision, LeggedPlan)
        plans.append(decision)

    def forget() -> None:
        core.decider.finished(plans.pop())

    return measure("core.decide.shrunk_plan", [decide] * 5_000, between=forget)


MEASURES: tuple[Callable[[], Row], ...] = (
    measure_apply,
    measure_sorted_dict,
    measure_screen,
    measure_screen_hit,
    measure_pipeline_alone,
    measure_pipeline,
    measure_confirm,
    measure_confirm_triangle,
    measure_decide,
)


def measure_all() -> list[Row]:
    """Run every measure of the core."""
    rows = [one() for one in MEASURES]
    own = next(row for row in rows if row.name == "core.apply.4_levels")
    return [
        replace(row, peer="core.apply.4_levels", ratio=round(row.median / own.median, 2))
        if row.name.startswith("peer.")
        else row
        for row in rows
    ]


if __name__ == "__main__":
    print_table(measure_all())
