"""What joins an engine with the role that places orders, where orders are placed at all.

Several engines of an installation have one account at a venue between them. One of them trades, and
has a lease of that: two would each take the other's fills for money that somebody brought or took.
"""

import logging
from asyncio import TaskGroup
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Final

from engine.bus.lease import HeldByAnotherError, Lease, held_lease, keep
from engine.bus.records import IntentRecord
from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import SettingsError
from engine.domain.instruments import VenueId
from engine.domain.plans import LeggedPlan, MixedPlan, is_live
from engine.execute.plan_executor import NO_TRADER, Trader
from engine.operate.clock import Clock
from engine.operate.clock_watch import ClockWatch
from engine.operate.hot_path import HotPath
from engine.operate.order_handing import OrderHanding
from engine.settings.schema import Settings
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.live_sending import told_to
from engine.wiring.paths import Paths

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
OF_ANOTHER: Final = (
    "the accounts at exchanges are another engine's (process {process}): of several engines one"
    " trades, as each would take the other's fills for its own; stop that one, then start this one"
    " again"
)


@contextmanager
def open_live_trading(
    settings: Settings, paths: Paths, ledger: Caller, now_ns: Clock
) -> Iterator["LiveTrading"]:
    """Join with the role that places orders, as the one engine that does, until the block ends.

    Raises:
        FatalError: the lease of the accounts cannot be used.
    """
    with ExitStack() as stack:
        lease, holder = None, ""
        if traded_venues(settings):
            try:
                lease = stack.enter_context(held_lease(paths.lease("accounts"), what="engine"))
            except HeldByAnotherError as error:
                holder = error.holder
        yield LiveTrading(settings, paths, ledger, now_ns, lease=lease, holder=holder)


class LiveTrading:
    """The way to whoever places orders, and back.

    Args:
        lease: of the accounts; None where nothing may be placed by this engine.
        holder: process of the engine that has it in its place.

    Attributes:
        trader: what an executor hands orders to.
        trader_role: answers what it shows; None where there is none.
        venues: at which orders are placed by this engine, and the most in USD at risk at each.
        of_another: says which engine trades in this one's place; empty if none does.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        ledger: Caller,
        now_ns: Clock,
        *,
        lease: Lease | None,
        holder: str = "",
    ) -> None:
        self.of_another = OF_ANOTHER.format(process=holder) if holder else ""
        self._now_ns = now_ns
        self._lease = lease
        self._handing: OrderHanding | None = None
        self.trader_role: Caller | None = None
        self.venues: dict[VenueId, Decimal] = {}
        if lease is not None:
            self.venues = traded_venues(settings)
            caller = SocketCaller(paths.socket("trader"), role="trader")
            self._handing = OrderHanding(caller, ledger, engine=settings.engine.id, now_ns=now_ns)
            self.trader_role = caller
        self.trader: Trader = self._handing or NO_TRADER

    def join(self, hot_path: HotPath, watch: ClockWatch) -> None:
        """Let news become inputs."""
        if self._handing is not None:
            self._handing.take_told = told_to(hot_path, watch, self._now_ns)
            self._handing.see = told_to(hot_path, watch, self._now_ns)
            self._handing.is_known = hot_path.knows_transaction

    def rehearse(self, record: IntentRecord) -> None:
        """Say which orders may be handed over in a moment; of a plan on paper none may."""
        plan = record.intent.plan
        if self._handing is not None and is_live(plan) and isinstance(plan, LeggedPlan | MixedPlan):
            self._handing.rehearse(plan, record.intent.orders)

    async def run(self) -> None:
        """Hand over and listen until cancelled; raises `SupersededError` if the lease is lost."""
        if self._handing is not None and self._lease is not None:
            async with TaskGroup() as tasks:
                tasks.create_task(self._handing.run())
                tasks.create_task(keep(self._lease, every_s=LEASE_LOOK_S))


def traded_venues(settings: Settings) -> dict[VenueId, Decimal]:
    """Return at which venues orders are placed for real, and the most in USD at risk at each.

    What the settings say wrongly of that is said by whoever signs; nothing is traded by it.
    """
    try:
        terms = exchange_terms(settings)
    except SettingsError as error:
        log.warning("no orders are placed: %s", error)
        return {}
    watched = settings.markets.venues
    return {VenueId(one): terms.exposure_usd[one] for one in terms.venues if one in watched}
