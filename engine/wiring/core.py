"""Build the core of a run from its header; live runs and replays build it the same way."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from engine.bus.records import Record
from engine.connectors.specs import spec_of
from engine.core.checkpoint import CoreFrame
from engine.core.input_list import INPUTS
from engine.core.inputs.kind import AnyKind
from engine.core.market_rows import MarketRows
from engine.core.middle import Middle
from engine.core.pipeline import Alarm, Pipeline
from engine.core.pool_market import PoolMarket
from engine.core.shared_rows import SharedRows
from engine.decide.account import LiveAccount
from engine.decide.approvals import Approvals
from engine.decide.bounds.book_age import AGE_MS
from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.circumstances import Circumstances
from engine.decide.decider import PLAN_TTL_MS, Decider
from engine.decide.exchanges import Exchanges
from engine.decide.least_draws import LeastDraws
from engine.decide.limit_list import (
    LAG_MS,
    LIMITS,
    SLIPPAGE_BPS,
    UNWIND_BAND_BPS,
    LimitMaker,
    terms_of,
)
from engine.decide.limit_set import LimitSet
from engine.decide.live_places import LivePlaces
from engine.decide.mandates import Mandates
from engine.decide.mixed_gate import MixedGate
from engine.decide.off_list import OffList
from engine.decide.order_rate import OrderRate
from engine.decide.permits import Permits
from engine.decide.schedule import Schedules
from engine.decide.switches import Switches
from engine.decide.venue_failures import VenueFailures
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.moved_pair import KnownPool
from engine.detect.graph.pool_sides import prepare_pool
from engine.detect.graph.screen_terms import Screen
from engine.detect.graph.value_round import ValueRound
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.moving.pool_health import PoolHealth
from engine.detect.screening.detector import Detector
from engine.detect.screening.spreads import Spreads
from engine.detect.splitting.search import split_terms
from engine.domain.chains import BlockTerms, block_ms
from engine.domain.errors import BadValueError
from engine.domain.instruments import BuyFee
from engine.domain.modes import Basis
from engine.domain.pools import Pool
from engine.domain.units import NS_PER_MS
from engine.execute.chain_sight import ChainSight
from engine.execute.executor_list import Executors
from engine.execute.fill import PaperVenue
from engine.execute.fork_word import NO_FORKS, ForkWord
from engine.execute.late_fills import LateFills
from engine.execute.latency import Latency, LatencyModel
from engine.execute.plan_executor import NO_SENDER, NO_TRADER, Around, Sender, Trader
from engine.execute.unwinding import UnwindRules
from engine.market.advice_book import AdviceBook
from engine.market.board import Board
from engine.market.estimates import Estimates
from engine.market.freshness import Freshness
from engine.market.gas_book import GasBook
from engine.market.lateness import Lateness
from engine.market.valuation import Valuation
from engine.operate.core_parts import Core
from engine.operate.hot_path import HotPath
from engine.operate.journal.run_journal import RunJournal
from engine.operate.recorder import Recorder
from engine.operate.run_header import RunHeader
from engine.operate.spread_watch import SpreadWatch
from engine.operate.world import World
from engine.portfolio.costs import Costs
from engine.portfolio.fee_set import FeeSet
from engine.portfolio.inventory import Inventory
from engine.portfolio.low_balances import LowBalances
from engine.portfolio.positions import Positions
from engine.portfolio.taken import Taken
from engine.portfolio.taken_pools import TakenPools
from engine.portfolio.wallets import Wallets
from engine.ports import Feed, FeedLimits
from engine.quote.atomic import AtomicConfirmer, AtomicRules
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import LimitRules
from engine.quote.legs import LegsConfirmer
from engine.quote.live_gas import live_gas
from engine.quote.mixed import MixedConfirmer
from engine.quote.route import RouteConfirmer, RouteRules
from engine.quote.split import SplitConfirmer

_log = logging.getLogger(__name__)


OpenMatrix = Callable[[Board, Mapping[int, Pool], Mapping[int, KnownPool]], SharedRows | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a core's effects go, and what it may see of the world.

    Attributes:
        open_matrix: makes the price matrix of a board and of pools, again after each change of the
            rows; a run that shares no prices, such as a replay, has none.
        alarm: is told of each opportunity before it is decided on; a replay has none.
        sender: the way to whoever signs and sends; to nobody in a replay.
        trader: the same to whoever places orders.
        forks: what paper hears of forks; of none but where recorded hours are played again.
        opportunity_usd_min: least profit of an opportunity that the operator is told of.
        kinds: the kinds of input that there are.
        limits: the limits that there are.
    """

    world: World
    put: Callable[[Record], None]
    log: Callable[[bytes], None]
    recorder: Recorder | None
    opportunity_usd_min: Decimal
    open_matrix: OpenMatrix | None = None
    alarm: Alarm | None = None
    sender: Sender = NO_SENDER
    trader: Trader = NO_TRADER
    forks: ForkWord = NO_FORKS
    kinds: Sequence[AnyKind] = INPUTS
    limits: Sequence[LimitMaker] = LIMITS


def build_core(header: RunHeader, around: Surroundings) -> Core:
    """Build the core.

    Raises:
        BadValueError: the header names a venue or feed that this program does not know.
    """
    terms = header.terms
    board = Board(header.instruments)
    limits = LimitSet(terms_of(around.limits), by_settings=terms.limits, by_operator=header.limits)
    # What is screened goes by the settings; what the operator sets is tighter, the decider has it.
    age_ns_max = int(limits.by_settings(AGE_MS)) * NS_PER_MS
    fees = FeeSet({venue: one.fee_bps_taker for venue, one in terms.venues.items()}, header.fees)
    costs = Costs(
        fee_bps_taker=fees.in_force,
        transfer_bps=terms.transfer_bps,
        base_fee_venues=frozenset(
            venue for venue, one in terms.venues.items() if one.buy_fee is BuyFee.BASE
        ),
    )
    taken = Taken(board)
    freshness = Freshness(board, age_ns_max=age_ns_max)
    positions = _paper_positions(header)
    inventory = Inventory(header.capital, header.holdings)
    live = _live_account(header)
    control = Switches(
        mode=header.control.mode,
        is_paused=header.control.is_paused,
        sends_approved=terms.sends_approved,
        sends_live=terms.sends_live,
    )
    # They change while running; the header stays what it was.
    gas = GasBook(terms.gas_prices_gwei, stale_ms=terms.gas_stale_ms)
    screen = Screen(
        edge_bps_min=limits.by_settings(EDGE_BPS),
        age_ns_max=age_ns_max,
        legs_max=terms.legs_max,
        flash_fee_bps=terms.flash_fee_bps,
        gas=gas,
    )
    pools = [prepare_pool(snapshot) for snapshot in header.pools]
    for pool in pools:
        if pool.cut:
            _log.warning("%s is used in part: not %s", pool.pool, " nor ".join(pool.cut))
    assets = {asset for one in header.instruments for asset in (one.pair.base, one.pair.quote)}
    assets.update(asset for pool in pools for asset in pool.pool.assets)
    graph = LiveGraph(board, costs, screen, asset_count=len(assets))
    graph.add_pools(pools)
    valuation = Valuation(board, age_ns_max=age_ns_max, beside=graph.native_pools.rates)
    for number, bridge in enumerate(header.bridges):
        graph.add_bridge(number, bridge)
    moving = MovingPools(
        graph,
        terms.chains,
        started_at_ns=header.started_at_ns,
        is_live=header.basis in {Basis.LIVE, Basis.TEST},
    )
    circumstances = Circumstances(
        board=board,
        valuation=valuation,
        positions=positions,
        inventory=inventory,
        is_killed=around.world.is_killed,
        is_ledger_behind=around.world.is_ledger_behind,
        shows_killed=around.world.shows_killed,
        shows_ledger_behind=around.world.shows_ledger_behind,
        is_pool_fresh=graph.is_pool_fresh,
        is_told_ahead=moving.is_told_ahead,
        limits=limits,
        schedules=Schedules(
            advice=AdviceBook(), head_of=moving.head_of, newest_at_ns=moving.newest_at_ns
        ),
        gas=gas,
        off=OffList(header.off),
        switches=control,
        live=live,
        exchanges=Exchanges(terms.trades),
        mixed=MixedGate(shut=terms.mixed_shut),
        kelly_ratio=terms.kelly_ratio,
        order_rate=OrderRate(header.sent_at_ns),
        failures=VenueFailures(header.failures),
    )
    taken_pools = TakenPools(graph.pools)
    rules = LimitRules(slippage_bps=limits[SLIPPAGE_BPS], edge_bps_floor=limits[EDGE_BPS])
    confirmer = LegsConfirmer(board, costs, taken, rules)
    atomic = AtomicConfirmer(
        ExactLegs(board, costs, taken, graph.pools),
        graph.pools,
        taken_pools,
        valuation,
        AtomicRules(
            limits=rules,
            flash_fee_bps=terms.flash_fee_bps,
            gas=gas,
            live=live_gas(terms.chains, PLAN_TTL_MS),
        ),
        head_of=moving.head_of,
    )
    decider = Decider(
        confirmer=confirmer,
        atomic=atomic,
        mixed=MixedConfirmer(board, costs, taken, graph.pools, atomic=atomic, rules=rules),
        circumstances=circumstances,
        permits=Permits(control, Approvals(header.run_id, terms.approvals), Mandates()),
        limits=around.limits,
    )
    pool_health = PoolHealth(moving)
    detector = Detector(board, graph, age_ns_max=age_ns_max, run_id=header.run_id)
    journal = RunJournal(
        header,
        opportunity_usd_min=around.opportunity_usd_min,
        mode=lambda: control.mode,
        put=around.put,
        log=around.log,
    )
    estimates = Estimates(board, age_ns_max=age_ns_max, beside=graph.native_pools.rates)
    unwind = UnwindRules()
    limits.follow(lambda values: unwind.set(band_bps=values[UNWIND_BAND_BPS]))
    open_matrix = around.open_matrix
    pipeline = Pipeline(
        board=board,
        taken=taken,
        freshness=freshness,
        graph=graph,
        valuation=valuation,
        value_round=ValueRound(graph, estimates),
        pools=moving,
        pool_health=pool_health,
        detector=detector,
        decider=decider,
        executors=Executors(
            Around(
                venue=PaperVenue(board, costs, taken, age_ns_max=age_ns_max),
                costs=costs,
                latency=_latency_model(header),
                rules=unwind,
                order_rate=circumstances.order_rate,
                pools=graph.pools,
                taken_pools=taken_pools,
                is_killed=around.world.is_killed,
                intend=journal.records.intent,
                permit_refusal=decider.why_not_permitted,
                terms_of=decider.terms_of,
                waits_for_intents=terms.waits_for_intents,
                chains=ChainSight(
                    head_of=moving.head_of,
                    block_ms_of=partial(_block_ms, terms.chains),
                    gas=gas,
                    forks=around.forks,
                ),
                late_fills=LateFills(ratio=terms.late_fill_ratio, seed=terms.seed),
                sender=around.sender,
                trader=around.trader,
                usd_per=valuation.usd_per,
            )
        ),
        inventory=inventory,
        live_places=LivePlaces(live, LowBalances(terms.low_balance), LeastDraws(board, costs, gas)),
        fees=fees,
        journal=journal,
        open_matrix=lambda: (
            open_matrix(board, graph.terms_of_pools, graph.pools) if open_matrix else None
        ),
        alarm=around.alarm,
    )
    pipeline.recover(header.open_plans, header.started_at_ns)
    legs = ExactLegs(board, costs, taken, graph.pools, header.bridges)
    route_confirmer = RouteConfirmer(legs, costs, RouteRules(flash_fee_bps=terms.flash_fee_bps))
    feeds = _feeds(header, board, age_ms_max=int(limits.by_settings(AGE_MS)))
    books = [list(stream.books) for stream in header.streams]
    lateness = Lateness(
        board, [feed.behind for feed in feeds], books, lag_ms_max=int(limits[LAG_MS])
    )
    limits.follow(lambda values: lateness.limit(int(values[LAG_MS])))
    spreads = Spreads(board, costs, age_ns_max=age_ns_max)
    fees.follow(graph.take_fees, confirmer.take_fees, spreads.take_fees)
    rows = MarketRows(
        board,
        [stream.venue for stream in header.streams],
        books,
        detector=detector,
        inventory=inventory,
        lateness=lateness,
        followers=(valuation.take_rows, estimates.take_rows, spreads.take_rows),
    )
    middle = Middle(
        feeds=feeds,
        is_connected=[False] * len(feeds),
        lateness=lateness,
        rows=rows,
        pools=PoolMarket(moving, detector),
        pipeline=pipeline,
        switches=control,
        decider=decider,
        inventory=inventory,
    )
    return Core(
        advice=decider.advice,
        header=header,
        board=board,
        rows=rows,
        freshness=freshness,
        decider=decider,
        route_confirmer=route_confirmer,
        split_confirmer=SplitConfirmer(
            graph.parallel, legs, route_confirmer, split_terms(screen, costs.transfer_bps)
        ),
        pools=graph.pools,
        gas=gas,
        moving_pools=moving,
        pool_health=pool_health,
        detector=detector,
        positions=positions,
        inventory=inventory,
        fees=fees,
        under_way=circumstances.under_way,
        live=live,
        valuation=valuation,
        journal=journal,
        control=control,
        spread_watch=SpreadWatch(spreads),
        frame=CoreFrame(middle),
        hot_path=HotPath(
            board=board,
            middle=middle,
            recorder=around.recorder,
            kinds=around.kinds,
        ),
    )


def _paper_positions(header: RunHeader) -> Positions:
    positions = Positions()
    positions.restore(
        residuals=header.residuals,
        realised_usd=header.realised_today_usd,
        at_ns=header.started_at_ns,
        last_prices=header.last_prices,
        drawdown_usd=header.drawdown_usd,
        gas_usd=header.gas_today_usd,
        edge=header.edge,
    )
    return positions


def _live_account(header: RunHeader) -> LiveAccount:
    live = LiveAccount(inventory=Inventory(holdings=header.live.holdings))
    live.wallets = Wallets(live.inventory, header.live.opened)
    live.positions.restore(
        residuals=header.live.residuals,
        realised_usd=header.live.realised_today_usd,
        at_ns=header.started_at_ns,
        last_prices=header.live.last_prices,
        drawdown_usd=header.live.drawdown_usd,
        gas_usd=header.live.gas_today_usd,
        edge=header.live.edge,
    )
    return live


def _feeds(header: RunHeader, board: Board, *, age_ms_max: int) -> list[Feed]:
    feeds = []
    for stream in header.streams:
        spec = spec_of(stream.venue)
        if stream.feed not in spec.feeds:
            raise BadValueError(f"no feed {stream.feed} of a venue {stream.venue} is known here")
        instruments = [header.instruments[book] for book in stream.books]
        limits = FeedLimits(
            age_ms_max=age_ms_max,
            audit_s=header.terms.audit_s,
            audits_per_s=spec.budget.audits_per_s,
        )
        feeds.append(spec.feeds[stream.feed](instruments, stream.books, board, limits))
    return feeds


def _block_ms(chains: Mapping[str, BlockTerms], chain: str) -> int:
    """Return how long a transaction waits for its block."""
    terms = chains.get(chain)
    return block_ms(chain) if terms is None or not terms.block_ms else terms.block_ms


def _latency_model(header: RunHeader) -> LatencyModel:
    return LatencyModel(
        {
            venue: Latency(median_ms=one.latency_ms_median, p99_ms=one.latency_ms_p99)
            for venue, one in header.terms.venues.items()
        },
        seed=header.terms.seed,
    )
