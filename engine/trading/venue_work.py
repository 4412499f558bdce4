"""One venue at work: orders leave, what is to be asked is asked, and the answers go to the desk.

Tasks here are broken off without loss: what is on disk is looked up by whoever starts next.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.domain.errors import BadValueError, TransientError
from engine.domain.orders_handed import HandedOrder
from engine.domain.signing import SignRefusal
from engine.domain.units import NS_PER_MS
from engine.gateways.answers import (
    CancelTaken,
    CancelVain,
    Found,
    PlaceAnswer,
    Placed,
    Stop,
    Unclear,
)
from engine.gateways.asks import CancelAsk, HoldOffAsk, LookUpAsk, PlaceAsk, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.storage.durable_file import Boundary, go_on
from engine.trading.account import UnreadError, read_trades
from engine.trading.acts import Cancel, LookUp
from engine.trading.ahead import Ahead
from engine.trading.departure import Departure
from engine.trading.desk import POLL, Todo, VenueDesk
from engine.trading.line import Line
from engine.trading.turns import Urgency
from engine.trading.wire import Reply

log = logging.getLogger(__name__)

IDLE_S: Final = 30.0
"""Longest sleep between two looks at what is due."""

REPLAY_MS: Final = 2_000
"""A replay that has no turn for so long is given up: another look-up asks for it anew."""

CLOCKS_MS: Final = 120_000
"""By so much a venue's clock may be off ours where orders of a time are listed."""


@dataclass(slots=True, kw_only=True)
class VenueWork:
    """See the module.

    Attributes:
        why_not: says why an order does not leave now, by latch and standing; empty if it may.
        stopped: is told why nothing more may be sent to the venue.
        wants: is told of each instrument before an order in it leaves.
        crash: is told of each place between two effects; a test ends the process there.
    """

    desk: VenueDesk
    line: Line
    why_not: Callable[[HandedOrder], str] = lambda _handed: ""
    stopped: Callable[[Stop, str], None] = lambda _stop, _why: None
    wants: Callable[[str], None] = lambda _wire_name: None
    crash: Boundary = go_on
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _asked: set[tuple[str, type]] = field(default_factory=set)
    _is_due: asyncio.Event = field(default_factory=asyncio.Event)
    _has_left: asyncio.Event = field(default_factory=asyncio.Event)
    _broken: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Take up what is on disk, and do what is due until cancelled.

        Raises:
            FatalError: the table of orders cannot be used.
        """
        self._broken = asyncio.get_running_loop().create_future()
        try:
            self.do(self.desk.resume())
            self._has_left.set()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._tick())
                both.create_task(self._hold_off())
                await self._broken
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def place(self, handed: HandedOrder, departure: Departure, ahead: Ahead | None) -> None:
        """Let an order leave that was taken on, with those that leave together with it.

        Args:
            handed: the order.
            departure: of all that leave together.
            ahead: has its line and has it signed; None where that is still to be done.
        """
        self.wants(handed.request.wire_name)
        self._spawn(self._place(handed, departure, ahead))

    def rehearse(self, handed: HandedOrder) -> None:
        """Go through placing an order; nothing leaves."""
        # It is of no account: whatever is wrong the placing says, too.
        with contextlib.suppress(BadValueError):
            self.line.rehearse(calls_of(PlaceAsk(request=handed.request), self.line.gateway))

    def do(self, todos: Iterable[Todo]) -> None:
        """Ask the venue what is to be asked; of one order one look-up at a time."""
        for todo in todos:
            key = (todo.client_order_id, type(todo.act))
            if key not in self._asked:
                self._asked.add(key)
                self._spawn(self._do(todo, key))
        self._is_due.set()

    # ---- placing

    async def _place(self, handed: HandedOrder, departure: Departure, ahead: Ahead | None) -> None:
        name, request = handed.client_order_id, handed.request
        try:
            left_ms = request.sent_before_ms - self.desk.wall_ns() // NS_PER_MS
            async with asyncio.timeout(max(left_ms, 0) / 1_000) as bound:
                async with self._line_had(handed, departure, ahead) as began_ms:
                    departure.has_line(handed.venue)
                    why, call = await self._signed(handed, ahead)
                    if call is None:
                        departure.fail(why)
                    why = await departure.ready() or self._why_left(handed)
                    if call is None or why:
                        self._withhold(name, why)
                        return
                    bound.reschedule(None)
                    self.crash("before sending")
                    self.desk.sent(name)
                    self._is_due.set()
                    self._has_left.set()
                    reply = await self.line.send(call)
                    self.crash("sent")
                self._placed(handed, reply, began_ms)
        except BadValueError as error:
            departure.fail(str(error))
            self._withhold(name, f"{handed.venue} takes no such order: {error}")
        except TimeoutError:
            departure.fail("another leg was not ready in time")
            self._withhold(name, "its time was over before it could leave")
        finally:
            departure.has_line(handed.venue)

    @contextlib.asynccontextmanager
    async def _line_had(
        self, handed: HandedOrder, departure: Departure, ahead: Ahead | None
    ) -> AsyncIterator[int]:
        """Have the line until the block ends; gives since when."""
        if ahead is not None:
            with ahead.turn(handed.client_order_id) as began_ms:
                yield began_ms
            return
        calls = calls_of(PlaceAsk(request=handed.request), self.line.gateway)
        await departure.may_take_line(handed.venue)
        async with self.line.turn(Urgency.PLACE, calls) as began_ms:
            yield began_ms

    async def _signed(
        self, handed: HandedOrder, ahead: Ahead | None
    ) -> tuple[str, SignedCall | None]:
        """Have an order signed; return why it is not, or how it is written."""
        if ahead is not None:
            return await ahead.signed(handed.client_order_id)
        if why := self._why_left(handed):
            return why, None
        self.crash("before signing")
        try:
            signed = await self.line.sign(_intent(handed))
        except TransientError as error:
            return f"it was not signed: {error}", None
        self.crash("signed")
        if isinstance(signed, SignRefusal):
            return f"not signed: {signed.detail}", None
        return "", signed.calls[0]

    def _why_left(self, handed: HandedOrder) -> str:
        """Say why an order that is about to leave may not; empty if it may."""
        if not self.desk.may_leave(handed.client_order_id):
            return "it was withheld"
        if self.desk.wall_ns() // NS_PER_MS >= handed.request.sent_before_ms:
            return "its time was over before it could leave"
        return self.why_not(handed)

    def _withhold(self, name: str, why: str) -> None:
        if self.desk.withhold(name, why):
            log.warning("%s does not leave: %s", name, why)

    def _placed(self, handed: HandedOrder, reply: Reply | str, began_ms: int) -> None:
        """Take what a placing was answered; without an answer the proof finds out."""
        answer: PlaceAnswer = Unclear(why=reply) if isinstance(reply, str) else (
            self.line.gateway.placed(handed.request, reply.status, reply.body)
        )  # fmt: skip
        if isinstance(answer, Placed):
            self.desk.fenced(began_ms)
        elif answer.stop is not None:
            self.stopped(answer.stop, answer.why)
        self.do(self.desk.answered(handed.client_order_id, answer))

    # ---- asking

    async def _do(self, todo: Todo, key: tuple[str, type]) -> None:
        try:
            if isinstance(todo.act, LookUp):
                await self._look_up(todo.client_order_id, todo.act)
            elif isinstance(todo.act, Cancel):
                await self._cancel(todo.client_order_id, todo.act.venue_order_id)
            else:
                await self._replay(todo.client_order_id)
        finally:
            self._asked.discard(key)
            self._is_due.set()

    async def _look_up(self, name: str, act: LookUp) -> None:
        one = self.desk.followed.get(name)
        if one is None:
            return
        request = one.handed.request
        ask = LookUpAsk(
            request=request,
            venue_order_id=act.venue_order_id,
            made_since_ms=one.handed.at_ns // NS_PER_MS - CLOCKS_MS,
        )

        def begins(calls: Sequence[Call]) -> None:
            self.desk.began(name, act.number, calls=len(calls))

        began_ms, answers = await self.line.ask(ask, Urgency.LOOK_UP, begins=begins)
        for answered in answers:
            if answered.reply is None:
                self.do(self.desk.lost(name, act.number))
                continue
            reply = answered.reply
            told = self.line.gateway.looked_up(request, answered.call, reply.status, reply.body)
            if isinstance(told, Unclear):
                if told.stop is not None:
                    self.stopped(told.stop, told.why)
            else:
                self.desk.fenced(began_ms)
            if isinstance(told, Found) and told.has_more:
                told = await self._to_the_end(ask)
            self.do(self.desk.looked_up(name, act.number, told))

    async def _to_the_end(self, ask: LookUpAsk) -> Found | Unclear:
        """Read the fills since an order was made, where one page of them is not all."""
        try:
            trades = await read_trades(
                self.line,
                ask.request.wire_name,
                ask.made_since_ms,
                fenced=self.desk.fenced,
                urgency=Urgency.LOOK_UP,
            )
        except UnreadError as error:
            return Unclear(why=str(error))
        return Found(orders=(), trades=tuple(trades))

    async def _cancel(self, name: str, venue_order_id: str) -> None:
        one = self.desk.followed.get(name)
        if one is None:
            return
        ask = CancelAsk(
            request=one.handed.request,
            venue_order_id=venue_order_id or one.proof.venue_order_id,
        )
        await self.cancel(ask, engine=one.handed.engine)
        # What it was filled for before is what counts, and a cancellation does not tell it.
        self.do([Todo(name, LookUp(POLL, one.proof.venue_order_id))])

    async def cancel(self, ask: CancelAsk, *, engine: str = "") -> None:
        """Cancel an order at the venue; as often as one likes."""
        began_ms, answers = await self.line.ask(ask, Urgency.CANCEL, engine=engine)
        for answered in answers:
            if answered.reply is None:
                continue
            told = self.line.gateway.cancelled(answered.reply.status, answered.reply.body)
            if isinstance(told, CancelTaken | CancelVain):
                self.desk.fenced(began_ms)

    async def _replay(self, name: str) -> None:
        """Send the very same body again, signed anew, where the venue makes that harmless."""
        one = self.desk.followed.get(name)
        if one is None or not self.line.gateway.rules.is_replay_harmless:
            return
        handed, asked_ms = one.handed, self.desk.now_ms()
        calls = calls_of(PlaceAsk(request=handed.request), self.line.gateway)
        async with self.line.turn(Urgency.PLACE, calls) as now_ms:
            if one.proof.is_proven or now_ms - asked_ms > REPLAY_MS or self.why_not(handed):
                return
            self.crash("before signing again")
            try:
                signed = await self.line.sign(_intent(handed))
            except TransientError as error:
                log.info("%s is not sent again: %s", name, error)
                return
            if not isinstance(signed, VenueSigned) or one.proof.is_proven:
                return
            self.crash("before sending again")
            self.desk.sent(name)
            reply = await self.line.send(signed.calls[0])
            self.crash("sent again")
        self._placed(handed, reply, now_ms)

    # ---- time

    async def _tick(self) -> None:
        while True:
            self._is_due.clear()
            self.do(self.desk.tick())
            self._is_due.clear()
            wait_s = min((self.desk.due_ms - self.desk.now_ms()) / 1_000, IDLE_S)
            try:
                async with asyncio.timeout(max(wait_s, 0)):
                    await self._is_due.wait()
            except TimeoutError:
                pass

    async def _hold_off(self) -> None:
        """Hold the venue's own switch off while anything of ours may rest.

        One that cancels all of the account is never armed: it would cancel somebody else's orders
        once nothing of ours is under way, and ours do not rest.
        """
        switch = self.line.gateway.dead_man
        if switch is None or switch.is_of_account:
            return
        while True:
            if not self.desk.may_rest:
                self._has_left.clear()
                await self._has_left.wait()
            await self.line.ask(HoldOffAsk(), Urgency.CANCEL)
            await asyncio.sleep(switch.renew_s)

    def _spawn(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        broken = self._broken
        if task.cancelled() or broken is None or broken.done():
            return
        if (error := task.exception()) is not None:
            broken.set_exception(error)


def _intent(handed: HandedOrder) -> VenueIntent:
    return VenueIntent(
        engine=handed.engine,
        venue=handed.venue,
        ask=PlaceAsk(request=handed.request),
        client_order_id=handed.client_order_id,
        plan=handed.plan,
        approved=handed.approved,
        leg=handed.leg,
        purpose=handed.purpose,
        latest_ms=handed.request.sent_before_ms,
    )
