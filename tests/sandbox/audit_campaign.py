"""How long one lost change stays unseen: `python -m tests.sandbox.audit_campaign --seconds 480`.

Bitstamp's, Gemini's `l2` and Kraken's books on the sandbox at real speed, over loopback
connections, at the venues' own request limits. A frame of one book is lost; the time counts until
the audit makes that book stale. A loss that a later change mends, or that is below the best 20
levels, is no trial. Two books of each venue count as parts of open routes.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from dataclasses import dataclass, field

import aiohttp

from engine.connectors.limiter import Limiter
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.session import Session, SessionLimits
from engine.connectors.specs import spec_of
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument, VenueId
from engine.market.board import Board
from engine.ports import Action, Feed, FeedLimits, InputKind, VenueSpec
from engine.sandbox.fault_script import FaultKind, ScriptedFault
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings

FEEDS = {"bitstamp": "diff", "gemini": "l2", "kraken": "book"}
WANTED = 2
COMPARED = 20
TICK_S = 0.1
LOOK_S = 0.02
SETTLED_S = 0.3
GIVEN_UP_S = 120.0


@dataclass(slots=True)
class Result:
    """Times from loss to discovery, and what else became of losses."""

    found_s: list[float] = field(default_factory=list)
    wanted_s: list[float] = field(default_factory=list)
    mended: int = 0
    not_seen: int = 0
    never_found: int = 0
    audits: int = 0
    alarms: int = 0


class Watched:
    """One venue's books, kept by its feed as the engine does."""

    def __init__(self, sandbox: Sandbox, venue: str, source: random.Random) -> None:
        self.venue = venue
        self.result = Result()
        self._sandbox = sandbox
        self._random = source
        self._spec: VenueSpec = spec_of(venue)

    async def run(self, seconds: float, *, has_losses: bool) -> None:
        """Connect, and lose frames of every book until the time is over."""
        self._instruments = await self._listed()
        self._board = Board(self._instruments)
        for book in range(WANTED):
            self._board.routes_through[book] = 1
        limits = FeedLimits(audits_per_s=self._spec.budget.audits_per_s)
        books = range(len(self._instruments))
        self._feed: Feed = self._spec.feeds[FEEDS[self.venue]](
            self._instruments, books, self._board, limits
        )
        async with aiohttp.ClientSession() as client:
            session = Session(
                websocket_url=self._sandbox.websocket_url(self.venue, FEEDS[self.venue]),
                rest=RestClient(
                    client=client,
                    base_url=self._sandbox.rest_url(self.venue),
                    limiter=Limiter(self._spec.budget, now_ns=time.time_ns),
                    limits=RestLimits(),
                ),
                accept=self._accept,
                now_ns=time.time_ns,
                jitter=random.random,
                limits=SessionLimits(),
            )
            tasks = [asyncio.create_task(session.run()), asyncio.create_task(self._tick(session))]
            try:
                ends_s = time.monotonic() + seconds
                if has_losses:
                    await asyncio.gather(*(self._trials(book, ends_s) for book in books))
                else:
                    await asyncio.sleep(seconds)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        self.result.alarms = self._board.faults[VenueId(self.venue), Fault.AUDIT_DIVERGED]

    async def _listed(self) -> list[Instrument]:
        listings = self._sandbox.stage.markets[self.venue].listings()
        pairs = [str(one.instrument.pair) for one in listings]
        url = self._sandbox.rest_url(self.venue) + self._spec.instruments_path
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            listed = self._spec.parse_instruments(await answer.read(), pairs)
        return [one.instrument for one in listed]

    def _accept(self, kind: InputKind, key: str, payload: bytes, at_ns: int) -> list[Action]:
        feed = self._feed
        match kind:
            case InputKind.OPENED:
                return list(feed.opened(at_ns))
            case InputKind.FRAME:
                return list(feed.frame(payload, at_ns))
            case InputKind.FETCHED:
                self.result.audits += key.startswith("audit:")
                return list(feed.fetched(key, payload, at_ns))
            case InputKind.FETCH_FAILED:
                return list(feed.fetch_failed(key, payload.decode(), at_ns))
            case _:
                return list(feed.closed(at_ns))

    async def _tick(self, session: Session) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            session.perform(self._feed.tick(time.time_ns()))

    async def _trials(self, book: int, ends_s: float) -> None:
        while time.monotonic() < ends_s:
            await self._until_live(book)
            await asyncio.sleep(12.0 + 10.0 * self._random.random())
            if self._board.is_live(book):
                await self._trial(book)

    async def _until_live(self, book: int) -> None:
        async with asyncio.timeout(GIVEN_UP_S):
            while not self._board.is_live(book):
                await asyncio.sleep(LOOK_S)

    async def _trial(self, book: int) -> None:
        self._sandbox.inject(
            ScriptedFault(
                at_s=0.0,
                venue=self.venue,
                instrument=self._instruments[book].wire_name,
                fault=FaultKind.GAP,
            )
        )
        began_s = time.monotonic()
        differs_s = 0.0
        while (waited_s := time.monotonic() - began_s) < GIVEN_UP_S:
            await asyncio.sleep(LOOK_S)
            if not self._board.is_live(book):
                is_found = self._board.stale_reasons[book] is Fault.AUDIT_DIVERGED
                if is_found and differs_s:
                    found_s = time.monotonic() - differs_s
                    times = self.result.wanted_s if book < WANTED else self.result.found_s
                    times.append(round(found_s, 2))
                return
            if self._is_true(book):
                if differs_s and time.monotonic() - differs_s > SETTLED_S:
                    self.result.mended += 1
                    return
                differs_s = 0.0
            else:
                differs_s = differs_s or time.monotonic()
            if not differs_s and waited_s > SETTLED_S + 20.0:
                self.result.not_seen += 1
                return
        self.result.never_found += 1

    def _is_true(self, book: int) -> bool:
        instrument = self._instruments[book]
        truth = self._sandbox.truth(self.venue, instrument.wire_name)
        bids, asks = self._board.top_levels(book, COMPARED)
        wanted_bids = sorted(truth["bids"].items(), reverse=True)[:COMPARED]
        wanted_asks = sorted(truth["asks"].items())[:COMPARED]
        held = [
            [(instrument.price_of(price), instrument.size_of(size)) for price, size in side]
            for side in (bids, asks)
        ]
        return held == [wanted_bids, wanted_asks]


def _summary(times_s: list[float]) -> dict[str, float]:
    if not times_s:
        return {"n": 0}
    return {
        "n": len(times_s),
        "median_s": round(statistics.median(times_s), 1),
        "worst_s": round(max(times_s), 1),
    }


async def campaign(seconds: float, seed: int, *, has_losses: bool) -> None:
    """Run both venues and print what came of it."""
    async with open_sandbox(SandboxSettings(speed=1.0)) as sandbox:
        watched = [Watched(sandbox, venue, random.Random(f"{seed} {venue}")) for venue in FEEDS]
        await asyncio.gather(*(one.run(seconds, has_losses=has_losses) for one in watched))
    for one in watched:
        result = one.result
        row = {
            "venue": one.venue,
            "other books": _summary(result.found_s),
            "books in open routes": _summary(result.wanted_s),
            "mended by a later change": result.mended,
            "not within the best 20": result.not_seen,
            "never found": result.never_found,
            "audits": result.audits,
            "alarms of all kinds": result.alarms,
        }
        print(json.dumps(row))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=480.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-losses", action="store_true", help="every alarm is a false one")
    options = parser.parse_args()
    asyncio.run(campaign(options.seconds, options.seed, has_losses=not options.without_losses))
