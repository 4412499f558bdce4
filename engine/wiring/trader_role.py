"""The role `trader`: from orders that are handed over to their proven ends, for each venue.

It holds no key: what it sends is signed by the signer, which looks at it of its own accord. It runs
only where orders may be placed.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

from engine.bus.lease import held_lease, keep
from engine.bus.notices import VenueTrouble
from engine.bus.records import NoticeRecord
from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller, open_server
from engine.bus.venue_signing import SignCalls
from engine.connectors.limiter import Limiter
from engine.connectors.specs import spec_of
from engine.domain.errors import (
    BadValueError,
    FatalError,
    SettingsError,
    SyndicateError,
    TransientError,
    worst_of,
)
from engine.domain.instruments import VenueId
from engine.domain.modes import SENT_ON, Basis
from engine.domain.orders_told import VenueMatter
from engine.domain.signing import SignRefusal
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.gateways.answers import Stop
from engine.gateways.gateway_list import GATEWAYS, gateway_of
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.operate.clock import ELAPSED_NS, Clock, make_clock
from engine.operate.kill_latch import EngineLatches
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.operate.role_words import announce_ready
from engine.ports import RequestBudget
from engine.requests.request_list import requests_of
from engine.settings.schema import Settings, environment_name
from engine.trading.answers import AtVenue, TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.checking import VenueCheck
from engine.trading.desk import VenueDesk
from engine.trading.line import Line
from engine.trading.standing import Standing
from engine.trading.venue_work import VenueWork
from engine.trading.wire import HttpWire, open_client
from engine.wiring.bus import caller_to
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.for_ledger import ForLedger
from engine.wiring.markets import basis_of, read_announcement
from engine.wiring.paths import Paths

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
KILL_LOOK_S: Final = 0.2
CANCEL_AGAIN_S: Final = 5.0
SIGN_S: Final = 3.0
AGAIN_NS: Final = 60 * NS_PER_S
SAME_CHARACTERS: Final = 60
SHOWN_CHARACTERS: Final = 300
BEGINNINGS_MAX: Final = 500
TABLE: Final = "orders.sqlite3"


async def run_trader(settings: Settings, paths: Paths) -> None:
    """Place orders as a process of its own until told to stop.

    Raises:
        SettingsError: no order may be placed here.
        FatalError: the table of orders cannot be used, or another process trades.
        TransientError: the sandbox has not announced itself.
    """
    broken: list[FatalError] = []
    signer = SocketCaller(paths.socket("signer"), role="signer")
    ledger = caller_to(paths, "ledger")
    async with stop_signals(ignores_interrupt=True) as stop:

        def on_fatal(error: FatalError) -> None:
            broken.append(error)
            stop.set()

        clock = make_clock()
        troubles = Troubles(ledger, basis=SENT_ON[basis_of(settings)], clock=clock)
        try:
            with held_lease(paths.lease("trader"), what="trader") as lease:
                async with (
                    open_trader(
                        settings, paths, signer, clock=clock, tell=troubles.tell
                    ) as answers,
                    open_server(
                        paths.socket("trader"), requests_of("trader"), answers, on_fatal=on_fatal
                    ),
                    asyncio.TaskGroup() as tasks,
                ):
                    running = [
                        tasks.create_task(keep(lease, every_s=LEASE_LOOK_S)),
                        tasks.create_task(troubles.run()),
                    ]
                    keep_what_is_loaded()
                    announce_ready()
                    await stop.wait()
                    for task in running:
                        task.cancel()
        finally:
            await signer.aclose()
            await ledger.aclose()
    if broken:
        raise broken[0]


@contextlib.asynccontextmanager
async def open_trader(
    settings: Settings,
    paths: Paths,
    signer: Caller,
    *,
    clock: Clock,
    tell: Callable[[str, VenueMatter, str], None],
) -> AsyncIterator[TraderAnswers]:
    """Place what is handed over until the block ends.

    Args:
        settings: of the installation.
        paths: of the installation.
        signer: who signs.
        clock: the wall clock.
        tell: tells a person of a venue.

    Raises:
        FatalError: the table cannot be used.
        TransientError: the sandbox has not announced itself, or another process trades.
    """
    urls = venue_urls(settings, paths)
    book = OrderBook(paths.trader / TABLE)
    killed = Killed(paths)
    venues: dict[VenueId, AtVenue] = {}
    answers = TraderAnswers(book, venues, basis=SENT_ON[basis_of(settings)], killed=killed.why)
    try:
        async with contextlib.AsyncExitStack() as stack:
            for name, url in urls.items():
                client = await stack.enter_async_context(open_client())
                gateway = gateway_of(name)
                pace = gateway.pace
                limiter = _limiter(pace.weight_per_s, pace.weight_burst, clock)
                line = Line(
                    gateway,
                    HttpWire(client, url, limiter),
                    partial(signed_by, signer),
                    engine=settings.engine.id,
                    limiter=limiter,
                    order_limiter=_limiter(pace.orders_per_s, pace.orders_burst, clock),
                    now_ms=elapsed_ms,
                )
                venues[gateway.venue] = _at_venue(
                    settings, line, book, answers, clock=clock, warn=partial(tell, name)
                )
            tasks = await stack.enter_async_context(_group())
            running = [tasks.create_task(killed.watch(answers))]
            for at in venues.values():
                running.append(tasks.create_task(at.work.run()))
                running.append(tasks.create_task(at.check.run()))
            try:
                yield answers
            finally:
                for task in running:
                    task.cancel()
    finally:
        book.close()


def venue_urls(settings: Settings, paths: Paths) -> dict[str, str]:
    """Return where the accounts of venues are asked at which orders are placed.

    Raises:
        SettingsError: no order may be placed here, or not there.
        TransientError: the sandbox has not announced itself.
    """
    terms = exchange_terms(settings)
    name = environment_name("exchanges", "trades")
    if not terms.venues:
        raise SettingsError(f"{name} is off: no order is placed, and no role is there that could")
    if terms.is_real:
        try:
            return {venue: spec_of(venue).rest_url for venue in terms.venues}
        except BadValueError as error:
            raise SettingsError(str(error)) from error
    urls = read_announcement(paths).rest_urls
    if others := [venue for venue in terms.venues if venue not in urls or venue not in GATEWAYS]:
        raise SettingsError(f"the sandbox has no accounts at {', '.join(others)}")
    return {venue: urls[venue] for venue in terms.venues}


def _at_venue(
    settings: Settings,
    line: Line,
    book: OrderBook,
    answers: TraderAnswers,
    *,
    clock: Clock,
    warn: Callable[[VenueMatter, str], None],
) -> AtVenue:
    gateway = line.gateway
    standing = Standing(venue=gateway.venue)
    desk = VenueDesk(
        venue=gateway.venue,
        rules=gateway.rules,
        book=book,
        now_ms=elapsed_ms,
        wall_ns=clock,
        warn=warn,
        told=answers.told.set,
    )
    work = VenueWork(
        desk=desk, line=line, why_not=answers.why_not, stopped=partial(_stopped, standing, warn)
    )
    own = settings.exchanges
    check = VenueCheck(
        desk=desk,
        work=work,
        book=book,
        standing=standing,
        engine_id=settings.engine.id,
        is_vouched=own.trades == "sandbox" or gateway.venue in own.vouched,
        warn=warn,
    )
    return AtVenue(work=work, check=check, standing=standing)


def _stopped(
    standing: Standing, warn: Callable[[VenueMatter, str], None], stop: Stop, why: str
) -> None:
    if standing.stop is None:
        warn(VenueMatter.STOPPED, f"{standing.venue} takes nothing more ({stop}): {why}")
    standing.stopped(stop, why)


def elapsed_ms() -> int:
    """Return the time by a clock that nobody sets."""
    return ELAPSED_NS() // NS_PER_MS


async def signed_by(signer: Caller, intent: VenueIntent) -> VenueSigned | SignRefusal:
    """Ask the signer; see `trading.line.Sign`."""
    try:
        return await signer.call(SignCalls(intent=intent), timeout_s=SIGN_S)
    except BadValueError as error:
        raise TransientError(f"the signer does not understand it: {error}") from error


def _limiter(per_s: float, burst: float, clock: Clock) -> Limiter:
    return Limiter(RequestBudget(weight_per_s=per_s, weight_burst=burst), now_ns=clock)


@contextlib.asynccontextmanager
async def _group() -> AsyncIterator[asyncio.TaskGroup]:
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except* SyndicateError as group:
        raise worst_of(group) from None


class Killed:
    """Whether an engine is killed, by the latches; what may rest of its orders is cancelled."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._latches: dict[str, EngineLatches] = {}

    def why(self, engine: str) -> str:
        """Say why an engine is killed; empty if it is not."""
        if engine not in self._latches:
            self._latches[engine] = self._paths.of(engine).latches()
        latches = self._latches[engine]
        return f"killed: {latches.why()}" if latches.is_killed() else ""

    async def watch(self, answers: TraderAnswers) -> None:
        """Withhold and cancel what is an engine's while it is killed; cancel to stop.

        Again and again: what is only now shown to rest is cancelled, too.
        """
        asked_s: dict[str, float] = {}
        while True:
            now_s = asyncio.get_running_loop().time()
            for engine in answers.engines():
                if not (why := self.why(engine)):
                    asked_s.pop(engine, None)
                elif now_s - asked_s.get(engine, -math.inf) >= CANCEL_AGAIN_S:
                    asked_s[engine] = now_s
                    answers.cancel_all("", engine, why)
            await asyncio.sleep(KILL_LOOK_S)


class Troubles:
    """What a person has to know of venues, told once a while by its first words."""

    def __init__(self, ledger: Caller, *, basis: Basis, clock: Clock) -> None:
        self._basis = basis
        self._clock = clock
        self._records = ForLedger(ledger, kind="venues", basis=basis, clock=clock)
        self._told_at_ns: dict[str, int] = {}
        self.run = self._records.run

    def tell(self, venue: str, matter: VenueMatter, sentence: str) -> None:
        """Tell a sentence, unless one that begins like it was told just before."""
        log.warning("%s: %s", venue, sentence)
        at_ns = self._clock()
        begins = f"{venue} {matter} {sentence[:SAME_CHARACTERS]}"
        if at_ns - self._told_at_ns.get(begins, 0) < AGAIN_NS:
            return
        if len(self._told_at_ns) >= BEGINNINGS_MAX:
            self._told_at_ns.clear()
        self._told_at_ns[begins] = at_ns
        notice = VenueTrouble(
            at_ns=at_ns,
            basis=self._basis,
            venue=venue,
            what=sentence[:SHOWN_CHARACTERS],
            matter=matter,
        )
        self._records.store_later(NoticeRecord(record_id=f"venue-{venue}-{at_ns}", notice=notice))
