"""Connects independent clients to a sandbox and waits for conditions, never for times."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from engine.sandbox.fault_script import FaultKind, ScriptedFault
from engine.sandbox.lineup import LINEUP_PATH
from engine.sandbox.server import Sandbox
from engine.sandbox.settings import SandboxSettings
from tests.patience import PATIENCE_S
from tests.sandbox.wire_books import (
    BinanceClient,
    BitstampClient,
    CoinbaseClient,
    GeminiFastClient,
    GeminiV2Client,
    KrakenClient,
    WireClient,
)

EPOCH_NS = 1_795_000_000_000_000_000

FEEDS: dict[tuple[str, str], type[WireClient]] = {
    ("coinbase", "level2"): CoinbaseClient,
    ("gemini", "l2"): GeminiV2Client,
    ("gemini", "depth"): GeminiFastClient,
    ("bitstamp", "diff"): BitstampClient,
    ("binance", "depth"): BinanceClient,
    ("kraken", "book"): KrakenClient,
}

BOOK_PATHS = {
    "bitstamp": "/api/v2/order_book/{}/",
    "binance": "/api/v3/depth?symbol={}&limit=5000",
}


def paused(**changes: Any) -> SandboxSettings:
    return SandboxSettings(is_paused=True, epoch_ns=EPOCH_NS, **changes)


def write_small_lineup(folder: Path, *, pair: str = "ETH-BTC") -> Path:
    """Write the shipped table with the lines of one pair only, which loads faster."""
    head, *lines = LINEUP_PATH.read_text().split("[[lines]]")
    kept = [line for line in lines if f'pair = "{pair}"' in line]
    path = folder / "lineup.toml"
    path.write_text("[[lines]]".join([head, *kept]))
    return path


def fault(kind: FaultKind, venue: str = "coinbase", **changes: Any) -> ScriptedFault:
    return ScriptedFault(at_s=0.0, venue=venue, fault=kind, **changes)


@dataclass
class Link:
    """A connected client: its raw frames and what it made of them."""

    socket: aiohttp.ClientWebSocketResponse
    client: WireClient
    raw: list[str] = field(default_factory=list)
    error: Exception | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    is_closed: bool = False

    async def read(self) -> None:
        async for message in self.socket:
            self.raw.append(message.data)
            try:
                if self.error is None:
                    self.client.take(message.data)
            except Exception as error:  # noqa: BLE001 - shown by the test that expects none
                self.error = error
            async with self.changed:
                self.changed.notify_all()
        self.is_closed = True
        async with self.changed:
            self.changed.notify_all()

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until a condition holds after some frame."""
        try:
            async with asyncio.timeout(PATIENCE_S), self.changed:
                await self.changed.wait_for(is_true)
        except TimeoutError as error:
            last = self.raw[-1][:300] if self.raw else "no frame"
            raise AssertionError(f"not so within {PATIENCE_S} s; last: {last}") from error


@asynccontextmanager
async def connect(
    sandbox: Sandbox, venue: str, feed: str, *, names: list[str] | None = None
) -> AsyncIterator[Link]:
    """Connect, subscribe and, where the venue wants it, fetch the REST books."""
    market = sandbox.stage.markets[venue]
    wire_names = names or [listing.wire_name for listing in market.listings()]
    client = FEEDS[venue, feed](wire_names)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(sandbox.websocket_url(venue, feed), max_msg_size=0) as socket,
    ):
        link = Link(socket, client)
        # A task group would wrap the test's own assertions in an exception group.
        reading = asyncio.create_task(link.read())
        try:
            for text in client.subscriptions():
                await socket.send_str(text)
            if venue == "bitstamp":
                await link.until(lambda: len(link.raw) >= len(wire_names))
            elif venue == "binance":
                await link.until(lambda: len(link.raw) >= 1)
            else:
                await link.until(lambda: all(b.is_live for b in client.books.values()))
            yield link
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def fetch(sandbox: Sandbox, venue: str, path: str) -> Any:
    status, _, body = await request(sandbox, venue, path)
    assert status == 200, body
    return json.loads(body)


async def request(sandbox: Sandbox, venue: str, path: str) -> tuple[int, dict[str, str], str]:
    url = sandbox.rest_url(venue) + path
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, dict(answer.headers), await answer.text()


async def seed_from_rest(sandbox: Sandbox, venue: str, link: Link) -> None:
    client = link.client
    if isinstance(client, BitstampClient | BinanceClient):
        for name in client.books:
            client.take_rest(name, await fetch(sandbox, venue, BOOK_PATHS[venue].format(name)))


async def until_true(sandbox: Sandbox, venue: str, link: Link) -> None:
    """Wait until all rebuilt books equal the truth."""

    def is_true() -> bool:
        if link.error is not None:
            raise link.error
        return all(
            book.as_truth() == sandbox.truth(venue, name)
            for name, book in link.client.books.items()
        )

    await link.until(is_true)
