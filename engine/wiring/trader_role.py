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
from engine.bus.venue_signing import RehearseTogether, SignCalls, SignTogether
from engine.domain.errors import BadValueError, TransientError
from engine.domain.instruments import VenueId
from engine.domain.modes import SENT_ON, Basis
from engine.domain.orders_told import VenueMatter
from engine.domain.signing import SignRefusal
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.gateways.gateway_list import gateway_of
from engine.gateways.venue_signing import PlanIntent, PlanSigned, VenueIntent, VenueSigned
from engine.operate.beside import running_beside
from engine.operate.clock import Clock, make_clock
from engine.operate.kill_latch import EngineLatches
from engine.operate.running_role import running_role
from engine.operate.short_slice import ask_for_short_slices
from engine.requests.request_list import requests_of
from engine.settings.schema import Settings
from engine.trading.ahead import Signing
from engine.trading.answers import AtVenue, TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.connections import Connections
from engine.trading.wire import open_client
from engine.wiring.bus import caller_to
from engine.wiring.for_ledger import ForLedger
from engine.wiring.markets import basis_of
from engine.wiring.paths import Paths
from engine.wiring.trader_transfers import made_transfers
from engine.wiring.trader_venues import Around, made, venue_urls

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5
KILL_LOOK_S: Final = 0.2
CANCEL_AGAIN_S: Final = 5.0
PRUNE_S: Final = 600.0
TIDY_S: Final = 1.0
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
    signer = SocketCaller(paths.socket("signer"), role="signer")
    ledger = caller_to(paths, "ledger")
    async with running_role() as role:
        if refused := ask_for_short_slices():
            log.info("slices of processor time are the system's: %s", refused)
        clock = make_clock()
        troubles = Troubles(ledger, basis=SENT_ON[basis_of(settings)], clock=clock)
        try:
            with held_lease(paths.lease("trader"), what="trader") as lease:
                async with (
                    open_trader(
                        settings,
                        paths,
                        signer,
                        clock=clock,
                        tell=troubles.tell,
                        keep_notice=troubles.keep,
                    ) as answers,
                    open_server(
                        paths.socket("trader"),
                        requests_of("trader"),
                        answers,
                        on_fatal=role.on_fatal,
                    ),
                ):
                    await role.until_stopped(keep(lease, every_s=LEASE_LOOK_S), troubles.run())
        finally:
            await signer.aclose()
            await ledger.aclose()


@contextlib.asynccontextmanager
async def open_trader(
    settings: Settings,
    paths: Paths,
    signer: Caller,
    *,
    clock: Clock,
    tell: Callable[[str, VenueMatter, str], None],
    keep_notice: Callable[[NoticeRecord], None] = lambda _record: None,
) -> AsyncIterator[TraderAnswers]:
    """Place what is handed over until the block ends.

    Args:
        settings: of the installation.
        paths: of the installation.
        signer: who signs.
        clock: the wall clock.
        tell: tells a person of a venue.
        keep_notice: has the ledger keep what else is told.

    Raises:
        FatalError: the table cannot be used.
        TransientError: the sandbox has not announced itself, or another process trades.
    """
    book = OrderBook(paths.trader / TABLE)
    book.allocate()
    killed = Killed(paths)
    venues: dict[VenueId, AtVenue] = {}
    signing = Signing(
        sign=partial(signed_together, signer), rehearse=partial(rehearsed_together, signer)
    )
    answers = TraderAnswers(
        book, venues, basis=SENT_ON[basis_of(settings)], killed=killed.why, signing=signing
    )
    around = Around(settings=settings, book=book, answers=answers, clock=clock)
    try:
        async with contextlib.AsyncExitStack() as stack:
            streams = []
            stack.push_async_callback(signing.aclose)
            for name, urls in venue_urls(settings, paths).items():
                client = await stack.enter_async_context(open_client(urls.proxy))
                connections = Connections(urls.rest, proxy=urls.proxy)
                stack.push_async_callback(connections.aclose)
                at, stream = made(
                    gateway_of(name),
                    urls,
                    around,
                    connections=connections,
                    client=client,
                    sign=partial(signed_by, signer),
                    warn=partial(tell, name),
                )
                venues[at.standing.venue] = at
                streams.append(stream)
            transfers = made_transfers(
                settings,
                book,
                answers,
                venues,
                basis=SENT_ON[basis_of(settings)],
                clock=clock,
                killed=killed.why,
                keep=keep_notice,
            )
            run = await stack.enter_async_context(running_beside())
            if transfers is not None:
                run(transfers.run())
            run(killed.watch(answers), tidied(book, answers, clock))
            run(*(at.work.run() for at in venues.values()))
            run(*(at.check.run() for at in venues.values()))
            run(*(stream.run() for stream in streams))
            yield answers
    finally:
        book.close()


async def tidied(book: OrderBook, answers: TraderAnswers, clock: Clock) -> None:
    """Keep the table small and its log short, while no order is followed; cancel to stop."""
    prune_s = 0.0
    while True:
        await asyncio.sleep(TIDY_S)
        if answers.engines():
            continue
        book.tidy()
        now_s = asyncio.get_running_loop().time()
        if now_s >= prune_s and not book.prune(clock() // NS_PER_MS):
            prune_s = now_s + PRUNE_S


async def signed_by(signer: Caller, intent: VenueIntent) -> VenueSigned | SignRefusal:
    """Ask the signer; see `trading.line.Sign`."""
    try:
        return await signer.call(SignCalls(intent=intent), timeout_s=SIGN_S)
    except BadValueError as error:
        raise TransientError(f"the signer does not understand it: {error}") from error


async def signed_together(signer: Caller, intent: PlanIntent) -> PlanSigned | SignRefusal:
    """Ask the signer for all orders that leave together; see `trading.ahead.SignTogether`."""
    try:
        return await signer.call(SignTogether(intent=intent), timeout_s=SIGN_S)
    except BadValueError as error:
        raise TransientError(f"the signer does not understand it: {error}") from error


async def rehearsed_together(signer: Caller, intent: PlanIntent) -> None:
    """Have the signer go through orders; see `trading.ahead.RehearseTogether`."""
    await signer.call(RehearseTogether(intent=intent), timeout_s=SIGN_S)


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
        self.keep = self._records.store_later

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
