"""The process that places two orders by ccxt, spoken to; see `peers.ccxt_orders`."""

import asyncio
import contextlib
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

from engine.domain.orders_handed import HandedOrder
from engine.sandbox.exchange.keys import key_of
from engine.sandbox.server import Sandbox

PARAMETERS: Final[dict[str, dict[str, str]]] = {
    # By its unified name ccxt would let this order rest.
    "bitstamp": {"ioc_order": "True"},
    "coinbase": {"timeInForce": "IOC"},
}


def has_ccxt() -> bool:
    """Say whether it is in this environment."""
    return importlib.util.find_spec("ccxt") is not None


class Naive:
    """Asks the process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def place(self, orders: tuple[HandedOrder, ...]) -> tuple[int, int]:
        """Have orders placed; return when that was decided, and when the last was written (ns)."""
        await self.say(
            {
                str(one.venue): {
                    "side": str(one.request.side),
                    "size": float(one.request.size_base),
                    "price": float(one.request.price_limit),
                    "params": PARAMETERS[one.venue] | {"client_order_id": one.request.wire_id},
                }
                for one in orders
            }
        )
        assert self._process.stdout is not None
        began, written = (await self._process.stdout.readline()).split()
        return int(began), int(written)

    async def say(self, what: Mapping[str, Any]) -> None:
        """Say a line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self._process.stdin.drain()


@contextlib.asynccontextmanager
async def open_naive(sandbox: Sandbox, venues: Iterable[str]) -> AsyncIterator[Naive]:
    """Run it for accounts of a sandbox until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.peers.ccxt_orders"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    naive = Naive(process)
    try:
        keys = {venue: key_of(venue) for venue in venues}
        await naive.say(
            {
                venue: {"url": sandbox.rest_url(venue), "name": key.name, "secret": key.secret}
                for venue, key in keys.items()
            }
        )
        yield naive
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
