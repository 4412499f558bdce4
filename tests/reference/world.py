"""A small world for tests: a board with everything that works on it, driven input by input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.core.journal import Decided
from engine.core.pipeline import Alarm, Pipeline
from engine.core.pool_market import PoolMarket
from engine.core.shared_rows import SharedRows
from engine.decide.account import LiveAccount
from engine.decide.approvals import ApprovalRules, Approvals
from engine.decide.circumstances import Circumstances
from engine.decide.decider import PLAN_TTL_MS, Decider
from engine.decide.exchanges import Exchanges
from engine.decide.least_draws import LeastDraws
from engine.decide.limit_list import LIMITS, LimitMaker, terms_of
from engine.decide.limit_set import LimitSet
from engine.decide.live_places import LivePlaces
from engine.decide.mandates import Mandates
from engine.decide.mixed_gate import ON_PAPER, MixedGate
from engine.decide.order_rate import OrderRate
from engine.decide.permits import Permits
from engine.decide.schedule import Schedules
from engine.decide.switches import Switches
from engine.decide.venue_failures import VenueFailures
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.graph.screen_terms import Screen
from engine.detect.graph.value_round import ValueRound
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.moving.pool_health import PoolHealth
from engine.detect.screening.detector import Detector
from engine.detect.screening.episodes import Closed
from engine.detect.splitting.search import split_terms
from engine.domain.advice import AnyAdvice, DatedAdvice
from engine.domain.approvals import Approval, ApprovalEnd
from engine.domain.assets import Amount, AssetCode
from engine.domain.bridges import Bridge
from engine.domain.chains import BlockTerms
from engine.domain.faults import Fault
from engine.domain.holdings import Deposit, Holding
from engine.domain.instruments import Instrument, Kind, Pair, VenueId
from engine.domain.low_balances import BalanceTurn
from engine.domain.mandates import MandateUse
from engine.domain.modes import Mode
from engine.domain.opportunities import Opportunity, Reason, Refusal
from engine.domain.orders import Execution, Intent
from engine.domain.orders_told import OrderNews, VenueSeen
from engine.domain.plans import AtomicPlan, LeggedPlan, MixedPlan, Plan
from engine.domain.told import Cost, WalletSeen
from engine.execute.atomic_finished import AtomicFinished
from engine.execute.book_finished import LeggedFinished, MixedFinished
from engine.execute.chain_sight import ChainSight
from engine.execute.executor_list import EXECUTORS, Executors
from engine.execute.fill import PaperVenue
from engine.execute.finished import Finished
from engine.execute.late_fills import LateFills
from engine.execute.latency import Latency, LatencyModel
from engine.execute.plan_executor import (
    NO_SENDER,
    NO_TRADER,
    Around,
    PlanExecutor,
    Sender,
    Trader,
)
from engine.execute.unwinding import UnwindRules
from engine.market.advice_book import AdviceBook
from engine.market.board import Board
from engine.market.estimates import Estimates
from engine.market.freshness import Freshness, VenueEdge
from engine.market.gas_book import GasBook
from engine.market.valuation import Valuation
from engine.pools.blocks import Block
from engine.pools.snapshots import PoolSnapshot
from engine.portfolio.costs import Costs
from engine.portfolio.fee_set import FeeSet
from engine.portfolio.inventory import Inventory
from engine.portfolio.low_balances import LowBalances
from engine.portfolio.positions import Positions
from engine.portfolio.taken import Taken
from engine.portfolio.taken_pools import TakenPools
from engine.portfolio.wallets import Found
from engine.ports import Applied, LevelForm
from engine.quote.atomic import AtomicConfirmer, AtomicRules
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import LimitRules
from engine.quote.legs import LegsConfirmer
from engine.quote.live_gas import live_gas
from engine.quote.mixed import MixedConfirmer
from engine.quote.route import RouteConfirmer, RouteRules
from engine.quote.split import SplitConfirmer
from tests.reference.gaps import SEEN_AT_NS

MS = 1_000_000
SECOND = 1_000_000_000
AGE_NS_MAX = 10 * SECOND
START_NS = SEEN_AT_NS

Levels = Sequence[tuple[str, str]]


def make_instrument(
    venue: str,
    pair: str = "BTC-USD",
    *,
    price_decimals: int = 2,
    size_decimals: int = 8,
    tick: str = "0.01",
    lot: str = "0.00001",
    size_min: str = "0",
    notional_min: str = "0",
    kind: Kind = Kind.SPOT,
) -> Instrument:
    return Instrument(
        venue=VenueId(venue),
        pair=Pair.parse(pair),
        wire_name=pair,
        price_decimals=price_decimals,
        size_decimals=size_decimals,
        tick_quote=Decimal(tick),
        lot_base=Decimal(lot),
        size_min_base=Decimal(size_min),
        notional_min_quote=Decimal(notional_min),
        kind=kind,
    )


def left_over(execution: Execution) -> Decimal:
    """Return what an execution of a gap left over in all."""
    return sum((one.held.value for one in execution.residuals), Decimal(0))


def write_side(levels: Levels) -> bytes:
    return ("[" + ",".join(f'["{price}","{size}"]' for price, size in levels) + "]").encode()


def make_holding(venue: str, asset: str, held: str) -> Holding:
    """What is held, and was at the start."""
    amount = Amount.of(held, asset)
    return Holding(venue=VenueId(venue), held=amount, started=amount, started_usd=Decimal(1))


@dataclass
class MemoryJournal:
    """Keeps what it is told, in order."""

    found: list[Opportunity] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    ended: list[Finished] = field(default_factory=list)
    edges: list[VenueEdge] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    asked: list[Approval] = field(default_factory=list)
    answered: list[ApprovalEnd] = field(default_factory=list)
    approved: list[Plan] = field(default_factory=list)
    mandates: list[MandateUse] = field(default_factory=list)
    on_chain: list[Found] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    turns: list[BalanceTurn] = field(default_factory=list)
    closings: list[Plan | Refusal] = field(default_factory=list)

    def opportunity_found(self, opportunity: Opportunity) -> None:
        self.found.append(opportunity)

    def opportunity_decided(self, decided: Decided) -> None:
        self.decided.append(decided)

    def opportunity_closed(self, closed: Closed) -> None:
        self.closed.append(closed)

    def time_passed(self, at_ns: int) -> None:
        """Nothing waits here to be told."""

    def intended(self, intent: Intent) -> None:
        self.intents.append(intent)

    def execution_finished(self, finished: Finished) -> None:
        self.ended.append(finished)

    def closing_decided(self, terms: LeggedPlan, decision: Plan | Refusal) -> None:
        del terms
        self.closings.append(decision)

    def deposited(self, deposit: Deposit, at_ns: int) -> None:
        del at_ns
        self.deposits.append(deposit)

    def found_on_chain(self, found: Found, seen: WalletSeen, at_ns: int) -> None:
        del seen, at_ns
        self.on_chain.append(found)

    def found_at_venue(self, found: Found, at_ns: int) -> None:
        del at_ns
        self.on_chain.append(found)

    def balance_turned(self, turn: BalanceTurn, at_ns: int) -> None:
        del at_ns
        self.turns.append(turn)

    def fee_told(self, venue: VenueId, before: Decimal, after: Decimal, at_ns: int) -> None:
        pass

    def cost_booked(self, cost: Cost, at_ns: int) -> None:
        del at_ns
        self.costs.append(cost)

    def venue_changed(self, edge: VenueEdge) -> None:
        self.edges.append(edge)

    def approval_asked(self, approval: Approval) -> None:
        self.asked.append(approval)

    def approval_ended(self, end: ApprovalEnd) -> None:
        self.answered.append(end)

    def approved_started(self, plan: Plan) -> None:
        self.approved.append(plan)

    def mandate_changed(self, use: MandateUse) -> None:
        self.mandates.append(use)

    @property
    def finished(self) -> list[LeggedFinished]:
        return [one for one in self.ended if isinstance(one, LeggedFinished)]

    @property
    def atomic(self) -> list[AtomicFinished]:
        return [one for one in self.ended if isinstance(one, AtomicFinished)]

    @property
    def mixed(self) -> list[MixedFinished]:
        return [one for one in self.ended if isinstance(one, MixedFinished)]

    @property
    def plans(self) -> list[LeggedPlan]:
        return [one.decision for one in self.decided if isinstance(one.decision, LeggedPlan)]

    @property
    def atomic_plans(self) -> list[AtomicPlan]:
        return [one.decision for one in self.decided if isinstance(one.decision, AtomicPlan)]

    @property
    def mixed_plans(self) -> list[MixedPlan]:
        return [one.decision for one in self.decided if isinstance(one.decision, MixedPlan)]

    @property
    def reasons(self) -> list[Reason]:
        return [one.decision.reason for one in self.decided if isinstance(one.decision, Refusal)]


def limit_set(**by_settings: Decimal | int) -> LimitSet:
    """Make limits of which some are not as they are by default."""
    given = {name: Decimal(value) for name, value in by_settings.items()}
    return LimitSet(terms_of(LIMITS), by_settings=given)


@dataclass(kw_only=True)
class Setup:
    """What a test wants to differ from the usual."""

    instruments: Sequence[Instrument] = field(
        default_factory=lambda: [make_instrument("here"), make_instrument("there")]
    )
    fee_bps: str = "10"
    transfer_bps: str = "0"
    base_fee_venues: Sequence[str] = ()
    values: LimitSet = field(default_factory=limit_set)
    limits: Sequence[LimitMaker] = LIMITS
    rules: LimitRules = field(default_factory=lambda: LimitRules(slippage_bps=Decimal(5)))
    unwind: UnwindRules = field(default_factory=UnwindRules)
    latency: Latency = field(default_factory=lambda: Latency(median_ms=20, p99_ms=20))
    latency_by_venue: dict[str, Latency] = field(default_factory=dict)
    edge_bps_min: str = "10"
    legs_max: int = 4
    flash_fee_bps: str = "0"
    gas_price_gwei: str = "0"
    """Of Ethereum."""

    gas_elsewhere_gwei: dict[str, str] = field(default_factory=dict)
    gas_stale_ms: int = 0
    pools: Sequence[PoolSnapshot] = ()
    bridges: Sequence[Bridge] = ()
    chains: dict[str, BlockTerms] = field(default_factory=dict)
    """Whose blocks are followed."""

    open_matrix: Callable[[Board], SharedRows | None] = lambda _board: None
    alarm: Alarm | None = None
    seed: int = 7
    executors: Sequence[Callable[[Around], PlanExecutor]] = EXECUTORS
    waits_for_intents: bool = False
    late_fill_ratio: float = 0.0
    mode: Mode = Mode.PAPER
    sends_approved: bool = False
    kelly_ratio: str = "0"
    run_id: str = "r1"
    sent_at_ns: Sequence[int] = ()
    failures: dict[VenueId, tuple[int, int]] = field(default_factory=dict)
    trades: Sequence[str] = ()
    """Venues at which orders are placed for real."""

    mixed_shut: str = ON_PAPER
    """Why orders together with a transaction are on paper; empty where both go live."""

    coins: dict[str, str] = field(default_factory=dict)
    """By chain what its wallet has in coins that are not wrapped, where that was read."""

    low_balance: dict[str, str] = field(default_factory=dict)
    trader: Trader = NO_TRADER
    sender: Sender = NO_SENDER
    approvals: ApprovalRules = field(default_factory=ApprovalRules)
    inventory: Callable[[Sequence[Instrument]], Inventory] = lambda of: Inventory(
        holdings=[
            make_holding(one.venue, asset, "1000000000000")
            for one in of
            for asset in (one.pair.base, one.pair.quote)
        ]
    )


class World:
    """All parts joined as the engine joins them, with the time in the test's hand."""

    def __init__(self, setup: Setup | None = None) -> None:
        setup = setup or Setup()
        self.setup = setup
        self.now_ns = START_NS
        self.is_killed = False
        self.kill_answers: list[bool] = []
        self.is_ledger_behind = False
        self.journal = MemoryJournal()
        self.board = Board(setup.instruments, levels_max=64)
        venues = {instrument.venue for instrument in setup.instruments}
        self.fees = FeeSet(dict.fromkeys(venues, Decimal(setup.fee_bps)))
        self.costs = Costs(
            fee_bps_taker=self.fees.in_force,
            transfer_bps=Decimal(setup.transfer_bps),
            base_fee_venues=frozenset(VenueId(venue) for venue in setup.base_fee_venues),
        )
        self.taken = Taken(self.board)
        self.positions = Positions()
        self.inventory = setup.inventory(setup.instruments)
        self.valuation = Valuation(self.board, age_ns_max=AGE_NS_MAX)
        self.freshness = Freshness(self.board, age_ns_max=AGE_NS_MAX)
        self.switches = Switches(mode=setup.mode, sends_approved=setup.sends_approved)
        self.confirmer = LegsConfirmer(self.board, self.costs, self.taken, setup.rules)
        screen = Screen(
            edge_bps_min=Decimal(setup.edge_bps_min),
            age_ns_max=AGE_NS_MAX,
            legs_max=setup.legs_max,
            flash_fee_bps=Decimal(setup.flash_fee_bps),
            gas=GasBook(
                {
                    chain: Decimal(gwei)
                    for chain, gwei in {
                        "ethereum": setup.gas_price_gwei,
                        **setup.gas_elsewhere_gwei,
                    }.items()
                },
                stale_ms=setup.gas_stale_ms,
            ),
        )
        self.graph = LiveGraph(self.board, self.costs, screen)
        self.fees.follow(self.graph.take_fees, self.confirmer.take_fees)
        self.graph.add_pools([prepare_pool(snapshot) for snapshot in setup.pools])
        for number, bridge in enumerate(setup.bridges):
            self.graph.add_bridge(number, bridge)
        self.taken_pools = TakenPools(self.graph.pools)
        self.moving = MovingPools(self.graph, setup.chains, started_at_ns=START_NS)
        self.advice = AdviceBook()
        self.circumstances = Circumstances(
            board=self.board,
            valuation=self.valuation,
            positions=self.positions,
            inventory=self.inventory,
            is_killed=self._ask_latch,
            is_ledger_behind=lambda: self.is_ledger_behind,
            shows_killed=lambda: self.is_killed,
            shows_ledger_behind=lambda: self.is_ledger_behind,
            is_pool_fresh=self.graph.is_pool_fresh,
            is_told_ahead=self.moving.is_told_ahead,
            limits=setup.values,
            schedules=Schedules(
                advice=self.advice,
                head_of=self.moving.head_of,
                newest_at_ns=self.moving.newest_at_ns,
            ),
            switches=self.switches,
            kelly_ratio=Decimal(setup.kelly_ratio),
            order_rate=OrderRate(setup.sent_at_ns),
            failures=VenueFailures(setup.failures),
            gas=screen.gas,
            # As if the chain's wallet had been read, and held what there is of paper.
            live=LiveAccount(inventory=setup.inventory(setup.instruments)),
            exchanges=Exchanges({VenueId(one): Decimal(10**9) for one in setup.trades}),
            mixed=MixedGate(shut=setup.mixed_shut),
        )
        coins = {chain: Decimal(amount) for chain, amount in setup.coins.items()}
        self.circumstances.live.wallets.coins.update(coins)
        self.pool_health = PoolHealth(self.moving)
        atomic = AtomicConfirmer(
            ExactLegs(self.board, self.costs, self.taken, self.graph.pools),
            self.graph.pools,
            self.taken_pools,
            self.valuation,
            AtomicRules(
                limits=setup.rules,
                flash_fee_bps=Decimal(setup.flash_fee_bps),
                gas=screen.gas,
                live=live_gas(setup.chains, PLAN_TTL_MS),
            ),
            head_of=self.moving.head_of,
        )
        self.mixed_confirmer = MixedConfirmer(
            self.board,
            self.costs,
            self.taken,
            self.graph.pools,
            atomic=atomic,
            rules=setup.rules,
        )
        self.decider = Decider(
            confirmer=self.confirmer,
            atomic=atomic,
            mixed=self.mixed_confirmer,
            circumstances=self.circumstances,
            permits=Permits(self.switches, Approvals(setup.run_id, setup.approvals), Mandates()),
            limits=setup.limits,
        )
        legs = ExactLegs(self.board, self.costs, self.taken, self.graph.pools, setup.bridges)
        self.route_confirmer = RouteConfirmer(
            legs, self.costs, RouteRules(flash_fee_bps=Decimal(setup.flash_fee_bps))
        )
        self.split_confirmer = SplitConfirmer(
            self.graph.parallel,
            legs,
            self.route_confirmer,
            split_terms(screen, self.costs.transfer_bps),
        )
        self.detector = Detector(self.board, self.graph, age_ns_max=AGE_NS_MAX, run_id=setup.run_id)
        self.pools = PoolMarket(self.moving, self.detector)
        by_venue = {
            venue: setup.latency_by_venue.get(venue, setup.latency) for venue in sorted(venues)
        }
        self.executors = Executors(
            Around(
                venue=PaperVenue(self.board, self.costs, self.taken, age_ns_max=AGE_NS_MAX),
                costs=self.costs,
                latency=LatencyModel(by_venue, seed=setup.seed),
                rules=setup.unwind,
                order_rate=self.circumstances.order_rate,
                pools=self.graph.pools,
                taken_pools=self.taken_pools,
                is_killed=self.circumstances.is_killed,
                intend=self.journal.intended,
                permit_refusal=self.decider.why_not_permitted,
                terms_of=self.decider.terms_of,
                waits_for_intents=setup.waits_for_intents,
                chains=ChainSight(head_of=self.moving.head_of, gas=screen.gas),
                late_fills=LateFills(ratio=setup.late_fill_ratio, seed=setup.seed),
                sender=setup.sender,
                trader=setup.trader,
                usd_per=self.valuation.usd_per,
            ),
            setup.executors,
        )
        self.pipeline = Pipeline(
            board=self.board,
            taken=self.taken,
            freshness=self.freshness,
            graph=self.graph,
            valuation=self.valuation,
            value_round=ValueRound(self.graph, Estimates(self.board, age_ns_max=AGE_NS_MAX)),
            pools=self.moving,
            pool_health=self.pool_health,
            detector=self.detector,
            decider=self.decider,
            executors=self.executors,
            inventory=self.inventory,
            live_places=LivePlaces(
                self.circumstances.live,
                LowBalances(
                    {AssetCode(code): Decimal(one) for code, one in setup.low_balance.items()}
                ),
                LeastDraws(self.board, self.costs, screen.gas),
            ),
            fees=self.fees,
            journal=self.journal,
            open_matrix=lambda: setup.open_matrix(self.board),
            alarm=setup.alarm,
        )

    def wait(self, ms: float) -> None:
        """Let time pass without an input."""
        self.now_ns += round(ms * MS)

    def show(self, book: int, bids: Levels, asks: Levels) -> None:
        """One input: a snapshot of a book."""
        self._before()
        outcome = self.board.replace(
            book, LevelForm.PAIRS, write_side(bids), write_side(asks), self.now_ns
        )
        if outcome is not Applied.OK:
            fault = Fault.CROSSED if outcome is Applied.CROSSED else Fault.EMPTY
            self.board.invalidate(book, fault, self.now_ns)
        self.pipeline.after_input(self.now_ns)

    def change(self, book: int, bids: Levels, asks: Levels) -> Applied:
        """One input: changes of a book."""
        self._before()
        outcome = self.board.apply(
            book, LevelForm.PAIRS, write_side(bids), write_side(asks), self.now_ns
        )
        self.pipeline.after_input(self.now_ns)
        return outcome

    def lose(self, book: int, fault: Fault = Fault.GAP) -> None:
        """One input: the book became unusable."""
        self._before()
        self.board.invalidate(book, fault, self.now_ns)
        self.pipeline.after_input(self.now_ns)

    def advise(self, *advice: AnyAdvice, holds_ms: float = 60_000) -> None:
        """One input: all that is advised."""
        self._before()
        until_ns = self.now_ns + round(holds_ms * MS)
        dated = [
            DatedAdvice(discovery=number, until_ns=until_ns, advice=one)
            for number, one in enumerate(advice, 1)
        ]
        self.pipeline.take_advice(dated, self.now_ns)
        self.pipeline.after_block(self.now_ns)

    def take(self, block: Block) -> None:
        """One input: a block of a chain."""
        self._before()
        self.pools.take(block, self.now_ns)
        self.pipeline.after_block(self.now_ns)

    def tell_order(self, news: OrderNews) -> None:
        """One input: what became of an order that was placed."""
        self._before()
        self.pipeline.order_told(news, None, self.now_ns)
        self.pipeline.after_input(self.now_ns)

    def see_venue(self, seen: VenueSeen, *, is_whole: bool = True) -> None:
        """One input: what is ours at a venue."""
        self._before()
        self.pipeline.venue_seen(seen, is_whole=is_whole, at_ns=self.now_ns)
        self.pipeline.after_input(self.now_ns)

    def close_leftovers(self, *closings: LeggedPlan) -> None:
        """One input: a person said yes to closing what is left over."""
        self._before()
        self.pipeline.close_leftovers(closings, self.now_ns)
        self.pipeline.after_input(self.now_ns)

    def tick(self) -> None:
        """One input: the time."""
        self._before()
        self.pipeline.after_tick(self.now_ns)

    def reset_balance(self) -> None:
        """One input: the operator sets the inventory back."""
        self._before()
        self.inventory.reset()
        self.pipeline.after_reset(self.now_ns)

    def _ask_latch(self) -> bool:
        return self.kill_answers.pop(0) if self.kill_answers else self.is_killed

    def _before(self) -> None:
        self.pipeline.before_input(self.now_ns)
        self.board.frame_seq += 1
