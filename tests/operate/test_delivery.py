"""What is handed over leaves within the turn that makes it, in its order, and is asked anew if
that failed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from engine.domain.errors import BadValueError, TransientError
from engine.operate.delivery import Delivery
from tests.patience import PATIENCE_S


class Far:
    """Whoever carries it out, at the other end of a line; obeys `delivery.Line`.

    Attributes:
        left: what was asked, in the order in which it left.
        is_near: it can be asked within the turn of the loop.
    """

    who = "trader"

    def __init__(self, *, is_near: bool = True) -> None:
        self.left: list[str] = []
        self.is_near = is_near
        self.fails: list[Exception | None] = []
        self.goes_on = asyncio.Event()
        self.changed = asyncio.Event()

    def ask_now(self, asked: str) -> Callable[[], Awaitable[Sequence[Any]]] | None:
        if not self.is_near or asked.startswith("after"):
            return None
        self.left.append(asked)
        return self._answered

    async def ask(self, asked: str) -> Sequence[Any]:
        self.left.append(asked)
        return await self._answered()

    async def _answered(self) -> Sequence[Any]:
        await self.goes_on.wait()
        self.changed.set()
        if self.fails and (error := self.fails.pop(0)) is not None:
            raise error
        return ()

    async def until(self, left: list[str]) -> None:
        while self.left != left:
            await asyncio.sleep(0)

    def knows(self, client_order_id: str) -> bool:
        raise AssertionError(client_order_id)

    async def untold(self, after: int) -> tuple[Sequence[Any], int]:
        await asyncio.Event().wait()
        return (), after

    async def booked(self, client_order_ids: Sequence[str]) -> Mapping[str, Any]:
        assert not client_order_ids
        return {}

    def is_booked(self, told: Any, booked: Any) -> bool:
        raise AssertionError((told, booked))

    def take(self, told: Any, booked: Any) -> None:
        raise AssertionError((told, booked))

    async def acknowledge(self, numbers: tuple[int, ...]) -> None:
        raise AssertionError(numbers)

    async def look(self) -> bool:
        return True


@asynccontextmanager
async def running(far: Far) -> AsyncIterator[Delivery[str, Any, Any]]:
    delivery: Delivery[str, Any, Any] = Delivery(far, look_s=PATIENCE_S)
    task = asyncio.create_task(delivery.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield delivery
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_handed_over_leaves_at_once_also_while_others_wait_for_their_answer() -> None:
    far = Far()
    async with running(far) as delivery:
        delivery.add("a")
        delivery.add("b")
        assert far.left == ["a", "b"]
        far.goes_on.set()
        delivery.add("c")
        while delivery._waiting:
            await asyncio.sleep(0)

    assert far.left == ["a", "b", "c"], "each is asked once"


async def test_nothing_overtakes_what_did_not_leave_yet() -> None:
    far = Far()
    async with running(far) as delivery:
        delivery.add("after a")
        delivery.add("b")
        assert far.left == []
        far.goes_on.set()
        await far.until(["after a", "b"])


async def test_what_failed_is_asked_anew_and_so_is_all_that_left_behind_it() -> None:
    far = Far()
    far.fails = [TransientError("the connection is lost")]
    far.goes_on.set()
    async with running(far) as delivery:
        delivery.add("a")
        delivery.add("b")
        await far.until(["a", "b", "a", "b"])


async def test_what_is_refused_for_good_holds_nothing_up() -> None:
    far = Far()
    far.fails = [BadValueError("never")]
    far.goes_on.set()
    async with running(far) as delivery:
        delivery.add("a")
        delivery.add("b")
        while delivery._waiting:
            await asyncio.sleep(0)

    assert far.left == ["a", "b"]


async def test_where_nothing_can_leave_within_a_turn_it_leaves_after_it() -> None:
    far = Far(is_near=False)
    far.goes_on.set()
    async with running(far) as delivery:
        delivery.add("a")
        delivery.add("b")
        assert far.left == []
        await far.until(["a", "b"])
