"""Venues of the sandbox in their own dialects over a bad network, and a trader that is ended.

All that is real takes part but sockets and the signer's process: table, desks, lines, comparisons,
signatures, the doors that verify and answer them. Time is virtual. The signer is one that keeps to
the signer's rule: an order is signed once under its id, and again only where that is harmless.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.connectors.limiter import Limiter
from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate, OrderNews, VenueMatter
from engine.domain.signing import RefusalKind, SignRefusal
from engine.gateways.asks import HoldOffAsk, PlaceAsk, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.venue_signing import PlanIntent, PlanSigned, VenueIntent, VenueSigned
from engine.ports import RequestBudget
from engine.trading.ahead import Signing
from engine.trading.answers import AtVenue, TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.checking import VenueCheck
from engine.trading.desk import VenueDesk
from engine.trading.line import Line
from engine.trading.standing import Standing
from engine.trading.venue_work import VenueWork
from engine.trading.wire import Reply, Wire
from tests.sandbox.exchange.place import BEGIN_MS, Place, asked_of, place_of
from tests.simulation.virtual_time import VirtualLoop, virtual_loop
from tests.trading.orders import ENGINE, NS_PER_MS, handed

ANSWER_S = 8.0
LOG_BYTES = 64 * 1024
BURST = 1_000.0
"""So much may be asked of a venue at once."""
TROUBLE_S = 600.0
"""For so long the way is bad; afterwards everything has to come to its end."""
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class EndedError(BaseException):
    """The process is gone: nothing catches this but the test."""


@dataclass
class Network:
    """The way to the venues and back.

    Attributes:
        trouble: how likely each kind of trouble is, 0 for none.
        creates: how often an order reached its venue, by the wire's id.
    """

    rng: random.Random
    trouble: float = 0.0
    happened: Counter[str] = field(default_factory=Counter)
    creates: Counter[str] = field(default_factory=Counter)
    in_flight: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def is_bad(self, share: float = 1.0) -> bool:
        is_over = virtual_loop().now_s > TROUBLE_S
        return not is_over and self.rng.random() < self.trouble * share

    def delay_s(self, most_s: float) -> float:
        return (
            self.rng.uniform(0.001, most_s) if self.is_bad(0.5) else self.rng.uniform(0.001, 0.06)
        )


class DoorWire:
    """Obeys `Wire`: a door of a venue of the sandbox, reached over the network."""

    def __init__(self, world: "World", at: Place) -> None:
        self._world = world
        self._at = at
        self._place_path = at.gateway.place(handed(venue=at.venue).request).path

    def rehearse(self, call: Call) -> None:
        """See `Wire.rehearse`."""

    async def send(self, call: SignedCall) -> Reply | str:
        network = self._world.network
        world, is_placing = self._world, call.target.partition("?")[0] == self._place_path
        if is_placing and world.lose_requests:
            world.lose_requests -= 1
            await asyncio.sleep(ANSWER_S)
            return "no answer"
        if network.is_bad(0.3):
            network.happened["request lost"] += 1
            await asyncio.sleep(ANSWER_S)
            return "no answer"
        there = asyncio.get_running_loop().create_task(self._arrive(call))
        self._world.in_flight.add(there)
        there.add_done_callback(self._world.in_flight.discard)
        try:
            async with asyncio.timeout(ANSWER_S):
                reply = await asyncio.shield(there)
                if is_placing and world.lose_answers:
                    world.lose_answers -= 1
                    await asyncio.sleep(ANSWER_S)
                if network.is_bad(0.4):
                    network.happened["answer lost"] += 1
                    await asyncio.sleep(ANSWER_S)
                await asyncio.sleep(network.delay_s(3.0))
        except TimeoutError:
            return "no answer"
        if network.is_bad(0.15):
            network.happened["a proxy's page"] += 1
            return Reply(network.rng.choice((502, 503, 403)), PAGE)
        if network.is_bad(0.15):
            network.happened["answer cut"] += 1
            return Reply(reply.status, reply.body[: len(reply.body) // 2])
        return reply

    async def _arrive(self, call: SignedCall) -> Reply:
        """Come to the venue, even if whoever sent it is gone by then."""
        network = self._world.network
        late_s = self._at.gateway.rules.late_ms_max / 1_000
        await asyncio.sleep(network.delay_s(min(late_s * 1.5, 30.0)))
        asked = asked_of(call)
        before = len(self._at.exchange.orders)
        answer = self._at.door.answer(asked, self._world.wall_ms())
        for order in self._at.exchange.orders[before:]:
            network.creates[order.ordered.client_id] += 1
        return Reply(answer.status, answer.body)


@dataclass
class World:
    """Venues, a signer, and the trader's lives one after the other.

    Attributes:
        matters: what persons were told.
        asked: of the signer, by kind.
        late_share: so often what is asked for together is signed after it was taken on.
        signing: is called when an order is signed.
        lose_requests, lose_answers: of the next placings so many.
        crash: is told of each boundary; raises `EndedError` to end the process.
    """

    path: Path
    venues: dict[str, Place]
    network: Network
    crash: Callable[[str], None] = lambda _where: None
    signed: dict[str, bytes] = field(default_factory=dict)
    matters: list[tuple[VenueMatter, str]] = field(default_factory=list)
    in_flight: set[asyncio.Task[Reply]] = field(default_factory=set)
    answers: TraderAnswers | None = None
    book: OrderBook | None = None
    at: dict[VenueId, AtVenue] = field(default_factory=dict)
    killed: str = ""
    signer_away: bool = False
    asked: Counter[str] = field(default_factory=Counter)
    late_share: float = 0.5
    signing: Callable[[], None] = lambda: None
    refuses: dict[str, str] = field(default_factory=dict)
    lose_requests: int = 0
    lose_answers: int = 0
    rehearsals: list[str] = field(default_factory=list)
    limiters: list[Limiter] = field(default_factory=list)

    def now_ms(self) -> int:
        return int(virtual_loop().now_s * 1_000) + 1_000

    def wall_ms(self) -> int:
        return BEGIN_MS + int(virtual_loop().now_s * 1_000)

    def wall_ns(self) -> int:
        return self.wall_ms() * NS_PER_MS

    async def sign(self, intent: VenueIntent) -> VenueSigned | SignRefusal:
        """Sign as the signer does."""
        await asyncio.sleep(0.001)
        if self.signer_away:
            raise TransientError("the signer is away")
        self.asked["alone"] += isinstance(intent.ask, PlaceAsk)
        return self._why_not_signed(intent) or self._signed(intent)

    async def sign_together(self, intent: PlanIntent) -> PlanSigned | SignRefusal:
        """Sign all orders that leave together, or none, as the signer does: soon, or at once."""
        self.asked["together"] += 1
        if self.network.rng.random() < self.late_share:
            await asyncio.sleep(0.001)
        if self.signer_away:
            raise TransientError("the signer is away")
        intents = intent.intents()
        why_not = next(filter(None, map(self._why_not_signed, intents)), None)
        return why_not or PlanSigned(orders=tuple(map(self._signed, intents)))

    def _why_not_signed(self, intent: VenueIntent) -> SignRefusal | None:
        name, rules = intent.client_order_id, self.venues[intent.venue].gateway.rules
        if not isinstance(intent.ask, PlaceAsk):
            return None
        if name in self.refuses:
            return SignRefusal(kind=RefusalKind.CAP, detail=self.refuses[name])
        if name in self.signed and not rules.is_replay_harmless:
            return SignRefusal(kind=RefusalKind.NONCE, detail="it was signed before")
        return None

    def _signed(self, intent: VenueIntent) -> VenueSigned:
        at = self.venues[intent.venue]
        if isinstance(intent.ask, HoldOffAsk):
            self.asked["hold_off"] += 1
        if isinstance(intent.ask, PlaceAsk):
            self.signed[intent.client_order_id] = b""
            self.signing()
        signed = []
        for call in calls_of(intent.ask, at.gateway):
            at.nonce += 1
            signed.append(at.auth.sign(call, now_ms=self.wall_ms(), nonce=at.nonce))
        return VenueSigned(calls=tuple(signed), signed_at_ms=self.wall_ms())

    def wire(self, place: Place) -> Wire:
        """Return the way to a venue."""
        return DoorWire(self, place)

    async def rehearsed(self, intent: PlanIntent) -> None:
        """Note what the signer was to be ready for."""
        self.rehearsals += [one.client_order_id for one in intent.orders]

    def begin(self) -> TraderAnswers:
        """Begin a life of the trader on what is on disk."""
        self.book = OrderBook(self.path, crash=self.crash)
        self.book.allocate(LOG_BYTES)
        self.at, self.limiters = {}, []
        self.answers = TraderAnswers(
            self.book,
            self.at,
            basis=Basis.SANDBOX_LIVE,
            killed=lambda _engine: self.killed,
            signing=Signing(sign=self.sign_together, rehearse=self.rehearsed, crash=self.crash),
        )
        for name, place in self.venues.items():
            self.at[VenueId(name)] = self._at_venue(place, self.answers)
        return self.answers

    def _at_venue(self, place: Place, answers: TraderAnswers) -> AtVenue:
        assert self.book is not None
        gateway = place.gateway
        limiter = Limiter(
            RequestBudget(weight_per_s=1_000.0, weight_burst=BURST), now_ns=self.wall_ns
        )
        self.limiters.append(limiter)
        line = Line(
            gateway,
            self.wire(place),
            self.sign,
            engine=ENGINE,
            limiter=limiter,
            order_limiter=limiter,
            now_ms=self.now_ms,
        )
        standing = Standing(venue=gateway.venue)

        def warn(matter: VenueMatter, sentence: str) -> None:
            self.matters.append((matter, sentence))

        desk = VenueDesk(
            venue=gateway.venue,
            rules=gateway.rules,
            book=self.book,
            now_ms=self.now_ms,
            wall_ns=self.wall_ns,
            warn=warn,
            told=answers.told.set,
        )
        work = VenueWork(
            desk=desk,
            line=line,
            why_not=answers.why_not,
            stopped=standing.stopped,
            crash=self.crash,
        )
        check = VenueCheck(
            desk=desk,
            work=work,
            book=self.book,
            standing=standing,
            engine_id=ENGINE,
            is_vouched=True,
            warn=warn,
        )
        return AtVenue(work=work, check=check, standing=standing)

    async def live(self, during: Callable[["World"], Coroutine[Any, Any, None]]) -> None:
        """Live one life, until `during` ends or the process is ended."""
        self.begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(one.work.run()) for one in self.at.values()]
                running += [tasks.create_task(one.check.run()) for one in self.at.values()]
                await during(self)
                for task in running:
                    task.cancel()
        finally:
            assert self.book is not None
            self.book.close()

    async def until(self, is_so: Callable[[], bool], *, most_s: float = 1_800.0) -> None:
        """Let virtual time pass until something is so."""
        for _ in range(int(most_s * 20)):
            if is_so():
                return
            await asyncio.sleep(0.05)
        state = [
            (one.why_not, [(f.kept, f.proof) for f in one.work.desk.followed.values()])
            for one in self.at.values()
        ]
        raise AssertionError(f"it never came to that: {state}")

    def is_open_for_orders(self) -> bool:
        """Say whether each venue takes orders on."""
        return all(not one.why_not for one in self.at.values())

    def is_over(self, orders: Iterable[HandedOrder]) -> bool:
        """Say whether the ends of orders are told and nothing is followed any more."""
        assert self.book is not None
        news = [self.last(one) for one in orders]
        is_told = all(one is not None and one.fate.is_final for one in news)
        return is_told and not any(one.work.desk.followed for one in self.at.values())

    def last(self, handed: HandedOrder) -> OrderNews | None:
        """Return what was told of an order last."""
        assert self.book is not None
        told = self.book.told_of(handed.client_order_id)
        return None if told is None else told.news

    def judge(self, orders: Iterable[HandedOrder]) -> list[str]:
        """Compare what was told with what is true at the venues."""
        assert self.book is not None
        wrong = []
        for one in orders:
            exchange, news = self.venues[one.venue].exchange, self.last(one)
            ours = exchange.by_client_id(one.request.wire_id)
            fills = [fill for order in ours for fill in order.fills]
            if len(ours) > 1:
                wrong.append(f"{one.client_order_id} was made {len(ours)} times")
            if news is None or not news.fate.is_final:
                wrong.append(f"{one.client_order_id} has no end: {news}")
                continue
            is_none = news.fate in (OrderFate.NEVER, OrderFate.REFUSED)
            if is_none == bool(ours):
                wrong.append(f"{one.client_order_id} is told as {news.fate}, made {len(ours)}")
            true = sorted((fill.size, fill.price, fill.fee, fill.fee_asset) for fill in fills)
            told = sorted((f.size_base, f.price, f.fee, str(f.fee_asset)) for f in news.fills)
            if true != told:
                wrong.append(f"{one.client_order_id} was filled {true}, told {told}")
            if any(order.state == "open" for order in ours):
                wrong.append(f"{one.client_order_id} still rests")
        return wrong

    def differs(self) -> list[str]:
        """Compare what is expected of each account with what there is."""
        assert self.book is not None
        wrong = []
        for name, place in self.venues.items():
            expected = self.book.mark(VenueId(name)).expected
            true = {
                asset: one.free + one.held
                for asset, one in place.exchange.balances.items()
                if one.free + one.held
            }
            if expected is not None and expected != true:
                wrong.append(f"{name} has {true}, expected is {expected}")
        return wrong


def make_world(path: Path, *venues: str, seed: int = 0, trouble: float = 0.0) -> World:
    """Make one with an account at each venue."""
    return World(
        path=path,
        venues={name: place_of(name) for name in venues},
        network=Network(rng=random.Random(seed), trouble=trouble),
    )


def in_virtual_time(what: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(what())


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, start=Decimal(0))
