"""Accounts at five exchanges compared with ten thousand orders that are written here.

`python -m benchmarks.reconciling`, or `make bench PARTS=compared`. The trader's own comparison,
from the first call to the last difference: calls signed, answered by the sandbox's accounts, read,
held against the table. All of the orders are in what is compared, price, size and fee of each to
the last digit. Left out are the network and the pace at which a venue may be asked: how many calls
it takes is a row of its own.
"""

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import numpy as np

from benchmarks.harness import Row, machine, print_table, row, scalar
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders_handed import HandedOrder
from engine.domain.venue_orders import Stage
from engine.sandbox.exchange.model import Life, Ordered
from engine.trading.account import read_account
from engine.trading.acts import Told
from engine.trading.answers import AtVenue
from engine.trading.kept import KeptOrder, learned
from tests.sandbox.exchange.place import BEGIN_MS, Place, place_of
from tests.sending.crashes.plays import RAM
from tests.simulation.virtual_time import virtual_loop
from tests.trading.orders import NS_PER_MS, order_of, plan_at
from tests.trading.work_world import Network, World, in_virtual_time

ORDERS: Final = {
    "binance": 3_000,
    "coinbase": 3_000,
    "gemini": 1_200,
    "bitstamp": 900,
    "kraken": 1_900,
}
"""As many at each as its interface lists in the pages that are read."""

SIZE: Final = "0.4"
APART_MS: Final = 250
SINCE_MS: Final = BEGIN_MS - 60_000
ROUNDS: Final = 15


def measure_all() -> list[Row]:
    """Measure whole comparisons of all five."""
    took: list[int] = []
    calls: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as folder:
        in_virtual_time(lambda: _measure(Path(folder) / "orders.sqlite3", took, calls))
    count = sum(ORDERS.values())
    return [
        row(f"reconciling.{count:,} orders", np.array(took)),
        *(scalar(f"reconciling.{venue}.calls", "calls", calls[venue]) for venue in ORDERS),
    ]


async def _measure(path: Path, took: list[int], calls: Counter[str]) -> None:
    world = World(
        path=path,
        venues={name: place_of(name, usd="1000000000", btc="1000000") for name in ORDERS},
        network=Network(rng=Random(1)),
    )
    world.begin()
    for name, at in world.at.items():
        await _fill(world, world.venues[name], at)
    for number in range(ROUNDS + 1):
        for name, at in world.at.items():
            _from_the_beginning(world, name, at)
        before = {name: place.nonce for name, place in world.venues.items()}
        began_ns = time.perf_counter_ns()
        await asyncio.gather(*(at.check.check() for at in world.at.values()))
        took_ns = time.perf_counter_ns() - began_ns
        for name, at in world.at.items():
            assert at.standing.seen is not None, at.standing
            assert at.standing.differences == (), at.standing.differences
            calls[name] = world.venues[name].nonce - before[name]
        if number:  # the first one takes what there is for what there was
            took.append(took_ns)


def _from_the_beginning(world: World, name: VenueId, at: AtVenue) -> None:
    """Have all of it compared again, and not what is newer than the last time alone."""
    assert world.book is not None
    mark = world.book.mark(name)
    world.book.keep_mark(name, msgspec.structs.replace(mark, since_ms=SINCE_MS))
    at.standing.seen = None


async def _fill(world: World, place: Place, at: AtVenue) -> None:
    """Place orders at the exchange, and write them here as they are shown there."""
    venue, book = place.venue, world.book
    assert book is not None
    other = "kraken" if venue != "kraken" else "binance"
    first = sum(ORDERS.values()) * (1 + list(ORDERS).index(venue))
    orders = [
        order_of(
            plan_at(venue, other, number=first + n, size=SIZE), 0, at_ms=BEGIN_MS + n * APART_MS
        )
        for n in range(ORDERS[venue])
    ]
    price, size = place.books.asks[0]
    for number, one in enumerate(orders):
        place.books.asks[0] = (price, size + number)  # a level that changed is there anew
        place.exchange.place(_ordered(one), one.at_ns // NS_PER_MS)
    loop = virtual_loop()
    loop.now_s = max(loop.now_s, len(orders) * APART_MS / 1_000)
    shown = await read_account(
        at.work.line, [place.books.wire_name], SINCE_MS, fenced=lambda _at_ms: None
    )
    trades = sorted({one.trade_id: one for one in shown.trades}.values(), key=lambda one: one.at_ms)
    for handed, trade in zip(orders, trades, strict=True):
        book.hand_over([handed], {})
        before = KeptOrder(client_order_id=handed.client_order_id)
        told = Told(
            stage=Stage.FILLED,
            venue_order_id=trade.venue_order_id,
            filled_base=trade.size_base,
            trades=(trade,),
        )
        ended = msgspec.structs.replace(
            learned(handed, before, told, now_ns=handed.at_ns), is_open=False
        )
        book.keep(handed, before, ended, now_ms=handed.at_ns // NS_PER_MS)


def _ordered(one: HandedOrder) -> Ordered:
    request = one.request
    return Ordered(
        client_id=request.wire_id,
        wire_name=request.wire_name,
        is_buy=request.side is Side.BUY,
        size=request.size_base,
        price=request.price_limit,
        life=Life.IMMEDIATE,
    )


if __name__ == "__main__":
    print(machine())
    print_table(measure_all())
