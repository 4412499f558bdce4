"""Role and engine joined over loopback: ccxt itself between the sandbox and a board."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from engine.connectors.by_ccxt.exchange import Exchange, Place
from engine.connectors.by_ccxt.server import open_doors
from engine.connectors.by_ccxt.spec import spec_by_ccxt
from engine.connectors.limiter import Limiter
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.session import Session, SessionLimits
from engine.domain.faults import Fault
from engine.market.board import Board
from engine.ports import Action, Feed, FeedLimits, InputKind
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from tests.patience import PATIENCE_S
from tests.sandbox.rig import write_small_lineup

PAIR = "ETH-BTC"


def place_of(sandbox: Sandbox, name: str) -> Place:
    said = sandbox.announcement()
    (websocket_url, *_) = said["websocket_urls"][name].values()
    return Place(rest_url=said["rest_urls"][name], websocket_url=websocket_url)


@asynccontextmanager
async def small_sandbox(folder: Path) -> AsyncIterator[Sandbox]:
    """Open a sandbox of one pair, whose venues are at real speed."""
    settings = SandboxSettings(lineup_path=write_small_lineup(folder, pair=PAIR))
    async with open_sandbox(settings) as opened:
        yield opened


class Watched:
    """An engine's part: a board that the feed keeps, over a real connection to the role."""

    def __init__(self, feed: Feed, board: Board, exchange: Exchange) -> None:
        self.feed = feed
        self.board = board
        self.exchange = exchange
        self.audits = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def leave(self) -> None:
        """Let go of the role."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def accept(self, kind: InputKind, key: str, payload: bytes, at_ns: int) -> list[Action]:
        match kind:
            case InputKind.OPENED:
                return list(self.feed.opened(at_ns))
            case InputKind.FRAME:
                return list(self.feed.frame(payload, at_ns))
            case InputKind.FETCHED:
                self.audits += 1
                return list(self.feed.fetched(key, payload, at_ns))
            case InputKind.FETCH_FAILED:
                return list(self.feed.fetch_failed(key, payload.decode(), at_ns))
            case _:
                return list(self.feed.closed(at_ns))

    def faults(self, fault: Fault) -> int:
        return self.board.faults[self.feed.venue, fault]

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_true():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watched(sandbox: Sandbox, name: str, feed: str) -> AsyncIterator[Watched]:
    """Follow an exchange of the sandbox through ccxt, as role and engine do."""
    exchange = Exchange(name, pairs=[PAIR], now_ns=time.time_ns, place=place_of(sandbox, name))
    spec = spec_by_ccxt(name)
    async with open_doors({name: exchange}) as port, aiohttp.ClientSession() as client:
        rest = RestClient(
            client=client,
            base_url=f"http://127.0.0.1:{port}/{name}",
            limiter=Limiter(spec.budget, now_ns=time.time_ns),
            limits=RestLimits(),
        )
        listed = spec.parse_instruments(await rest.get(spec.instruments_path), [PAIR])
        instruments = [one.instrument for one in listed]
        board = Board(instruments)
        one = Watched(
            spec.feeds[feed](instruments, range(1), board, FeedLimits(audit_s=1)), board, exchange
        )
        session = Session(
            websocket_url=f"ws://127.0.0.1:{port}/{name}/{feed}",
            rest=rest,
            accept=one.accept,
            now_ns=time.time_ns,
            jitter=random.random,
            limits=SessionLimits(),
        )

        async def tick() -> None:
            while True:
                await asyncio.sleep(0.1)
                session.perform(one.feed.tick(time.time_ns()))

        one.tasks = [asyncio.create_task(session.run()), asyncio.create_task(tick())]
        try:
            yield one
        finally:
            await one.leave()


def is_the_truth(sandbox: Sandbox, name: str, board: Board) -> bool:
    """Say whether all that the board has is the best of the venue's book, and enough of it."""
    (listing,) = sandbox.stage.markets[name].listings()
    truth, rules = sandbox.truth(name, listing.wire_name), board.instruments[0]
    for side, levels in zip(("bids", "asks"), board.top_levels(0, 50), strict=True):
        held = [(rules.price_of(price), rules.size_of(size)) for price, size in levels]
        best = sorted(truth[side].items(), reverse=side == "bids")[: len(held)]
        if held != best or len(held) < 5:
            return False
    return True
