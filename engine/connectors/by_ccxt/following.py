"""What one connection of an engine follows at one exchange: a task for each book it asked for.

Only frames go out. A book that is lost is told so and not asked for again from here: how soon that
may be is the engine's to say. An engine that asks anew while changes came does not believe them;
then all streams begin afresh, as ccxt can drop them together only, and so they do where none has
changed between two requests. A book that is never believed does not cost the others for ever.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from engine.connectors.by_ccxt.losses import LostError, UnservedError
from engine.connectors.by_ccxt.messages import ALIVE, LOST, REFUSED
from engine.connectors.by_ccxt.telling import BookTeller
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault

POLL_S: Final = 1.0
"""Least time between two fetches of one book."""

ALIVE_S: Final = 1.0
BUSY_S: Final = 5.0
"""A stream that changed so lately is not asked for anew because it is quiet."""

DOUBTS_MAX: Final = 3
DOUBTS_S: Final = 600.0
"""So many times in so long streams begin afresh because one book of them is not believed."""

Say = Callable[[bytes], Awaitable[None]]


class Followed(Protocol):
    """An exchange as it is followed; `exchange.Exchange` is one."""

    async def ready(self) -> None:
        """Have the markets listed once."""
        ...

    def size_decimals(self, symbol: str) -> int:
        """Return the decimals of a size of a symbol."""
        ...

    async def fetch_book(self, symbol: str) -> Mapping[str, Any]:
        """Return a book as the exchange's REST has it."""
        ...

    async def watch_book(self, symbol: str) -> Mapping[str, Any]:
        """Wait for the next change of a book; return the book."""
        ...

    async def forget(self) -> None:
        """Drop all streams and the books that were kept by them."""
        ...


@dataclass(slots=True)
class _Book:
    """A book that is followed: by which task, and how often and when its stream changed last."""

    task: asyncio.Task[None]
    changes: int = 0
    changed_at_s: float = 0.0


class Following:
    """The books of one connection.

    Args:
        is_polled: each is fetched again and again, in place of a stream.
        say: sends a frame.
        tasks: runs what follows.
    """

    def __init__(
        self, exchange: Followed, *, is_polled: bool, say: Say, tasks: asyncio.TaskGroup
    ) -> None:
        self._exchange = exchange
        self._is_polled = is_polled
        self._say = say
        self._tasks = tasks
        self._books: dict[str, _Book] = {}
        self._doubted_at_s: dict[str, list[float]] = {}

    async def ask(self, symbols: Sequence[str]) -> None:
        """Tell books whole, and what changes of them from then on."""
        if not self._is_polled:
            is_doubted = [self._is_doubted(symbol) for symbol in symbols]
            if any(is_doubted) or self._are_silent(symbols):
                await self._exchange.forget()
        for symbol in symbols:
            if (book := self._books.pop(symbol, None)) is not None:
                book.task.cancel()
            self._books[symbol] = _Book(self._tasks.create_task(self._follow(symbol)))

    def close(self) -> None:
        """Follow nothing any more."""
        for book in self._books.values():
            book.task.cancel()

    async def run(self) -> None:
        """Give signs of life until cancelled: their delay shows how busy this process is."""
        while True:
            await self._say(_frame(ALIVE, at_ns=time.time_ns()))
            await asyncio.sleep(ALIVE_S)

    def _is_doubted(self, symbol: str) -> bool:
        """Say whether a book is asked for anew whose changes came until now."""
        book = self._books.get(symbol)
        if book is None or book.task.done() or not book.changes:
            return False  # one that was lost has left nothing to doubt
        now_s = _now_s()
        if now_s - book.changed_at_s >= BUSY_S:
            return False
        doubted_at_s = [
            at_s for at_s in self._doubted_at_s.get(symbol, ()) if now_s - at_s < DOUBTS_S
        ]
        self._doubted_at_s[symbol] = [*doubted_at_s, now_s]
        return len(doubted_at_s) < DOUBTS_MAX

    def _are_silent(self, symbols: Sequence[str]) -> bool:
        """Say whether a book is asked for anew, and none has changed since it was asked for."""
        waiting = [one for one in self._books.values() if not one.task.done()]
        is_again = any(symbol in self._books for symbol in symbols)
        return is_again and bool(waiting) and not any(one.changes for one in waiting)

    async def _follow(self, symbol: str) -> None:
        try:
            await self._exchange.ready()
            decimals = self._exchange.size_decimals(symbol)
            teller = BookTeller(symbol, size_decimals=decimals)
            while True:
                fetched_at_s = _now_s()
                await self._tell(teller, await self._exchange.fetch_book(symbol), is_fetched=True)
                if not self._is_polled:
                    break
                await asyncio.sleep(max(POLL_S - (_now_s() - fetched_at_s), 0))
            while True:
                book = await self._exchange.watch_book(symbol)
                followed = self._books[symbol]
                followed.changes += 1
                followed.changed_at_s = _now_s()
                await self._tell(teller, book, is_fetched=False)
        except LostError as error:
            await self._say(_frame(LOST, symbol=symbol, fault=error.fault.value, why=str(error)))
        except BadValueError as error:
            lost = _frame(LOST, symbol=symbol, fault=Fault.BAD_SHAPE.value, why=str(error))
            await self._say(lost)
        except UnservedError as error:
            await self._say(_frame(REFUSED, symbol=symbol, why=str(error)))

    async def _tell(self, teller: BookTeller, book: Mapping[str, Any], *, is_fetched: bool) -> None:
        frame = teller.tell(book, at_ns=time.time_ns(), is_fetched=is_fetched)
        if frame is not None:
            await self._say(frame)


def _frame(kind: str, **content: object) -> bytes:
    return msgspec.json.encode({"type": kind, **content})


def _now_s() -> float:
    return asyncio.get_running_loop().time()
