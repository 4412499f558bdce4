"""A life of trader and signer in a process of its own: orders to their ends, or to its kill.

Real files with their syncs, the real signer's desk and journal, and a socket to the venues. Time is
virtual and goes on where the life before ended; so a proof that takes minutes is waited for.
"""

import asyncio
import functools
import itertools
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from engine.domain.opportunities import Side
from engine.domain.orders_handed import HandedOrder
from engine.domain.plans import LeggedPlan
from engine.domain.signing import SignRefusal
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway_list import GATEWAYS
from engine.gateways.venue_signing import PlanIntent, PlanSigned, VenueIntent, VenueSigned
from engine.trading.wire import Reply, Wire
from tests.sandbox.exchange.place import BEGIN_MS, Place, place_of
from tests.signing.venue_intents import Signer
from tests.simulation.virtual_time import virtual_loop
from tests.trading.killed.books import (
    HeldLedger,
    booking,
    intend,
    load_books,
    open_held_ledger,
)
from tests.trading.killed.trial import JOURNAL, LEDGER, ORDERS, Answer, HandedAt, Said, Sent, Take
from tests.trading.killed.venues import PACKET_BYTES_MAX
from tests.trading.orders import NS_PER_MS, order_of, plan_at
from tests.trading.work_world import (
    ANSWER_S,
    PAGE,
    Network,
    World,
    in_virtual_time,
)

LOOK_S: Final = 0.5
SEEN_S: Final = 30.0
"""So much later the engine has seen each venue as it is."""
ENDS_S: Final = 3_600.0
SIZES: Final = ("0.3", "0.7", "1.9", "30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a life begins with.

    Attributes:
        folder: its files.
        address: of the venues.
        seed: of the trial: which orders there are.
        number: of the life.
        begins_ms: when (wall clock).
        trouble: how bad the network is, 0 for not at all.
        has_books: engine and ledger live, too.
        is_opening: nothing is ordered; the books begin with what is at the venues.
    """

    folder: Path
    address: Path
    seed: int
    number: int
    begins_ms: int
    trouble: float
    has_books: bool = False
    is_opening: bool = False


def venues_of(seed: int) -> tuple[str, str]:
    """Return at which venues the orders of a trial are."""
    first, second = Random(f"venues {seed}").sample(sorted(GATEWAYS), 2)
    return first, second


def orders_of(seed: int, at_ms: int) -> list[HandedOrder]:
    """Return the orders of a trial, handed over at a time: one or two plans of two legs each."""
    luck, venues = Random(f"orders {seed}"), venues_of(seed)
    plans = [
        _plan(venues, number, luck.choice(SIZES), at_ms) for number in range(luck.randint(1, 2))
    ]
    return [order_of(plan, leg, at_ms=at_ms) for plan in plans for leg in range(2)]


def _plan(venues: Sequence[str], number: int, size: str, at_ms: int) -> LeggedPlan:
    plan = plan_at(*venues, number=number, size=size)
    # By its own word it gains: else the signer signs none of it.
    prices = {Side.BUY: Decimal(99), Side.SELL: Decimal(102)}
    legs = [
        msgspec.structs.replace(
            leg, notional_quote=leg.size_base * prices[leg.side], fee_quote=Decimal("0.01")
        )
        for leg in plan.legs
    ]
    return msgspec.structs.replace(
        plan,
        legs=tuple(legs),
        is_live=True,
        decided_at_ns=at_ms * NS_PER_MS,
        deadline_ns=(at_ms + 5_000) * NS_PER_MS,
    )


@functools.cache
def load_all(*, has_books: bool) -> None:
    """Load what a life would load at its first use: those are no calls of an order's way."""
    for venue in GATEWAYS:
        place_of(venue)
    if has_books:
        load_books()


class VenueSocket:
    """The socket to the venues' process: each word is one packet."""

    def __init__(self, address: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(address))

    def say(self, said: Said) -> None:
        """Say something that is not answered."""
        self._socket.send(msgspec.msgpack.encode(said))

    def take(self, number: str, now_ms: int) -> Answer:
        """Return the answer to a call that has arrived."""
        self.say(Take(number=number, now_ms=now_ms))
        return msgspec.msgpack.decode(self._socket.recv(PACKET_BYTES_MAX), type=Answer)

    def handed_at_ms(self, now_ms: int) -> int:
        """Return when the orders were handed over: now, if nobody did before."""
        self.say(HandedAt(now_ms=now_ms))
        return msgspec.msgpack.decode(self._socket.recv(PACKET_BYTES_MAX), type=int)


class FarWire:
    """Obeys `Wire`: a venue in another process, over a bad network."""

    def __init__(self, world: "FarWorld", place: Place) -> None:
        self._world = world
        self._venue = place.venue
        self._late_s = place.gateway.rules.late_ms_max / 1_000
        self._numbers = itertools.count()

    def rehearse(self, call: Call) -> None:
        """See `Wire.rehearse`."""

    async def send(self, call: SignedCall) -> Reply | str:
        """See `Wire.send`."""
        world, network = self._world, self._world.network
        if network.is_bad(0.3):
            await asyncio.sleep(ANSWER_S)
            return "no answer"
        number = f"{os.getpid()} {self._venue} {next(self._numbers)}"
        wait_s = network.delay_s(min(self._late_s * 1.5, 30.0))
        arrives_ms = world.wall_ms() + int(wait_s * 1_000)
        world.far.say(Sent(number=number, venue=self._venue, call=call, arrives_ms=arrives_ms))
        if wait_s > ANSWER_S:
            await asyncio.sleep(ANSWER_S)
            return "no answer"
        await asyncio.sleep(wait_s)
        answer = world.far.take(number, max(world.wall_ms(), arrives_ms))
        if network.is_bad(0.4):
            await asyncio.sleep(ANSWER_S)
            return "no answer"
        await asyncio.sleep(network.delay_s(3.0))
        if network.is_bad(0.15):
            return Reply(network.rng.choice((502, 503, 403)), PAGE)
        if network.is_bad(0.15):
            return Reply(answer.status, answer.body[: len(answer.body) // 2])
        return Reply(answer.status, answer.body)


@dataclass
class FarWorld(World):
    """A trader whose venues are in another process, with a signer of its own in this one."""

    far: VenueSocket = field(kw_only=True)
    signer: Signer = field(kw_only=True)

    def wire(self, place: Place) -> Wire:
        """See `World.wire`."""
        return FarWire(self, place)

    async def sign(self, intent: VenueIntent) -> VenueSigned | SignRefusal:
        """Have it signed as the role does."""
        await asyncio.sleep(0.001)
        self.signer.now_ns = self.wall_ns()
        self.signer.desk.keep_ahead()
        return self.signer.sign(intent)

    async def sign_together(self, intent: PlanIntent) -> PlanSigned | SignRefusal:
        """Have all orders that leave together signed as the role does: soon, or at once."""
        if self.network.rng.random() < 0.5:
            await asyncio.sleep(0.001)
        self.signer.now_ns = self.wall_ns()
        self.signer.desk.keep_ahead()
        return self.signer.desk.sign_together(intent)


def live(life: Life) -> None:
    """Follow the orders to their ends.

    Raises:
        AssertionError: they do not end.
    """
    in_virtual_time(lambda: _live(life))


async def _live(life: Life) -> None:
    virtual_loop().now_s = (life.begins_ms - BEGIN_MS) / 1_000
    luck = Random(f"{life.seed} {life.number}")
    world = FarWorld(
        path=life.folder / ORDERS,
        venues={name: place_of(name) for name in venues_of(life.seed)},
        network=Network(rng=luck, trouble=life.trouble),
        far=VenueSocket(life.address),
        signer=Signer(life.folder / JOURNAL),
    )
    await world.live(lambda _world: _during(world, life))


async def _during(world: FarWorld, life: Life) -> None:
    if life.has_books:
        async with open_held_ledger(life.folder / LEDGER, world) as ledger:
            await (_open_books if life.is_opening else _book)(world, life, ledger)
        return
    orders = await _handed_over(world, life, None)
    await _until(lambda: world.is_over(orders))
    world.network.trouble = 0.0
    await _until(world.is_open_for_orders)


async def _handed_over(world: FarWorld, life: Life, ledger: HeldLedger | None) -> list[HandedOrder]:
    await _until(world.is_open_for_orders)
    orders = orders_of(life.seed, world.far.handed_at_ms(world.wall_ms()))
    assert world.answers is not None and world.book is not None  # noqa: PT018 - both live
    if ledger is not None and world.book.handed(orders[0].client_order_id) is None:
        await intend(ledger, orders)
    # Whoever hands over does so again as long as it was not answered.
    await world.answers.hand_over(tuple(orders))
    return orders


async def _open_books(world: FarWorld, life: Life, ledger: HeldLedger) -> None:
    await _until(world.is_open_for_orders)
    async with booking(ledger, world) as engine:
        await _until(lambda: engine.places == len(venues_of(life.seed)) * 2)


async def _book(world: FarWorld, life: Life, ledger: HeldLedger) -> None:
    orders, book = await _handed_over(world, life, ledger), world.book
    assert book is not None
    async with booking(ledger, world):
        await _until(lambda: world.is_over(orders) and not book.untold("main", 0))
        world.network.trouble = 0.0
        await _until(world.is_open_for_orders)
        await asyncio.sleep(SEEN_S)


async def _until(is_so: Callable[[], bool]) -> None:
    """Let virtual time pass until something is so."""
    until_s = virtual_loop().now_s + ENDS_S
    while not is_so():
        assert virtual_loop().now_s < until_s, "it never ends"
        await asyncio.sleep(LOOK_S)
