"""Orders that are signed while they are written down: what leaves needs both, neither the other.

They leave together, and their lines are free: each is had, then the signer is asked for all of them
by one question, and the table is synced while it signs. What then was not taken on does not leave,
whatever was signed: its signature is thrown away, and its id names no other order.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from engine.domain.errors import BadValueError, TransientError
from engine.domain.orders_handed import HandedOrder
from engine.domain.signing import SignRefusal
from engine.gateways.asks import PlaceAsk, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.venue_signing import LegIntent, PlanIntent, PlanSigned
from engine.storage.durable_file import Boundary, go_on
from engine.trading.line import Line

SignTogether = Callable[[PlanIntent], Awaitable[PlanSigned | SignRefusal]]
"""Asks the signer; raises `TransientError` where it is away."""

RehearseTogether = Callable[[PlanIntent], Awaitable[None]]
"""Has the signer go through orders before it is asked for them."""

Result = TypeVar("Result")

WRITTEN_AFTER: Final = 2
"""Turns of the loop until a question is on its way: its task begins, and uvloop writes at the end
of a turn."""


async def nobody_rehearses(_intent: PlanIntent) -> None:
    """Let the signer be as it is."""


@dataclass(slots=True)
class _Had:
    """A line that was had at once.

    Attributes:
        began_ms: when.
        is_taken: whoever lets the order leave gives the line back.
    """

    line: Line
    began_ms: int
    is_taken: bool = False


@dataclass(slots=True)
class Ahead:
    """Orders whose lines are had and that are being signed; see the module."""

    _signed: asyncio.Task[dict[str, SignedCall] | str]
    _lines: Mapping[str, _Had]

    @contextlib.contextmanager
    def turn(self, client_order_id: str) -> Iterator[int]:
        """Have the line of an order until the block ends; gives since when it is had."""
        had = self._lines[client_order_id]
        had.is_taken = True
        try:
            yield had.began_ms
        finally:
            had.line.give_back()

    async def signed(self, client_order_id: str) -> tuple[str, SignedCall | None]:
        """Return why an order is not signed, or how it is written."""
        signed = await asyncio.shield(self._signed)
        return (signed, None) if isinstance(signed, str) else ("", signed[client_order_id])

    def drop(self) -> None:
        """Let none of them leave by this; their lines are free again."""
        self._signed.cancel()
        for had in self._lines.values():
            if not had.is_taken:
                had.line.give_back()


@dataclass(slots=True, kw_only=True)
class Signing:
    """Whoever asks for signatures ahead.

    Attributes:
        sign: all orders of a question.
        rehearse: has the signer go through orders.
        crash: is told of each place between two effects; a test ends the process there.
    """

    sign: SignTogether
    rehearse: RehearseTogether = nobody_rehearses
    crash: Boundary = go_on
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def begin(self, lines: Sequence[tuple[HandedOrder, Line]]) -> Ahead | None:
        """Have the lines of orders that leave together and ask for their signatures.

        Returns once the question is on its way; None if a line is not free, or what they ask for
        is no one question: then nothing was done.
        """
        intent = plan_intent_of([handed for handed, _ in lines])
        if intent is None:
            return None
        had: dict[str, _Had] = {}
        for handed, line in lines:
            calls = _calls_of(handed, line)
            began_ms = line.take_at_once(calls) if calls else None
            if began_ms is None:
                for one in had.values():
                    one.line.give_back()
                return None
            had[handed.client_order_id] = _Had(line, began_ms)
        ahead = Ahead(self._spawn(self._ask(intent)), had)
        try:
            for _ in range(WRITTEN_AFTER):
                await asyncio.sleep(0)
        except BaseException:
            ahead.drop()
            raise
        return ahead

    async def aclose(self) -> None:
        """End what is being asked."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def rehearse_later(self, orders: Sequence[HandedOrder]) -> None:
        """Have the signer go through orders that leave together."""
        if (intent := plan_intent_of(orders)) is not None:
            self._spawn(self._rehearse(intent))

    async def _rehearse(self, intent: PlanIntent) -> None:
        # It is of no account: whatever is wrong the signature says, too.
        with contextlib.suppress(TransientError, BadValueError):
            await self.rehearse(intent)

    async def _ask(self, intent: PlanIntent) -> dict[str, SignedCall] | str:
        self.crash("before signing ahead")
        try:
            reply = await self.sign(intent)
        except TransientError as error:
            return f"it was not signed: {error}"
        self.crash("signed ahead")
        if isinstance(reply, SignRefusal):
            return f"not signed: {reply.detail}"
        return {
            one.client_order_id: signed.calls[0]
            for one, signed in zip(intent.orders, reply.orders, strict=True)
        }

    def _spawn(self, what: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def plan_intent_of(orders: Sequence[HandedOrder]) -> PlanIntent | None:
    """Return what the signer is asked for orders that leave together; None for no one thing."""
    first = orders[0]
    for one in orders[1:]:
        if (one.engine, one.purpose, one.plan, one.approved) != (
            first.engine,
            first.purpose,
            first.plan,
            first.approved,
        ):
            return None
    return PlanIntent(
        engine=first.engine,
        plan=first.plan,
        approved=first.approved,
        purpose=first.purpose,
        orders=tuple(
            LegIntent(request=one.request, client_order_id=one.client_order_id, leg=one.leg)
            for one in orders
        ),
    )


def _calls_of(handed: HandedOrder, line: Line) -> tuple[Call, ...]:
    """Return by what an order is placed; nothing if its venue takes no such order."""
    try:
        return calls_of(PlaceAsk(request=handed.request), line.gateway)
    except BadValueError:
        return ()
