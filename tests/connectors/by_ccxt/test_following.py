"""What an engine is told of the books that it follows, and when streams begin afresh."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from engine.connectors.by_ccxt.following import Following
from engine.connectors.by_ccxt.losses import LostError, UnservedError
from engine.domain.faults import Fault
from tests.patience import PATIENCE_S

BOOK = {"bids": [[99.0, 1.0]], "asks": [[101.0, 1.0]]}
OTHER = {"bids": [[99.0, 2.0]], "asks": [[101.0, 1.0]]}


class Told:
    """Obeys `following.Followed`: what it answers is put in by the test."""

    def __init__(self) -> None:
        self.fetched: asyncio.Queue[Any] = asyncio.Queue()
        self.watched: asyncio.Queue[Any] = asyncio.Queue()
        self.trouble: LostError | None = None
        self.forgotten = 0
        self.fetches = 0
        self.is_watched = asyncio.Event()

    async def ready(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def size_decimals(self, symbol: str) -> int:
        if symbol == "DOGE/USD":
            raise UnservedError("DOGE/USD is not listed")
        return 3

    async def fetch_book(self, symbol: str) -> Mapping[str, Any]:  # noqa: ARG002
        self.fetches += 1
        return self._of(await self.fetched.get())

    async def watch_book(self, symbol: str) -> Mapping[str, Any]:  # noqa: ARG002
        self.is_watched.set()
        return self._of(await self.watched.get())

    async def forget(self) -> None:
        self.forgotten += 1

    def _of(self, answer: Any) -> Mapping[str, Any]:
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


class Engine:
    """The other end of the connection."""

    def __init__(self, exchange: Told, following: Following, frames: asyncio.Queue[bytes]) -> None:
        self.exchange = exchange
        self.following = following
        self._frames = frames

    async def told(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            frame: dict[str, Any] = msgspec.json.decode(await self._frames.get())
        return frame

    async def follow(self) -> None:
        """Ask for a book and have it whole."""
        await self.exchange.fetched.put(BOOK)
        await self.following.ask(["BTC/USD"])
        assert (await self.told())["type"] == "book"


@asynccontextmanager
async def engine(*, is_polled: bool = False) -> AsyncIterator[Engine]:
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    exchange = Told()
    async with asyncio.TaskGroup() as tasks:
        following = Following(exchange, is_polled=is_polled, say=frames.put, tasks=tasks)
        yield Engine(exchange, following, frames)
        following.close()


async def test_a_stream_is_told_from_a_fetched_book_on() -> None:
    async with engine() as one:
        await one.follow()
        await one.exchange.watched.put(BOOK)
        await one.exchange.watched.put(OTHER)

        change = await one.told()

    assert (change["type"], change["before"], change["bids"]) == ("change", 1, [["99.0", "2.000"]])
    assert one.exchange.fetches == 1


async def test_a_polled_book_is_told_each_time_changed_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.connectors.by_ccxt.following.POLL_S", 0.0)
    async with engine(is_polled=True) as one:
        await one.follow()
        for _ in range(2):
            await one.exchange.fetched.put(BOOK)
            assert (await one.told())["bids"] == [["99.0", "1.000"]]

    assert not one.exchange.is_watched.is_set()


@pytest.mark.parametrize("is_fetched", [True, False])
async def test_a_lost_book_is_told_with_its_fault_and_left_to_the_engine(
    *, is_fetched: bool
) -> None:
    async with engine() as one:
        if is_fetched:
            await one.exchange.fetched.put(LostError(Fault.GAP, "a hole"))
            await one.following.ask(["BTC/USD"])
        else:
            await one.follow()
            await one.exchange.watched.put(LostError(Fault.GAP, "a hole"))

        told = await one.told()
        fetches = one.exchange.fetches

        assert told == {"type": "lost", "symbol": "BTC/USD", "fault": "gap", "why": "a hole"}
        await one.follow()  # asking again is what brings it back
        assert one.exchange.fetches == fetches + 1
        assert one.exchange.forgotten == 0


async def test_before_the_markets_are_listed_no_symbol_is_refused() -> None:
    async with engine() as one:
        one.exchange.trouble = LostError(Fault.DISCONNECTED, "away")
        await one.following.ask(["DOGE/USD"])

        told = await one.told()

    assert (told["type"], told["fault"]) == ("lost", "disconnected")


async def test_a_symbol_that_is_not_served_is_refused_by_name() -> None:
    async with engine() as one:
        await one.following.ask(["DOGE/USD"])

        told = await one.told()

    assert (told["type"], told["symbol"]) == ("refused", "DOGE/USD")


async def test_a_stream_that_the_engine_does_not_believe_begins_afresh() -> None:
    async with engine() as one:
        await one.follow()
        await one.exchange.watched.put(OTHER)
        await one.told()

        await one.follow()

        assert one.exchange.forgotten == 1


async def test_a_stream_that_was_silent_between_two_requests_begins_afresh() -> None:
    async with engine() as one:
        await one.follow()
        await one.exchange.is_watched.wait()

        await one.follow()

        assert one.exchange.forgotten == 1


async def test_a_quiet_book_costs_no_other_its_stream() -> None:
    async with engine() as one:
        await one.follow()
        await one.exchange.watched.put(OTHER)
        await one.told()
        await one.exchange.fetched.put(BOOK)
        await one.following.ask(["ETH/USD"])
        await one.told()

        await one.exchange.fetched.put(BOOK)
        await one.following.ask(["ETH/USD"])

        assert (await one.told())["symbol"] == "ETH/USD"
        assert one.exchange.forgotten == 0


async def test_a_book_that_is_never_believed_costs_the_others_their_streams_three_times() -> None:
    async with engine() as one:
        for _ in range(6):
            await one.follow()
            await one.exchange.watched.put(OTHER)
            await one.told()

        assert one.exchange.forgotten == 3


@pytest.mark.parametrize("level", [5, None, [], [1.0], [[1.0], 2.0]])
async def test_what_is_no_level_loses_one_book_and_not_the_connection(level: object) -> None:
    async with engine() as one:
        await one.exchange.fetched.put({"bids": [level], "asks": [[101.0, 1.0]]})
        await one.following.ask(["BTC/USD"])

        told = await one.told()
        await one.follow()

    assert (told["type"], told["fault"]) == ("lost", "bad_shape")


async def test_a_stream_that_was_merely_quiet_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.connectors.by_ccxt.following.BUSY_S", 0.0)
    async with engine() as one:
        await one.follow()
        await one.exchange.watched.put(OTHER)
        await one.told()

        await one.follow()

        assert one.exchange.forgotten == 0


async def test_signs_of_life_bear_their_time() -> None:
    async with engine() as one, asyncio.TaskGroup() as tasks:
        living = tasks.create_task(one.following.run())

        told = await one.told()
        living.cancel()

    assert told["type"] == "alive"
    assert told["at_ns"] > 0
