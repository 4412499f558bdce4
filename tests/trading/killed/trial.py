"""Two venues of one trial, what is on its way to them, and what may never be of their orders.

What a trader wrote to its socket is on its way: it arrives when its time has come, whoever is dead
by then. Time goes on as whoever speaks to them says.
"""

import heapq
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from engine.domain.instruments import VenueId
from engine.domain.orders_handed import HandedOrder
from engine.domain.venue_orders import wire_id_of
from engine.gateways.calls import SignedCall
from engine.storage.ledger_settings import DATABASE_NAME
from engine.trading.book import OrderBook
from tests.sandbox.exchange.place import BEGIN_MS, asked_of, place_of
from tests.trading.work_world import Network, World

ORDERS: Final = "orders.sqlite3"
JOURNAL: Final = "journal.sqlite3"
LEDGER: Final = "ledger"
"""The files of trader and signer, and the folder of the ledger where there is one."""


class Sent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A call on its way.

    Attributes:
        number: by which its answer is asked for.
    """

    number: str
    venue: str
    call: SignedCall
    arrives_ms: int


class Take(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks for the answer to a call that has arrived by now."""

    number: str
    now_ms: int


class HandedAt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Asks when the orders were handed over: now, if nobody did before."""

    now_ms: int


Said = Sent | Take | HandedAt


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue answers."""

    status: int
    body: bytes


class Trial:
    """See the module.

    Attributes:
        now_ms: the time.
        handed_at_ms: when orders were handed over first; 0 before.
        creates: how many orders were made at a venue, by their ids there.
    """

    def __init__(self, venues: Sequence[str]) -> None:
        self.now_ms = BEGIN_MS
        self.handed_at_ms = 0
        self.creates: Counter[str] = Counter()
        self._places = {name: place_of(name) for name in venues}
        self._count = 0
        self._on_the_way: list[tuple[int, int, Sent]] = []
        self._answers: dict[str, Answer] = {}

    def hear(self, said: Said) -> Answer | int | None:
        """Take what a trader says; return what it waits for, if it does."""
        if isinstance(said, Sent):
            self._count += 1
            heapq.heappush(self._on_the_way, (said.arrives_ms, self._count, said))
            return None
        self._reach(said.now_ms)
        if isinstance(said, Take):
            return self._answers.pop(said.number)
        self.handed_at_ms = self.handed_at_ms or said.now_ms
        return self.handed_at_ms

    def _reach(self, until_ms: int) -> None:
        while self._on_the_way and self._on_the_way[0][0] <= until_ms:
            at_ms, _, sent = heapq.heappop(self._on_the_way)
            self._arrive(sent, at_ms)
        self.now_ms = max(self.now_ms, until_ms)

    def _arrive(self, sent: Sent, at_ms: int) -> None:
        place = self._places[sent.venue]
        before = len(place.exchange.orders)
        told = place.door.answer(asked_of(sent.call), at_ms)
        for order in place.exchange.orders[before:]:
            self.creates[order.ordered.client_id] += 1
        self._answers[sent.number] = Answer(status=told.status, body=told.body)

    # ---- what may never be

    def check(self, folder: Path, orders: Sequence[HandedOrder], *, is_over: bool) -> list[str]:
        """Compare what is on disk with what is true; return what may never be, in sentences."""
        if is_over and self._on_the_way:
            self._reach(max(at_ms for at_ms, _, _ in self._on_the_way))
        # A copy: what the next life finds is what the killed one left, and nobody mended.
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)
        book = OrderBook(copy / ORDERS)
        try:
            wrong = [*self._unwritten(book), *self._unsigned(copy / JOURNAL)]
            wrong += [f"{name} was made {n} times" for name, n in self.creates.items() if n > 1]
            wrong += self._made_up(book, orders)
            if is_over:
                world = World(copy / ORDERS, self._places, Network(Random()))
                world.book = book
                wrong += [*world.judge(orders), *world.differs()]
                wrong += self._booked(copy / LEDGER)
            return wrong
        finally:
            book.close()
            shutil.rmtree(copy)

    def _unwritten(self, book: OrderBook) -> Iterator[str]:
        for name, place in self._places.items():
            for order in place.exchange.orders:
                wire_id = order.ordered.client_id
                if book.find(VenueId(name), wire_id=wire_id, venue_order_id="") is None:
                    yield f"{name} has {wire_id}, which the trader has written nowhere"

    def _booked(self, folder: Path) -> Iterator[str]:
        """Yield in what the ledger's books are not what the accounts are, to the last unit."""
        if not folder.is_dir():
            return
        with closing(sqlite3.connect(folder / DATABASE_NAME)) as database:
            ask = database.execute
            held = ask("select venue, asset, held from balances where money = 'live'").fetchall()
            why = ask("select why from deposits where money = 'live'").fetchall()
            unended = ask(
                "select plan_id from intents where money = 'live'"
                " and plan_id not in (select plan_id from executions)"
            ).fetchall()
        books = {(venue, asset): Decimal(one) for venue, asset, one in held if Decimal(one)}
        true = {
            (name, asset): one.free + one.held
            for name, place in self._places.items()
            for asset, one in place.exchange.balances.items()
            if one.free + one.held
        }
        if books != true:
            yield f"the accounts have {true}, the ledger says {books}"
        for (sentence,) in why:
            if not sentence.endswith("the books begin with it"):
                yield f"the books were put right: {sentence}"
        for (plan_id,) in unended:
            yield f"{plan_id} was never booked"

    def _unsigned(self, journal: Path) -> Iterator[str]:
        if not self.creates:
            return
        with closing(sqlite3.connect(journal)) as database:
            found = database.execute("select engine, client_order_id from placed").fetchall()
        signed = {wire_id_of(name, engine_id=engine) for engine, name in found}
        for wire_id in self.creates.keys() - signed:
            yield f"{wire_id} was made, and the signer has forgotten it"

    def _made_up(self, book: OrderBook, orders: Sequence[HandedOrder]) -> Iterator[str]:
        for one in orders:
            told = book.told_of(one.client_order_id)
            if told is None:
                continue
            ours = self._places[one.venue].exchange.by_client_id(one.request.wire_id)
            true = Counter((fill.size, fill.price, fill.fee) for own in ours for fill in own.fills)
            heard = Counter((fill.size_base, fill.price, fill.fee) for fill in told.news.fills)
            if heard - true:
                yield f"{one.client_order_id} was told fills that there are not: {heard - true}"
