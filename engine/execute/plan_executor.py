"""What carries the plans of one type out, together with all that it speaks to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from engine.decide.order_rate import OrderRate
from engine.detect.graph.moved_pair import KnownPool
from engine.domain.assets import AssetCode
from engine.domain.handed import PoolTerms
from engine.domain.orders import Intent, Order, Transaction
from engine.domain.plans import LeggedPlan, MixedPlan, OnChain, Plan
from engine.execute.chain_sight import NO_CHAINS, ChainSight
from engine.execute.executor import Send
from engine.execute.fill import PaperVenue
from engine.execute.finished import Finished
from engine.execute.late_fills import NONE_LATE, LateFills
from engine.execute.latency import LatencyModel
from engine.execute.order_life import News
from engine.execute.unwinding import UnwindRules
from engine.portfolio.costs import Costs
from engine.portfolio.taken_pools import TakenPools

Intend = Callable[[Intent], None]
"""Keeps an intent, before any of it leaves."""

VOID: Final = "void at restart"
"""Why an execution counts nothing whose plan was under way when its engine ended."""


class PlanExecutor(Protocol):
    """One executor of a run: a machine (see `executor.Executor`) and its line to the venues.

    Attributes:
        takes: the type of its plans.
        is_live: whether it takes those that are carried out for real.
        next_at_ns: instant of the next event; `advance` does nothing before it.
        waiting: orders that are to leave once their intent is durable, and since when they wait.
    """

    takes: type[Any]
    is_live: bool
    next_at_ns: int
    waiting: dict[str, int]

    def start(self, plan: Any, at_ns: int) -> None:
        """Take a plan on."""
        ...

    def recover(self, intent: Intent, at_ns: int) -> None:
        """Take a plan over that was under way when its engine ended; the next advance ends it."""
        ...

    def stored(self, client_order_id: str, at_ns: int) -> None:
        """Learn that the intent of an order of its own is durable."""
        ...

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan of its own."""
        ...

    def on_news(self, news: News, at_ns: int) -> None:
        """Learn something of an order, late or not; what ends by it the next `advance` says."""
        ...

    def advance(self, at_ns: int) -> Sequence[Finished]:
        """Let everything happen that is due up to `at_ns`, in order; return what ended."""
        ...


class Sender(Protocol):
    """The way to whoever signs and sends; it never waits, and keeps trying by itself."""

    def hand_over(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
        *,
        until_ns: int = 0,
    ) -> None:
        """Hand a plan over, whose intent is durable, with the terms that a person approved.

        `until_ns` is the last instant at which it may leave (wall clock); 0 for the plan's own.
        """
        ...

    def prepare(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
    ) -> None:
        """Say which plan may be handed over once its intent is durable; nothing leaves by it."""
        ...

    def ask_after(self, client_order_id: str) -> None:
        """Ask what became of a plan; one that never came is not carried out from then on."""
        ...


class NoSender:
    """Sends nothing: in a replay what became of transactions is among the inputs."""

    def hand_over(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
        *,
        until_ns: int = 0,
    ) -> None:
        """See `Sender.hand_over`."""

    def prepare(
        self,
        plan: OnChain,
        transaction: Transaction,
        pools: Sequence[PoolTerms],
        approved: OnChain | None = None,
    ) -> None:
        """See `Sender.prepare`."""

    def ask_after(self, client_order_id: str) -> None:
        """See `Sender.ask_after`."""


NO_SENDER: Final = NoSender()


class Trader(Protocol):
    """The way to whoever signs and places orders; it never waits, and keeps trying by itself."""

    def hand_over(
        self,
        plan: LeggedPlan | MixedPlan,
        sends: Sequence[Send],
        approved: LeggedPlan | MixedPlan | None = None,
    ) -> None:
        """Hand over together what is durable of a plan, with the terms that a person approved."""
        ...

    def ask_after(self, order: Order) -> None:
        """Ask what became of an order; one that never came is not placed from then on."""
        ...


class NoTrader:
    """Places nothing: in a replay what became of orders is among the inputs."""

    def hand_over(
        self,
        plan: LeggedPlan | MixedPlan,
        sends: Sequence[Send],
        approved: LeggedPlan | MixedPlan | None = None,
    ) -> None:
        """See `Trader.hand_over`."""

    def ask_after(self, order: Order) -> None:
        """See `Trader.ask_after`."""


NO_TRADER: Final = NoTrader()


def no_terms(_plan: Plan) -> Plan | None:
    """Say that no person was asked."""
    return None


def no_price(_asset: AssetCode, _at_ns: int) -> Decimal | None:
    """Say that an asset has no price."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What executors are made of.

    Attributes:
        is_killed: asked before each send; the look is recorded with the run.
        intend: keeps what is about to be sent.
        terms_of: the terms that a plan is carried out by, where a person approved it.
        waits_for_intents: whether `stored` is told when that is durable; if not, it is at once.
        permit_refusal: says why a plan may not be carried out, nothing if it may.
        chains: what transactions may know of their chains.
        late_fills: which orders have fills that are told late.
        sender: the way to whoever signs and sends; to nobody in a replay, and where nothing is.
        trader: the same to whoever places orders.
        usd_per: value of one unit of an asset in USD at a time, None without a price.
    """

    venue: PaperVenue
    costs: Costs
    latency: LatencyModel
    rules: UnwindRules
    order_rate: OrderRate
    pools: Mapping[int, KnownPool]
    taken_pools: TakenPools
    is_killed: Callable[[], bool]
    intend: Intend
    permit_refusal: Callable[[Plan, int], str]
    terms_of: Callable[[Plan], Plan | None] = no_terms
    waits_for_intents: bool = False
    chains: ChainSight = NO_CHAINS
    late_fills: LateFills = NONE_LATE
    sender: Sender = NO_SENDER
    trader: Trader = NO_TRADER
    usd_per: Callable[[AssetCode, int], Decimal | None] = no_price
