"""Two orders at once by ccxt's `createOrder`, as a bot places them that writes nothing down.

A process of its own: `python -m benchmarks.peers.ccxt_orders`, with a line of JSON that says where
the exchanges are and by which keys, then a line for each pair of orders. It answers each with the
time of its decision and that of the last write to a connection before it was answered by both, by
the clock that all processes share.
"""

import asyncio
import asyncio.selector_events
import json
import sys
import time
from typing import Any, Final

import ccxt.async_support as ccxt

HOSTS: Final = {
    "coinbase": "https://api.coinbase.com",
    "bitstamp": "https://www.bitstamp.net",
}
SYMBOL: Final = "BTC/USD"


WIRE_NAMES: Final = {"coinbase": "BTC-USD", "bitstamp": "btcusd"}


def exchange_of(venue: str, account: dict[str, str]) -> Any:
    """Return ccxt's exchange, whose calls are signed for its own host and go to another."""
    exchange = getattr(ccxt, venue)({"apiKey": account["name"], "secret": account["secret"]})
    exchange.enableRateLimit = False
    fetch = exchange.fetch

    async def fetch_here(to: str, *more: Any, **named: Any) -> Any:
        return await fetch(to.replace(HOSTS[venue], account["url"]), *more, **named)

    exchange.fetch = fetch_here
    market = exchange.safe_market_structure(
        {
            "id": WIRE_NAMES[venue],
            "symbol": SYMBOL,
            "base": "BTC",
            "quote": "USD",
            "type": "spot",
            "spot": True,
            "active": True,
            "precision": {"amount": 1e-8, "price": 0.01},
        }
    )
    exchange.set_markets([market])
    return exchange


def note_writes() -> list[int]:
    """Return to where it is noted when the system was given something for a connection."""
    # A loop that waits for sockets has one class for all that go over TCP.
    transport: Any = vars(asyncio.selector_events)["_SelectorSocketTransport"]
    noted: list[int] = []
    for name in ("write", "writelines"):
        transport_writes(transport, name, noted)
    return noted


def transport_writes(transport: Any, name: str, noted: list[int]) -> None:
    """Have one way of writing noted."""
    plain = getattr(transport, name)

    def write(self: Any, given: Any) -> None:
        plain(self, given)
        noted.append(time.perf_counter_ns())

    setattr(transport, name, write)


async def main() -> None:
    """Place as often as asked."""
    written_ns = note_writes()
    told = json.loads(sys.stdin.readline())
    exchanges = {venue: exchange_of(venue, account) for venue, account in told.items()}
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            written_ns.clear()
            began_ns = time.perf_counter_ns()
            await asyncio.gather(
                *(
                    exchanges[venue].create_order(
                        SYMBOL, "limit", one["side"], one["size"], one["price"], one["params"]
                    )
                    for venue, one in asked.items()
                )
            )
            print(began_ns, max(written_ns), flush=True)
    finally:
        for one in exchanges.values():
            await one.close()


if __name__ == "__main__":
    asyncio.run(main())
