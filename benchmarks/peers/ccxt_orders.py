"""Two orders at once by ccxt's `createOrder`, as a bot places them that writes nothing down.

A process of its own: `python -m benchmarks.peers.ccxt_orders`, with a line of JSON that says where
the exchanges are and by which keys, then a line for each pair of orders. It answers each with the
time of its decision, by the clock that all processes share.
"""

import asyncio
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


async def main() -> None:
    """Place as often as asked."""
    told = json.loads(sys.stdin.readline())
    exchanges = {venue: exchange_of(venue, account) for venue, account in told.items()}
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            began_ns = time.perf_counter_ns()
            await asyncio.gather(
                *(
                    exchanges[venue].create_order(
                        SYMBOL, "limit", one["side"], one["size"], one["price"], one["params"]
                    )
                    for venue, one in asked.items()
                )
            )
            print(began_ns, flush=True)
    finally:
        for one in exchanges.values():
            await one.close()


if __name__ == "__main__":
    asyncio.run(main())
