"""What joins an engine with the role that places orders, where orders are placed at all.

Several engines of an installation have one account at a venue between them. One of them trades, and
has a lease of that: two would each take the other's fills for money that somebody brought or took.
"""

from asyncio import TaskGroup
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import partial
from typing import Final

from engine.bus.lease import HeldByAnotherError, Lease, held_lease, keep
from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller
from engine.domain.instruments import VenueId
from engine.execute.plan_executor import NO_TRADER, Trader
from engine.operate.clock import Clock
from engine.operate.clock_watch import ClockWatch
from engine.operate.hot_path import HotPath
from engine.operate.order_handing import OrderHanding
from engine.settings.schema import Settings, environment_name
from engine.wiring.live_sending import told_to
from engine.wiring.paths import Paths

LEASE_LOOK_S: Final = 0.5
OF_ANOTHER: Final = (
    "the accounts at exchanges are another engine's (process {process}): of several engines one"
    " trades, as each would take the other's fills for its own; stop that one, then start this one"
    " again"
)
SANDBOX_USD: Final = Decimal(25_000)
"""The most at risk at one of the sandbox's exchanges where the settings say nothing."""


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
        why_not: says what is missing for orders in the mode live; empty if nothing is.
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
        self.why_not: Callable[[], str] = partial(why_not_traded, settings)
        if holder:
            self.why_not = lambda: OF_ANOTHER.format(process=holder)
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

    async def run(self) -> None:
        """Hand over and listen until cancelled; raises `SupersededError` if the lease is lost."""
        if self._handing is not None and self._lease is not None:
            async with TaskGroup() as tasks:
                tasks.create_task(self._handing.run())
                tasks.create_task(keep(self._lease, every_s=LEASE_LOOK_S))


def traded_venues(settings: Settings) -> dict[VenueId, Decimal]:
    """Return at which venues orders are placed for real, and the most in USD at risk at each."""
    own = settings.exchanges
    if own.trades == "off":
        return {}
    is_sandbox = own.trades == "sandbox"
    names = own.venues or (settings.markets.venues if is_sandbox else [])
    unsaid = SANDBOX_USD if is_sandbox else Decimal(0)
    return {
        VenueId(name): own.exposure_usd.get(name, unsaid)
        for name in names
        if name in settings.markets.venues
    }


def why_not_traded(settings: Settings) -> str:
    """Say what is missing for orders to be placed; empty if nothing is."""
    name = environment_name("exchanges", "trades")
    if settings.exchanges.trades == "off":
        return f"orders at books are on paper: {name} is off"
    if not traded_venues(settings):
        return "none of the venues that are watched may be traded at: see exchanges.venues"
    return ""
