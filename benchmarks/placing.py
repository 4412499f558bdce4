"""Two orders of a plan from their hand-over until both are at their exchanges, and until told.

`python -m benchmarks.placing`, or `make bench PARTS=placed`. The roles `signer` and `trader` as
processes of their own, at exchanges of a sandbox in this one, over its port. Plans come one after
the other at a pace that the venues' own limits never hold up: in turns one that is told of while
its intent would be stored, as an engine does, and one out of nowhere (`cold`). Between them the
same two orders by ccxt's `createOrder`, where that library is there. `way` are the steps of those
that are told of, each from the hand-over on; `floor` is what the least would take that could do it:
a sync of as much as is written, and a question that is answered by as much.
"""

import asyncio
import contextlib
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from benchmarks.harness import Row, machine, print_table, row, scalar
from benchmarks.naive_orders import Naive, has_ccxt, open_naive
from benchmarks.placing_floor import floors
from benchmarks.stamped_role import stamps_of
from engine.bus.trading import (
    AcknowledgeOrders,
    GetUntoldOrders,
    HandOverOrders,
    RehearseOrders,
)
from engine.domain.engines import MAIN
from engine.sandbox.exchange.doors.door import Answered, Asked
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from tests.trading.processes import Roles, orders_of, running

VENUES: Final = ("coinbase", "bitstamp")
PAIR: Final = "BTC-USD"
SIZE: Final = "0.001"
CCXT: Final = "ccxt"
ROUNDS: Final = 100
WARM_UP: Final = 5
APART_S: Final = 1.6
INTENT_S: Final = 0.003
"""The ledger stores an intent in about so long, before its orders are handed over."""

WRITTEN: Final = "written"
WIRE: Final = "on_the_wire"
_MB: Final = 2**20

Took = dict[str, list[int]]


class Arrivals:
    """When placings came to the exchanges."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.at: dict[str, int] = {}
        self.are_here = asyncio.Event()
        for venue in VENUES:
            self._watch(venue, sandbox.accounts.doors[venue])

    def clear(self) -> None:
        """Wait for the next ones."""
        self.at.clear()
        self.are_here.clear()

    def _watch(self, venue: str, door: Any) -> None:
        answer = door.answer

        def timed(asked: Asked, at_ms: int) -> Answered:
            before, at_ns = len(door.exchange.orders), time.perf_counter_ns()
            answered: Answered = answer(asked, at_ms)
            if len(door.exchange.orders) > before:
                self.at[venue] = at_ns
                if len(self.at) == len(VENUES):
                    self.are_here.set()
            return answered

        door.answer = timed


def measure_all() -> list[Row]:
    """Measure each part of the way."""
    took: Took = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        used_mb = asyncio.run(_measure(Path(folder), took))
        floor = floors(Path(folder))
    rows = [row(f"placing.{name}", np.array(took[name][WARM_UP:])) for name in took]
    known = {one.name: one for one in rows}
    for ours, theirs in (("both_there", CCXT), (WIRE, f"{CCXT}.{WIRE}")):
        one, naive = known[f"placing.{ours}"], known.get(f"placing.{theirs}")
        if naive is not None:
            rows[rows.index(one)] = replace(
                one, peer=CCXT, ratio=round(naive.median / one.median, 3)
            )
    return [*rows, *floor, scalar("placing.memory", "MB", used_mb)]


async def _measure(folder: Path, took: Took) -> float:
    async with running(folder, *VENUES, module="benchmarks.stamped_role") as roles:
        await roles.until_open()
        await roles.go_live()
        arrivals = Arrivals(roles.sandbox)
        async with contextlib.AsyncExitStack() as stack:
            naive = None
            if has_ccxt():
                # On accounts of their own: the trader halts where somebody else trades on its.
                others = await stack.enter_async_context(
                    open_sandbox(SandboxSettings(is_paused=True))
                )
                naive = await stack.enter_async_context(open_naive(others, VENUES))
                there = Arrivals(others)
            for number in range(WARM_UP + ROUNDS):
                await _round(roles, arrivals, 2 * number, took, is_cold=False)
                await asyncio.sleep(APART_S / 4)
                if naive is not None:
                    await _naive_round(naive, roles, there, took)
                await asyncio.sleep(APART_S / 4)
                await _round(roles, arrivals, 2 * number + 1, took, is_cold=True)
                await asyncio.sleep(APART_S / 2)
        return psutil.Process(roles.processes["trader"].pid).memory_info().rss / _MB


async def _naive_round(naive: Naive, roles: Roles, arrivals: Arrivals, took: Took) -> None:
    orders = orders_of(roles.plan(0, PAIR, SIZE))
    arrivals.clear()
    began, written = await naive.place(orders)
    await arrivals.are_here.wait()
    took[CCXT].append(max(arrivals.at.values()) - began)
    took[f"{CCXT}.{WIRE}"].append(written - began)


async def _round(
    roles: Roles, arrivals: Arrivals, number: int, took: Took, *, is_cold: bool
) -> None:
    orders, kind = orders_of(roles.plan(number, PAIR, SIZE)), "cold." if is_cold else ""
    arrivals.clear()
    if not is_cold:
        rehearsing = asyncio.create_task(roles.ask(RehearseOrders(orders=orders)))
        await asyncio.sleep(INTENT_S)
        await rehearsing
    began = time.perf_counter_ns()
    reply = await roles.ask(HandOverOrders(orders=orders))
    assert not reply.refused, reply
    took[f"{kind}taken_on"].append(time.perf_counter_ns() - began)
    await arrivals.are_here.wait()
    took[f"{kind}first_there"].append(min(arrivals.at.values()) - began)
    took[f"{kind}both_there"].append(max(arrivals.at.values()) - began)
    for name, at_ns in way_of(stamps_of(roles.log.parent), began, max(arrivals.at.values())):
        took[f"{kind}{WIRE if name == WRITTEN else f'way.{name}'}"].append(at_ns - began)
    names, last = {one.client_order_id for one in orders}, max(arrivals.at.values())
    told: dict[int, str] = {}
    ended: set[str] = set()
    while ended != names:
        news = (await roles.ask(GetUntoldOrders(engine=MAIN, after=max(told, default=0)))).news
        told |= {one.number: one.news.client_order_id for one in news}
        ended |= {one.news.client_order_id for one in news if one.news.fate.is_final} & names
    if not is_cold:
        took["there_to_told"].append(time.perf_counter_ns() - last)
    await roles.ask(AcknowledgeOrders(numbers=tuple(told)))


def way_of(stamps: list[tuple[str, int]], began: int, until: int) -> list[tuple[str, int]]:
    """Return what was reached on the way of one plan, in its order: of what was noted, the first.

    Of calls that are written it is the last order's: what is written later looks orders up.
    """
    within = sorted((at_ns, name) for name, at_ns in stamps if began < at_ns < until)
    first: dict[str, int] = {}
    written = 0
    for at_ns, name in within:
        if name != WRITTEN:
            first.setdefault(name, at_ns)
        elif "signatures there" in first and written < len(VENUES):
            first[name], written = at_ns, written + 1
    return sorted(first.items(), key=lambda one: one[1])


if __name__ == "__main__":
    print(machine())
    print_table(measure_all())
