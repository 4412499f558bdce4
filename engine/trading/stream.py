"""A venue's user stream: what becomes of orders is heard as it happens, and nothing depends on it.

Whatever may have been missed is looked up: all under way after each opening, each gap and each end,
and the whole account is compared then, too.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from engine.domain.backoff import Backoff
from engine.domain.errors import TransientError
from engine.domain.recovery import ORDER_STREAM
from engine.domain.signing import SignRefusal
from engine.domain.venue_orders import OrderShown, TradeShown
from engine.gateways.answers import Unclear
from engine.gateways.asks import WIRE_NAMES_MAX, StreamAsk, calls_of
from engine.gateways.gateway import StreamFact, StreamGap, StreamNumber, StreamReady
from engine.gateways.stream import StreamAnswer, StreamOpening, is_of_socket
from engine.gateways.venue_signing import VenueIntent
from engine.trading.turns import Urgency
from engine.trading.venue_work import VenueWork

log = logging.getLogger(__name__)

OPEN_S: Final = 10.0
AGAIN_S_FIRST: Final = 0.5
AGAIN_S_MAX: Final = 30.0
FRAME_BYTES_MAX: Final = 4 * 1024 * 1024

_GONE: Final = (aiohttp.ClientError, OSError, TimeoutError, TransientError)
"""How a stream ends; it is opened anew."""


@dataclass(slots=True, kw_only=True)
class VenueStream:
    """See the module.

    Attributes:
        client: opens sockets.
        base_url: of the venue's stream.
        engine: in whose name it is opened.
        repaired: is called when the account has to be compared, as something may have been missed.
    """

    work: VenueWork
    client: aiohttp.ClientSession
    base_url: str
    engine: str
    repaired: Callable[[], None]
    _names: dict[str, None] = field(default_factory=dict)
    _has_more: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: dict[str, int] = field(default_factory=dict)
    _readies: int = 0

    def want(self, wire_name: str) -> None:
        """Be told of an instrument, too; where that takes it, the stream is opened anew.

        Of more than one stream may be of, those that were wanted last: of others look-ups tell.
        """
        if not self.work.line.gateway.is_by_market:
            return
        is_new = wire_name not in self._names
        self._names.pop(wire_name, None)
        self._names[wire_name] = None
        while len(self._names) > WIRE_NAMES_MAX:
            del self._names[next(iter(self._names))]
        if is_new:
            self.work.desk.wants_stream = True
            self._has_more.set()

    async def run(self) -> None:
        """Listen for ever."""
        backoff = Backoff(
            ORDER_STREAM,
            first_s=AGAIN_S_FIRST,
            longest_s=AGAIN_S_MAX,
            of=f"orders/{self.work.desk.venue}",
        )
        for one in self.work.desk.followed.values():
            self.want(one.handed.request.wire_name)
        while True:
            if self.work.line.gateway.is_by_market and not self._names:
                self.work.desk.wants_stream = False
                await self._has_more.wait()
            self._has_more.clear()
            why = ""
            try:
                await self._live()
            except _GONE as error:
                why = str(error) or type(error).__name__
            finally:
                was_up = self.work.desk.has_stream
                self._lost()
            if was_up or not why:
                backoff.reset()
            if why:
                log.info("user stream of %s: %s", self.work.desk.venue, why)
                await asyncio.sleep(backoff.next_s())

    async def _live(self) -> None:
        """Open it and listen until it ends, or has to be another one.

        Raises:
            TransientError: it cannot be opened, or fell silent.
        """
        socket, opening = await self._open()
        self._numbers.clear()
        self._readies = 0
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(socket.close)
            for message in opening.messages:
                await socket.send_str(message.decode())
            tasks = [
                asyncio.create_task(self._listen(socket, opening.readies)),
                asyncio.create_task(self._beat(socket)),
                asyncio.create_task(self._has_more.wait()),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self) -> tuple[aiohttp.ClientWebSocketResponse, StreamOpening]:
        """Connect; what is signed for it arrives before anything that is signed later."""
        line, names = self.work.line, tuple(sorted(self._names))
        ask = StreamAsk(wire_names=names)
        calls = calls_of(ask, line.gateway)
        async with line.turn(Urgency.READ, calls), asyncio.timeout(OPEN_S):
            signed = await line.sign(
                VenueIntent(engine=self.engine, venue=line.gateway.venue, ask=ask)
            )
            if isinstance(signed, SignRefusal):
                raise TransientError(signed.detail)
            answers = []
            for one in signed.calls:
                if is_of_socket(one):
                    continue
                reply = await line.send(one)
                if isinstance(reply, str):
                    raise TransientError(reply)
                answers.append(StreamAnswer(status=reply.status, body=reply.body))
            opening = line.gateway.opening(names, signed.calls, answers)
            if isinstance(opening, Unclear):
                raise TransientError(opening.why)
            socket = await self.client.ws_connect(
                self.base_url + opening.path,
                headers=opening.headers,
                max_msg_size=FRAME_BYTES_MAX,
            )
        return socket, opening

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse, readies: int) -> None:
        silent_s = self.work.line.gateway.after_open().silent_s_max
        while True:
            async with asyncio.timeout(silent_s):
                message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._hear(message.data.encode(), readies)
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._hear(message.data, readies)
            else:
                raise TransientError(f"it ended: {message.type.name} {message.extra or ''}".strip())

    async def _beat(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        care = self.work.line.gateway.after_open()
        if not care.beat:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(care.beat_s)
            await socket.send_str(care.beat.decode())

    def _hear(self, frame: bytes, readies: int) -> None:
        for fact in self.work.line.gateway.streamed(frame):
            self._take(fact, readies)

    def _take(self, fact: StreamFact, readies: int) -> None:
        desk = self.work.desk
        if isinstance(fact, OrderShown | TradeShown):
            self.work.do(desk.heard(fact))
        elif isinstance(fact, StreamNumber):
            last = self._numbers.get(fact.channel, fact.number - 1)
            self._numbers[fact.channel] = fact.number
            if fact.number != last + 1:
                self._repair(f"number {fact.number} after {last}")
        elif isinstance(fact, StreamGap):
            self._repair(fact.why)
        elif isinstance(fact, StreamReady):
            self._readies += 1
            if self._readies == readies:
                desk.has_stream = True
                self._repair("")

    def _repair(self, why: str) -> None:
        """Look up what may have been missed."""
        if why:
            log.info("user stream of %s missed something: %s", self.work.desk.venue, why)
        self.work.do(self.work.desk.missed())
        self.repaired()

    def _lost(self) -> None:
        if self.work.desk.has_stream:
            self.work.desk.has_stream = False
            self._repair("it ended")
