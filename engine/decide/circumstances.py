"""What limits look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.decide.account import Account, LiveAccount
from engine.decide.exchanges import Exchanges
from engine.decide.limit_set import LimitSet
from engine.decide.mixed_gate import MixedGate
from engine.decide.off_list import OffList
from engine.decide.order_rate import OrderRate
from engine.decide.schedule import Schedules
from engine.decide.switches import Switches
from engine.decide.under_way import PlansUnderWay
from engine.decide.venue_failures import VenueFailures
from engine.domain.mixed_routes import pool_run
from engine.domain.modes import Money
from engine.domain.opportunities import Hop, Opportunity
from engine.market.advice_book import AdviceBook
from engine.market.board import Board
from engine.market.gas_book import GasBook
from engine.market.valuation import Valuation
from engine.portfolio.come_through import ComeThrough
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions


def _no_schedules() -> Schedules:
    return Schedules(advice=AdviceBook())


def _never(_number: int, _at_ns: int) -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class Circumstances:
    """What the limits look at.

    Attributes:
        is_killed, is_ledger_behind: looks of decisions; each is recorded with the run.
        is_pool_fresh: whether the pool of a number may be acted on at a time.
        is_told_ahead: whether a webhook told a large swap in it whose block is not here yet.
        limits: the values of limits.
        schedules: for which block a transaction is, as far as that is advised.
        gas: what gas is reckoned with.
        off: what the operator has switched off.
        come_through: how often what was sent came through, on paper or for real as `money` is.
        shows_killed, shows_ledger_behind: looks of reports; they leave no trace.
        positions, inventory, under_way: of paper.
        live: the same of what is sent.
        exchanges: at which venues orders are placed for real, and how each stands.
        mixed: whether plans of orders and a transaction are carried out for real.
        failures: how many orders in a row each of them refused.
        kelly_ratio: part of the Kelly bet that plans are held to; 0 for none.
        money: whose limits look.
    """

    board: Board
    valuation: Valuation
    positions: Positions
    inventory: Inventory
    is_killed: Callable[[], bool]
    is_ledger_behind: Callable[[], bool]
    shows_killed: Callable[[], bool]
    shows_ledger_behind: Callable[[], bool]
    is_pool_fresh: Callable[[int, int], bool]
    limits: LimitSet
    is_told_ahead: Callable[[int, int], bool] = _never
    schedules: Schedules = field(default_factory=_no_schedules)
    gas: GasBook = field(default_factory=GasBook)
    off: OffList = field(default_factory=OffList)
    switches: Switches = field(default_factory=Switches)
    under_way: PlansUnderWay = field(default_factory=PlansUnderWay)
    order_rate: OrderRate = field(default_factory=OrderRate)
    come_through: ComeThrough = field(default_factory=ComeThrough)
    live: LiveAccount = field(default_factory=LiveAccount)
    exchanges: Exchanges = field(default_factory=Exchanges)
    mixed: MixedGate = field(default_factory=MixedGate)
    failures: VenueFailures = field(default_factory=VenueFailures)
    kelly_ratio: Decimal = Decimal(0)
    money: Money = Money.PAPER

    def of(self, money: Money) -> "Circumstances":
        """Return them as limits of plans with this money see them: no other counts there."""
        if money is Money.PAPER:
            return self
        live = self.live
        return replace(
            self,
            positions=live.positions,
            inventory=live.inventory,
            under_way=live.under_way,
            come_through=live.come_through,
            money=Money.LIVE,
        )

    def trades(self, opportunity: Opportunity) -> bool:
        """Say whether the orders of a route are placed for real, as things are now.

        Where there is a transaction beside them it is sent for real then, too.
        """
        if not (self.switches.trades and self.exchanges.enabled):
            return False
        if self.exchanges.takes(hops := opportunity.hops):
            return True
        return pool_run(hops) is not None and not self.why_not_mixed(hops)

    def why_not_mixed(self, hops: Sequence[Hop]) -> str:
        """Say why a route of orders and a transaction is not traded for real; empty if it is."""
        return self.mixed.why_not(hops, self.switches, self.exchanges)

    @property
    def mixed_shut(self) -> str:
        """Why none of these is traded for real in this run; empty if some are in mode live."""
        return self.mixed.why_never(self.switches, self.exchanges)

    def account(self, money: Money) -> Account:
        """Return the books of a kind of money."""
        if money is Money.LIVE:
            return self.live
        return Account(
            positions=self.positions,
            inventory=self.inventory,
            under_way=self.under_way,
            come_through=self.come_through,
        )

    @property
    def advice(self) -> AdviceBook:
        """What background work advises: by it a decision may only refuse more."""
        return self.schedules.advice
