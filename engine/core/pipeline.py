"""The pipeline: what happens around every input, in live and in replay alike.

Before an input: paper orders that are due meet the board as it was. After it: each changed book
is screened, and what was found is decided on and executed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.core.advising import Advising
from engine.core.journal import Decided, Journal
from engine.core.shared_rows import SharedRows
from engine.core.sharing import Sharing
from engine.decide.decider import Decider
from engine.decide.live_places import LivePlaces
from engine.decide.permits import Permits
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.value_round import ValueRound
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.moving.pool_health import PoolHealth
from engine.detect.screening.detector import Detector
from engine.detect.screening.episodes import Episode
from engine.domain.advice import DatedAdvice
from engine.domain.approvals import Approval, ApprovalAct, ApprovalState
from engine.domain.assets import AssetCode
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.mandates import Mandate
from engine.domain.opportunities import Opportunity, Reason
from engine.domain.orders import Intent
from engine.domain.orders_booked import BookedOrders
from engine.domain.orders_told import OrderNews, VenueSeen
from engine.domain.plans import LeggedPlan, Plan, wallet_of
from engine.domain.switched_off import Off
from engine.domain.told import Booked, TransactionNews, WalletSeen
from engine.execute.executor_list import Executors
from engine.execute.finished import Finished
from engine.kernels.screen_layout import SCREENED
from engine.market.board import Board
from engine.market.freshness import Freshness, VenueEdge, VenueLost
from engine.market.valuation import Valuation
from engine.portfolio.fee_set import FeeSet
from engine.portfolio.inventory import Inventory
from engine.portfolio.leftovers import UsdPer
from engine.portfolio.taken import Taken

IMPROVED_RATIO = 1.1
"""An open opportunity is decided on again when its profit is this many times that of the last
decision on it ..."""

RECONSIDER_NS = 1_000_000_000
"""... or when this long has passed since, so that a pause or a full limit is not for ever."""

_SEVERAL = 2

FUNDED_PER_TICK = 8
"""Places of the inventory that are valued with one tick, while some wait for their capital."""

NOTED_PER_TICK = 8
"""Assets of leftovers whose price is noted with one tick."""


Alarm = Callable[[str, float], None]
"""Is told an opportunity's id and its screened profit in USD: nan if nobody knows, infinity if a
plan begins for it."""


@dataclass(slots=True)
class _Considered:
    """The last decision on an open opportunity."""

    decided_at_ns: int
    profit_quote: float
    is_planned: bool


def _no_matrix() -> None:
    return None


class Pipeline:
    """Runs the parts in their order."""

    # For other processes, which a replay has not.
    NOT_STATE = frozenset({"_alarm"})

    def __init__(
        self,
        *,
        board: Board,
        taken: Taken,
        freshness: Freshness,
        graph: LiveGraph,
        valuation: Valuation,
        value_round: ValueRound,
        pools: MovingPools,
        pool_health: PoolHealth,
        detector: Detector,
        decider: Decider,
        executors: Executors,
        inventory: Inventory,
        live_places: LivePlaces,
        fees: FeeSet,
        journal: Journal,
        open_matrix: Callable[[], SharedRows | None] = _no_matrix,
        alarm: Alarm | None = None,
    ) -> None:
        """Join parts that all work on the same board.

        `open_matrix` makes the matrix, of the rows as they are now, where changed books and pools
        are published for other processes; None if there is none. `alarm` is told of each
        opportunity that is new or better before it is decided on, and of each plan before it
        begins, so that other processes make way.
        """
        self._board = board
        self._taken = taken
        self._freshness = freshness
        self._valuation = valuation
        self._value_round = value_round
        self._pools = pools
        self._pool_health = pool_health
        self._detector = detector
        self._decider = decider
        self._permits: Permits = decider.permits
        self._executors = executors
        self._inventory = inventory
        self._live_places = live_places
        self._fees = fees
        self._advice = decider.advice
        self._advising = Advising(decider.advice, graph, pools, detector)
        self._to_screen: list[int] = []
        self._journal = journal
        self._sharing = Sharing(board, pools, open_matrix)
        self._considered: dict[str, _Considered] = {}
        self._alarm = alarm

    def pools_changed(self, at_ns: int, *, is_gone: bool = False) -> None:
        """Learn that a pool came, or is gone."""
        self._sharing.pools_changed(at_ns, is_gone=is_gone)

    def rows_changed(self, at_ns: int) -> None:
        """Learn that rows of the board came or went."""
        self._sharing.rows_changed(at_ns)

    def recover(self, intents: Sequence[Intent], at_ns: int) -> None:
        """Take plans over that were under way when their engine ended.

        Each holds what it reserved and counts in the limits until it is proven what it came to.
        """
        for intent in intents:
            self._decider.resume(intent.plan)
        self._executors.recover(intents, at_ns)

    def before_input(self, at_ns: int) -> None:
        """Let due paper orders meet the board; to be called before the input is applied."""
        if at_ns >= self._executors.next_at_ns:
            self._advance(at_ns)

    def intent_stored(self, client_order_id: str, at_ns: int) -> None:
        """Learn that the intent of an order is durable."""
        self._executors.stored(client_order_id, at_ns)

    def transaction_told(self, news: TransactionNews, booked: Booked | None, at_ns: int) -> None:
        """Learn what became of a transaction that was sent.

        Args:
            news: what is told.
            booked: what the ledger has of it, where it ended in an earlier run.
            at_ns: now.
        """
        if news.chore is not None:
            self._book_chore(news, booked, at_ns)
            return
        if booked is not None and booked.plan is not None:
            self._executors.remember(booked.plan, booked.sendables)
        self._executors.told(news, at_ns)

    def order_told(self, news: OrderNews, booked: BookedOrders | None, at_ns: int) -> None:
        """Learn what became of an order that was placed.

        Args:
            news: what is told.
            booked: what the ledger has of its plan, where that ended in an earlier run.
            at_ns: now.
        """
        if booked is not None:
            self._executors.remember(booked.plan, booked.sendables)
        self._executors.order_told(news, at_ns)

    def venue_seen(self, seen: VenueSeen, *, is_whole: bool, at_ns: int) -> None:
        """Learn what is ours at a venue and whether it takes orders.

        The books are put right by it where it reckons with all that was told of our orders there,
        and none of them is under way: what an open one is filled for cannot be told apart from
        what others move.
        """
        live = self._decider.live
        is_fit = is_whole and seen.venue not in live.under_way.venues
        if is_fit:
            before = self._live_places.before(seen.venue)
            for found in live.wallets.take_venue(seen, self._usd_per(at_ns)):
                self._journal.found_at_venue(found, at_ns)
            for turn in self._live_places.at_venue(seen, before):
                self._journal.balance_turned(turn, at_ns)
        self._decider.exchanges.take(seen, at_ns, has_balances=is_fit)
        if seen.taker_bps is not None:
            held = dict(self._fees.in_force)
            changed = self._fees.hear(seen.venue, seen.taker_bps, seen.fees_at_ns, at_ns)
            self._fees_changed(changed, held, at_ns)

    def knows_transaction(self, client_order_id: str) -> bool:
        """Say whether something of a transaction, or of an order, is known in this run."""
        is_chore = self._decider.live.chores.knows(client_order_id)
        return is_chore or self._executors.knows(client_order_id)

    def _book_chore(self, news: TransactionNews, booked: Booked | None, at_ns: int) -> None:
        live = self._decider.live
        cost = live.chores.take(news, booked, self._usd_per(at_ns))
        if cost is None:
            return
        live.inventory.add([cost])
        live.positions.spend(cost.usd or Decimal(0), at_ns)
        self._journal.cost_booked(cost, at_ns)

    def wallet_seen(self, seen: WalletSeen, at_ns: int) -> None:
        """Learn what is ours on a chain; where the books say otherwise they are put right.

        Not while a plan is under way that has orders beside its transaction: that may be told and
        in a block, and is booked once the orders have ended, too.
        """
        live = self._decider.live
        live.wallets.see_coins(seen)
        if wallet_of(seen.chain) in live.under_way.wallets:
            return
        before = self._live_places.before(wallet_of(seen.chain))
        for found in live.wallets.take(seen, self._usd_per(at_ns)):
            self._journal.found_on_chain(found, seen, at_ns)
        for turn in self._live_places.at_wallet(seen, before):
            self._journal.balance_turned(turn, at_ns)

    def withhold(self, client_order_id: str, at_ns: int) -> None:
        """Learn that the intent of an order never will be durable."""
        self._executors.withhold(client_order_id, at_ns)

    def answer_approval(
        self, approval_id: str, act: ApprovalAct, *, by: str, digest: str, at_ns: int
    ) -> None:
        """Take a person's word on a plan that waits; what is approved is carried out at once."""
        approvals = self._permits.approvals
        approval = approvals.answer(approval_id, act, by=by, digest=digest, at_ns=at_ns)
        if approval is not None and act is ApprovalAct.HALVE:
            self._decider.ask_again(
                approval.plan.opportunity.scaled(0.5),
                approval.size_base / 2,
                why="half, as you asked",
                at_ns=at_ns,
            )
        elif approval is not None:
            self._carry_out(approval, at_ns)
        self._tell_permits()

    def _carry_out(self, approval: Approval, at_ns: int) -> None:
        """Carry an approved plan out as the market is now; outside its terms ask anew."""
        decision = self._decider.carry_out(approval, at_ns)
        if isinstance(decision, Plan):
            self._journal.approved_started(decision)
            self._start(decision, at_ns)
            return
        is_killed = decision.reason is Reason.KILLED
        self._permits.approvals.end(
            approval,
            ApprovalState.VOID_KILL if is_killed else ApprovalState.STALE,
            by=", ".join(approval.approved_by),
            why=decision.detail,
            at_ns=at_ns,
        )
        if decision.reason is Reason.TERMS_LEFT:
            self._decider.ask_again(
                approval.plan.opportunity,
                approval.size_base,
                why="asked anew: it moved",
                at_ns=at_ns,
            )

    def close_leftovers(self, closings: Sequence[LeggedPlan], at_ns: int) -> None:
        """Close what a person said yes to of what is left over, each once."""
        for terms in closings:
            decision = self._decider.close(terms, at_ns)
            self._journal.closing_decided(terms, decision)
            if isinstance(decision, LeggedPlan):
                self._start(decision, at_ns)
                self._decider.closings.started(decision)

    def delivered(self, approval_id: str, at_ns: int) -> None:
        """Learn that a chat has shown a prompt."""
        self._permits.approvals.delivered(approval_id, at_ns)

    def see(self, *, is_blind: bool, at_ns: int) -> None:
        """Learn whether a chat reaches the operator; what waits for one that does not is void."""
        self._permits.switches.is_blind = is_blind
        self._look_at_permits(at_ns)

    def grant(self, mandate: Mandate) -> None:
        """Take a mandate that a person granted."""
        self._permits.mandates.grant(mandate)
        self._tell_permits()

    def revoke(self, mandate_id: str, *, by: str, at_ns: int) -> None:
        """Take a mandate back, or all of them where none is named."""
        mandates = self._permits.mandates
        for one in [mandate_id] if mandate_id else [*mandates.open]:
            mandates.end(one, why="revoked", by=by, at_ns=at_ns)
        self._tell_permits()

    def switch_off(self, off: Sequence[Off], at_ns: int) -> None:
        """Take all that is switched off; what waits for it, or is granted for it, ends."""
        self._decider.off.take(off)
        self._permits.end_off(self._decider.off, at_ns)
        self._tell_permits()

    def take_advice(self, advice: Sequence[DatedAdvice], at_ns: int) -> None:
        """Take all that background work advises, in place of what it did."""
        self._advising.take(advice, at_ns)

    def _start(self, plan: Plan, at_ns: int) -> None:
        if self._alarm is not None:
            self._alarm(plan.opportunity.opportunity_id, math.inf)
        self._executors.start(plan, at_ns)
        self._permits.started(plan, at_ns)

    def _look_at_permits(self, at_ns: int) -> None:
        if not self._permits.is_idle:
            self._permits.look(at_ns, is_killed=self._decider.is_killed())
            self._tell_permits()

    def _tell_permits(self) -> None:
        permits, journal = self._permits, self._journal
        for end in permits.approvals.take_ended():
            journal.approval_ended(end)
        for approval in permits.approvals.take_asked():
            journal.approval_asked(approval)
        for use in permits.mandates.take_changed():
            journal.mandate_changed(use)

    def finish_executions(self) -> None:
        """Let all that is under way meet the board as it is, each order at its own time.

        What still waits for its intent stays unsent.
        """
        self._book(self._executors.finish())

    def step_clock(self, step_ns: int, at_ns: int) -> None:
        """Take over a clock that was set to `at_ns` by a step; nothing is open or under way."""
        self._freshness.step_clock(step_ns)
        self._pools.step_clock(step_ns)
        self._pool_health.step_clock(step_ns)
        self._detector.step_clock()
        self._sharing.step_clock(step_ns)
        self._decider.step_clock(step_ns)
        for account in self._decider.accounts:
            account.positions.step_clock(step_ns, at_ns)
        self._advising.step_clock(step_ns)
        self._fees.step_clock(step_ns)

    def _advance(self, at_ns: int) -> None:
        self._book(self._executors.advance(at_ns))

    def _book(self, ended: Sequence[Finished]) -> None:
        for finished in ended:
            account = self._decider.account_of(finished.plan)
            execution = account.positions.add(finished.plan, finished.execution)
            account.inventory.add([execution])
            self._permits.mandates.finished(finished.plan, execution)
            self._decider.learn(finished.plan, execution)
            if not execution.corrects:
                self._decider.finished(finished.plan)
                self._detector.release(finished.plan.opportunity.opportunity_id)
            self._journal.execution_finished(finished.booked(execution))
        if ended:
            self._tell_permits()

    def after_input(self, at_ns: int) -> None:
        """Screen what the input changed and act on it; to be called after it is applied."""
        changed = self._board.changed
        for book in changed:
            self._taken.on_change(book)
            if edges := self._freshness.on_change(book, at_ns):
                self._tell(edges)
        for book in changed:
            if episodes := self._detector.on_change(book, at_ns):
                for episode in self._in_order(episodes, at_ns):
                    self._consider(episode, at_ns)
        publish = self._sharing.publish
        if publish is not None:
            for book in changed:
                publish(book, at_ns)
        changed.clear()
        self._detector.close_stale(at_ns)
        if self._detector.just_closed:
            self._tell_closed()

    def after_tick(self, at_ns: int) -> None:
        """Do as after any input, and what is due with time and would hold a frame up."""
        if at_ns >= self._advice.ends_at_ns:
            self._advising.end(at_ns)
            self.after_block(at_ns)
        if at_ns >= self._fees.ends_at_ns:
            before = dict(self._fees.in_force)
            self._fees_changed(self._fees.grow_old(at_ns), before, at_ns)
        self.after_seen(at_ns)
        if self._inventory.waiting:
            self._fund(at_ns, most=FUNDED_PER_TICK)
        for account in self._decider.accounts:
            account.positions.note_prices(self._usd_per(at_ns), at_ns, most=NOTED_PER_TICK)
        self._tell(self._freshness.update(at_ns))
        self._look_at_pools(at_ns)
        self._look_at_permits(at_ns)
        self._value_round.step(at_ns)
        if self._sharing.is_due(at_ns):
            self._sharing.rows_changed(at_ns)
        for episode in self._in_order(self._detector.screen_starts(at_ns), at_ns):
            self._consider(episode, at_ns)
        if self._advising.paths:
            for episode in self._in_order(self._advising.look(at_ns), at_ns):
                self._consider(episode, at_ns)
        self._tell_closed()
        self._journal.time_passed(at_ns)

    def after_block(self, at_ns: int) -> None:
        """Screen what the input changed of pools, once for all of it, and do as after any input."""
        changed = self._pools.take_changed()
        if changed:
            for episode in self._in_order(self._detector.on_pools(changed, at_ns), at_ns):
                self._consider(episode, at_ns)
            self._sharing.publish_pools(changed, at_ns)
        self._pools.let_go()
        if self._pools.has_returned:
            self._pools.has_returned = False
            self._detector.screen_again()
        self._look_at_pools(at_ns)
        self.after_input(at_ns)

    def _look_at_pools(self, at_ns: int) -> None:
        """Tell of venues of pools that are lost or back; no route stays open through lost ones."""
        edges = self._pool_health.update(at_ns)
        if edges:
            self._tell(edges)
            self._detector.end_stale(at_ns)
            self._tell_closed()

    def set_fees(self, by_operator: Mapping[VenueId, FeeWord]) -> None:
        """Take all that the operator has set of fees; books of changed ones are screened anew."""
        self._screen_later(self._fees.take(by_operator))

    def _fees_changed(
        self, changed: Sequence[VenueId], before: Mapping[VenueId, Decimal], at_ns: int
    ) -> None:
        """Tell which fees are others by the word of their venue, or as that is too old."""
        for venue in changed:
            self._journal.fee_told(venue, before[venue], self._fees.in_force[venue], at_ns)
        self._screen_later(changed)

    def _screen_later(self, changed: Sequence[VenueId]) -> None:
        self._to_screen += [
            book
            for book, instrument in enumerate(self._board.instruments)
            if instrument.venue in changed
        ]

    def after_seen(self, at_ns: int) -> None:
        """Do as after any input, and judge by other fees if what was seen of a venue says some."""
        if self._to_screen:
            self.after_fees(at_ns)
        else:
            self.after_input(at_ns)

    def after_fees(self, at_ns: int) -> None:
        """Judge by the new fees what is open, and what they may have opened."""
        for book in self._to_screen:
            for episode in self._detector.on_change(book, at_ns):
                self._consider(episode, at_ns)
        self._to_screen.clear()
        self._tell_closed()
        self.after_input(at_ns)

    def after_reset(self, at_ns: int) -> None:
        """Do as after any input, and set every place to its capital that has a price."""
        self._fund(at_ns, most=self._inventory.waiting)
        self.after_input(at_ns)

    def _fund(self, at_ns: int, *, most: int) -> None:
        for deposit in self._inventory.fund(self._usd_per(at_ns), most=most):
            self._journal.deposited(deposit, at_ns)

    def _usd_per(self, at_ns: int) -> UsdPer:
        def usd_per(asset: AssetCode) -> Decimal | None:
            return self._valuation.usd_per(asset, at_ns)

        return usd_per

    def _in_order(self, episodes: Sequence[Episode], at_ns: int) -> Sequence[Episode]:
        """Return what appears at once in the order in which it is decided on."""
        if len(episodes) < _SEVERAL or not self._advice.ranks:
            return episodes
        rank = self._advice.rank
        ordered = sorted(
            episodes,
            key=lambda one: rank(one.first.hops, one.row[SCREENED.PROFIT_USD], at_ns),
            reverse=True,
        )
        for one, before in zip(ordered, episodes, strict=True):
            if one is not before:
                self._advice.reorders(one.first.hops, at_ns)
        return ordered

    def _tell_closed(self) -> None:
        for closed in self._detector.take_closed():
            self._considered.pop(closed.opportunity_id, None)
            self._journal.opportunity_closed(closed)

    def _tell(self, edges: Sequence[VenueEdge]) -> None:
        for edge in edges:
            self._journal.venue_changed(edge)
            if isinstance(edge, VenueLost):
                self._permits.mandates.venue_lost(edge.venue, edge.at_ns)
        if edges:
            self._tell_permits()

    def _consider(self, episode: Episode, at_ns: int) -> None:
        last = self._considered.get(episode.opportunity_id)
        if last is not None and not _is_due(last, episode, at_ns):
            return
        if self._alarm is not None and (last is None or _is_improved(last, episode)):
            self._alarm(episode.opportunity_id, episode.row[SCREENED.PROFIT_USD])
        opportunity = self._detector.newest(episode)
        if last is None:
            self._journal.opportunity_found(opportunity)
        decision = self._decider.decide(opportunity, at_ns)
        is_planned = isinstance(decision, Plan)
        self._considered[episode.opportunity_id] = _Considered(
            at_ns, episode.profit_quote, is_planned
        )
        if isinstance(decision, Plan):
            self._start(decision, at_ns)
            self._detector.keep(opportunity.opportunity_id)
        self._journal.opportunity_decided(
            Decided(
                opportunity=opportunity,
                decision=decision,
                is_first=last is None,
                frame_seqs=(
                    opportunity.frame_seq,
                    opportunity.hops[0].frame_seq,
                    opportunity.hops[-1].frame_seq,
                ),
                profit_usd=self._profit_usd(opportunity, at_ns),
                advice=self._advice.bears_on(opportunity.hops, at_ns) if self._advice.all else (),
            )
        )
        if self._permits.has_news:
            self._tell_permits()

    def _profit_usd(self, opportunity: Opportunity, at_ns: int) -> float | None:
        usd_per_quote = self._valuation.usd_per(opportunity.quote, at_ns)
        return None if usd_per_quote is None else opportunity.profit_quote * float(usd_per_quote)


def _is_due(last: _Considered, episode: Episode, at_ns: int) -> bool:
    if last.is_planned:
        return False
    return _is_improved(last, episode) or not 0 <= at_ns - last.decided_at_ns < RECONSIDER_NS


def _is_improved(last: _Considered, episode: Episode) -> bool:
    return episode.profit_quote >= last.profit_quote * IMPROVED_RATIO
