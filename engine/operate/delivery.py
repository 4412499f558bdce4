"""What is handed over is tried until it is taken; what is told of it is kept until it is booked.

The same for transactions and for orders. Nothing here waits on the hot path, and nothing is
decided: what is lost on the way, or told twice, ends the same, as each is carried out once under
its id and each word of news has a version.

Whoever carries it out keeps what it tells until the ledger has it booked, whichever run that was
in: only then it is acknowledged. What ended in an earlier run comes with what is booked of it.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from engine.domain.backoff import Backoff
from engine.domain.errors import BadValueError, TransientError
from engine.domain.recovery import ORDERS_HANDED

log = logging.getLogger(__name__)

RETRY_S_FIRST: Final = 0.05
RETRY_S_MAX: Final = 2.0
CONFIRM_S_FIRST: Final = 0.2
CONFIRM_S_MAX: Final = 10.0
ASKED_MAX: Final = 200
"""Of so many the ledger is asked at a time."""


class Told(Protocol):
    """A word of news, with its number; numbers only grow."""

    @property
    def number(self) -> int:
        """Its number."""
        ...

    @property
    def news(self) -> Any:
        """The word: it names its `client_order_id`."""
        ...


AskedT = TypeVar("AskedT")
AskedT_contra = TypeVar("AskedT_contra", contravariant=True)
ToldT = TypeVar("ToldT", bound=Told)
BookedT = TypeVar("BookedT")


class Line(Protocol[AskedT_contra, ToldT, BookedT]):
    """How whoever carries it out is spoken to, and the ledger.

    Attributes:
        who: it is, for the log.
    """

    who: str

    def knows(self, client_order_id: str) -> bool:
        """Say whether something of it is known in this run."""
        ...

    def ask_now(self, asked: AskedT_contra) -> Callable[[], Awaitable[Sequence[ToldT]]] | None:
        """Ask within this turn of the loop, and return what waits for what is told.

        None where it was not asked; see `bus.request.AsksNow`.
        """
        ...

    async def ask(self, asked: AskedT_contra) -> Sequence[ToldT]:
        """Ask once; return what is told.

        Raises:
            TransientError: it is away; it is asked again.
            BadValueError: it refuses for good.
        """
        ...

    async def untold(self, after: int) -> tuple[Sequence[ToldT], int]:
        """Return what was told after a number and is not acknowledged, and the newest number."""
        ...

    async def booked(self, client_order_ids: Sequence[str]) -> Mapping[str, BookedT]:
        """Return what the ledger has of each; of which nothing is booked is left out."""
        ...

    def is_booked(self, told: ToldT, booked: BookedT | None) -> bool:
        """Say whether a word is in what is booked."""
        ...

    def take(self, told: ToldT, booked: BookedT | None) -> None:
        """Make an input of a word."""
        ...

    async def acknowledge(self, numbers: tuple[int, ...]) -> None:
        """Say that these are booked."""
        ...

    async def look(self) -> bool:
        """Make inputs of what is ours where it is carried out; say whether any could be said."""
        ...


class Delivery(Generic[AskedT, ToldT, BookedT]):
    """The way there and back.

    Attributes:
        newest: number of the newest word there is, once all up to there were taken; else None.
    """

    def __init__(self, line: Line[AskedT, ToldT, BookedT], *, look_s: float) -> None:
        self.newest: int | None = None
        self._line = line
        self._look_s = look_s
        self._waiting: deque[AskedT] = deque()
        self._left: dict[int, Callable[[], Awaitable[Sequence[ToldT]]]] = {}
        self._has_more = asyncio.Event()
        self._unbooked: dict[int, ToldT] = {}
        self._has_unbooked = asyncio.Event()

    def add(self, asked: AskedT) -> None:
        """Ask this, after all before it; within this turn of the loop, if all those have left."""
        if len(self._left) == len(self._waiting):
            told = self._line.ask_now(asked)
            if told is not None:
                self._left[id(asked)] = told
        self._waiting.append(asked)
        self._has_more.set()

    def add_once(self, asked: AskedT) -> None:
        """Ask this unless it waits already."""
        if asked not in self._waiting:
            self.add(asked)

    async def run(self) -> None:
        """Hand over and listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for work in (self._push(), self._listen(), self._confirm(), self._look()):
                tasks.create_task(work)

    async def _push(self) -> None:
        backoff = Backoff(ORDERS_HANDED, first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        while True:
            if not self._waiting:
                self._has_more.clear()
                await self._has_more.wait()
            asked = self._waiting[0]
            told = self._left.get(id(asked))
            try:
                await self.learn(await (self._line.ask(asked) if told is None else told()))
            except TransientError as error:
                log.warning("%d wait for the %s: %s", len(self._waiting), self._line.who, error)
                self._left.clear()  # all of it is asked anew, one after the other
                await asyncio.sleep(backoff.next_s())
                continue
            except BadValueError as error:
                log.error(  # noqa: TRY400 - said whole
                    "the %s refuses %s: %s", self._line.who, asked, error
                )
            backoff.reset()
            self._left.pop(id(asked), None)
            with contextlib.suppress(ValueError):
                self._waiting.remove(asked)

    async def _listen(self) -> None:
        """Take all that is not acknowledged, first of earlier runs, then for ever."""
        backoff = Backoff(ORDERS_HANDED, first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        after = 0
        while True:
            try:
                news, newest = await self._line.untold(after)
                await self.learn(news)
            except TransientError as error:
                log.info("news of the %s: %s", self._line.who, error)
                await asyncio.sleep(backoff.next_s())
                continue
            backoff.reset()
            after = news[-1].number if news else max(newest, after)
            # All that was told up to there is taken; there may be more of a long list.
            self.newest = newest if after >= newest else None

    async def learn(self, news: Sequence[ToldT]) -> None:
        """Make inputs of news.

        Raises:
            TransientError: the ledger does not say what is booked.
        """
        unknown = [one for one in news if not self._line.knows(one.news.client_order_id)]
        booked = await self._booked(unknown)
        for one in news:
            known = booked.get(one.news.client_order_id)
            self._unbooked[one.number] = one
            if known is None or not self._line.is_booked(one, known):
                self._line.take(one, known)
        if news:
            self._has_unbooked.set()

    async def _booked(self, news: Sequence[ToldT]) -> dict[str, BookedT]:
        names = [*dict.fromkeys(one.news.client_order_id for one in news)]
        found: dict[str, BookedT] = {}
        for at in range(0, len(names), ASKED_MAX):
            found |= await self._line.booked(names[at : at + ASKED_MAX])
        return found

    async def _confirm(self) -> None:
        """Acknowledge what the ledger has booked."""
        backoff = Backoff(None, first_s=CONFIRM_S_FIRST, longest_s=CONFIRM_S_MAX)
        while True:
            if not self._unbooked:
                self._has_unbooked.clear()
                await self._has_unbooked.wait()
                backoff.reset()
            await asyncio.sleep(backoff.next_s())
            with contextlib.suppress(TransientError):
                await self.confirm()

    async def confirm(self) -> None:
        """Look once what is booked by now, and acknowledge it.

        Raises:
            TransientError: the ledger or whoever carries it out is away; nothing is lost by it.
        """
        booked = await self._booked([*self._unbooked.values()])
        done = tuple(
            number
            for number, one in self._unbooked.items()
            if self._line.is_booked(one, booked.get(one.news.client_order_id))
        )
        if done:
            await self._line.acknowledge(done)
        for number in done:
            self._unbooked.pop(number, None)

    async def _look(self) -> None:
        """Compare what is ours with the books, at the start and by period."""
        backoff = Backoff(ORDERS_HANDED, first_s=RETRY_S_FIRST, longest_s=RETRY_S_MAX)
        while True:
            try:
                is_seen = await self._line.look()
            except TransientError as error:
                log.info("what is ours, by the %s: %s", self._line.who, error)
                is_seen = False
            if is_seen:
                backoff.reset()
            await asyncio.sleep(self._look_s if is_seen else backoff.next_s())
