"""The only place of the connectors that touches the network's sockets: one connection of one feed.

Everything that happens becomes one call of `accept`, which numbers and records the input, hands it
to the feed and returns the feed's actions; the session carries these out.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from engine.connectors.arrivals import TimedConnection, timed_by, wait_text
from engine.connectors.rest import TOO_MANY, RestClient
from engine.domain.backoff import wait_after
from engine.domain.errors import TransientError
from engine.domain.recovery import FEED_RECONNECT, Recovery
from engine.ports import Action, Fetch, InputKind, Reconnect, Relist, Send

BODY_SHOWN_BYTES = 100
"""So much of a refused handshake's answer is told, unless it is a page."""


class Accept(Protocol):
    """Takes an input of the session and returns what the feed wants done."""

    def __call__(self, kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Number, record and dispatch one input, in the order of the calls."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """Limits of a session.

    Attributes:
        message_bytes_max: the transport cuts the connection at larger messages. Set above the
            feed's own limit, so that the feed sees and counts what is only a little too large.
        backoff_s_min, backoff_s_max: pause before a new connection, doubled at each failure.
        steady_s: a connection that lasted this long ends the doubling.
        sends_max, fetches_max: actions that may wait; more end the connection.
        frames_at_once: frames taken before other tasks get a turn; they take 20 us each, and
            nothing shall hold the loop for a millisecond.
    """

    message_bytes_max: int = 17 * 1024 * 1024
    open_timeout_s: float = 10.0
    close_timeout_s: float = 2.0
    send_timeout_s: float = 5.0
    ping_interval_s: float = 10.0
    ping_timeout_s: float = 10.0
    backoff_s_min: float = 0.25
    backoff_s_max: float = 30.0
    steady_s: float = 10.0
    sends_max: int = 2_000
    fetches_max: int = 1_000
    frames_at_once: int = 32


@dataclass(slots=True)
class _Connection:
    """What belongs to one connection and is gone with it."""

    socket: TimedConnection
    sends: asyncio.Queue[str]
    fetches: asyncio.Queue[Fetch]
    waiting_keys: set[str] = field(default_factory=set)
    end: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""
    error: Exception | None = None

    def finish(self, why: str) -> None:
        if not self.end.is_set():
            self.why = why
            self.end.set()


class Session:
    """Keeps one feed connected until cancelled.

    Attributes:
        list_wanted: set when the feed wants the venue's instrument list anew.
        trouble: why the venue cannot be connected to now; empty while it can.

    Args:
        websocket_url: where to connect.
        proxy: through which to connect, None for directly.
        rest: carries out the feed's fetches.
        accept: takes everything that happens.
        now_ns: wall clock; a frame's `key` says when it was received, if it had to wait since.
        jitter: returns a number from 0 to 1; spreads the reconnects of many sessions.
        component: what it connects, by whose name its reconnects are counted.
    """

    def __init__(
        self,
        *,
        websocket_url: str,
        rest: RestClient,
        accept: Accept,
        now_ns: Callable[[], int],
        jitter: Callable[[], float],
        limits: SessionLimits,
        proxy: str | None = None,
        component: str = "",
    ) -> None:
        self._recovery = Recovery(FEED_RECONNECT, of=component)
        self._url = websocket_url
        self._proxy = proxy
        self._rest = rest
        self._accept = accept
        self._now_ns = now_ns
        self._jitter = jitter
        self._limits = limits
        self._connection: _Connection | None = None
        self.trouble = ""
        self.list_wanted = asyncio.Event()

    async def run(self) -> None:
        """Connect, and connect again whenever a connection ends, until cancelled."""
        failures = 0
        while True:
            started_s = asyncio.get_running_loop().time()
            await self._one_connection()
            lasted_s = asyncio.get_running_loop().time() - started_s
            failures = 0 if lasted_s >= self._limits.steady_s else failures + 1
            self._recovery.failed()
            await asyncio.sleep(self._backoff_s(failures))

    def perform(self, actions: Sequence[Action]) -> None:
        """Carry out what the feed asked for; without a connection there is nothing to be done."""
        connection = self._connection
        if connection is None:
            return
        for action in actions:
            match action:
                case Send(text=text):
                    if connection.sends.full():
                        connection.finish(f"{self._limits.sends_max} frames wait to be sent")
                    else:
                        connection.sends.put_nowait(text)
                case Fetch(key=key):
                    if key in connection.waiting_keys:
                        continue
                    if connection.fetches.full():
                        connection.finish(f"{self._limits.fetches_max} requests wait")
                    else:
                        connection.waiting_keys.add(key)
                        connection.fetches.put_nowait(action)
                case Reconnect(why=why):
                    connection.finish(why)
                case Relist():
                    self.list_wanted.set()

    async def _one_connection(self) -> None:
        """Open, serve and close one connection; each way it can end becomes one CLOSED input."""
        limits = self._limits
        await self._rest.limiter.turn()
        try:
            socket = await connect(
                self._url,
                max_size=limits.message_bytes_max,
                open_timeout=limits.open_timeout_s,
                close_timeout=limits.close_timeout_s,
                ping_interval=limits.ping_interval_s,
                ping_timeout=limits.ping_timeout_s,
                compression=None,
                create_connection=timed_by(
                    self._now_ns, at_once=limits.frames_at_once, meter=self._rest.limiter.meter
                ),
                proxy=self._proxy,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            if isinstance(error, InvalidStatus):
                self._obey(error)
            self.trouble = f"cannot connect: {_reason(error)}"[:300]
            self._accept(InputKind.CLOSED, self.trouble, b"", self._now_ns())
            return
        self.trouble = ""
        self._recovery.works()
        meter = self._rest.limiter.meter
        meter.connections += 1
        try:
            assert isinstance(socket, TimedConnection)
            await self._serve(socket)
        finally:
            meter.connections -= 1
            await socket.close()

    def _obey(self, error: InvalidStatus) -> None:
        status = error.response.status_code
        retry_after = error.response.headers.get("Retry-After", "")
        if retry_after or status in TOO_MANY:
            self._rest.limiter.refused(status, retry_after)

    async def _serve(self, socket: TimedConnection) -> None:
        connection = self._connection = _Connection(
            socket=socket,
            sends=asyncio.Queue(self._limits.sends_max),
            fetches=asyncio.Queue(self._limits.fetches_max),
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                self._take(InputKind.OPENED, "", b"")
                serving = [
                    tasks.create_task(self._receive(connection)),
                    tasks.create_task(self._send(connection)),
                    tasks.create_task(self._fetch(connection)),
                ]
                socket.hand_over = partial(self._hand_over, connection)
                # The end is an event, not an error of a task: a group that an error ends can
                # swallow a cancellation that comes at the same time.
                try:
                    await connection.end.wait()
                finally:
                    socket.hand_over = None
                    for task in serving:
                        task.cancel()
                if connection.error is not None:
                    raise connection.error
        finally:
            self._connection = None
            why = connection.why or "cancelled"
            self._accept(InputKind.CLOSED, why[:300], b"", self._now_ns())

    def _hand_over(self, connection: _Connection, payload: bytes, read_at_ns: int) -> None:
        """Take a frame where its bytes were read; the loop would only log what is raised there."""
        if connection.end.is_set():
            return
        at_ns = self._now_ns()
        try:
            waited = wait_text(read_at_ns, at_ns)
            if actions := self._accept(InputKind.FRAME, waited, payload, at_ns):
                self.perform(actions)
        except Exception as error:  # noqa: BLE001 - it is raised where the connection is served
            connection.error = error
            connection.finish(f"{type(error).__name__}: {error}")

    async def _receive(self, connection: _Connection) -> None:
        """Take the frames that were too many to be handed over."""
        # A dead peer is found by the pings of the transport, so recv itself needs no timeout.
        taken, socket, arrivals = 0, connection.socket, connection.socket.arrivals
        try:
            while not connection.end.is_set():
                payload = await socket.recv(decode=False)
                at_ns = self._now_ns()
                waited = wait_text(arrivals.popleft(), at_ns)
                if actions := self._accept(InputKind.FRAME, waited, payload, at_ns):
                    self.perform(actions)
                taken += 1
                if taken % self._limits.frames_at_once == 0:
                    await asyncio.sleep(0)
        except ConnectionClosed as error:
            connection.finish(f"closed: {error}")

    async def _send(self, connection: _Connection) -> None:
        while True:
            text = await connection.sends.get()
            try:
                async with asyncio.timeout(self._limits.send_timeout_s):
                    await connection.socket.send(text)
                    self._rest.limiter.meter.sent_bytes += len(text)
            except (ConnectionClosed, TimeoutError) as error:
                connection.finish(f"cannot send: {type(error).__name__} {error}")
                return

    async def _fetch(self, connection: _Connection) -> None:
        while True:
            fetch = await connection.fetches.get()
            try:
                payload = await self._rest.get(fetch.path)
            except TransientError as error:
                connection.waiting_keys.discard(fetch.key)
                self._take(InputKind.FETCH_FAILED, fetch.key, str(error)[:300].encode())
            else:
                connection.waiting_keys.discard(fetch.key)
                self._take(InputKind.FETCHED, fetch.key, payload)

    def _take(self, kind: InputKind, key: str, payload: bytes) -> None:
        actions = self._accept(kind, key, payload, self._now_ns())
        if actions:
            self.perform(actions)

    def _backoff_s(self, failures: int) -> float:
        limits = self._limits
        wait_s = wait_after(failures, first=limits.backoff_s_min, longest=limits.backoff_s_max)
        return wait_s * (0.5 + 0.5 * self._jitter())


def _reason(error: Exception) -> str:
    """Say what a refused handshake answered, or what else went wrong."""
    if not isinstance(error, InvalidStatus):
        return f"{type(error).__name__}: {error}"
    answer = error.response
    body = bytes(answer.body or b"")[:BODY_SHOWN_BYTES].decode(errors="replace")
    text = " ".join(body.split())
    shown = f"status {answer.status_code} {answer.reason_phrase}"
    return f"{shown}: {text}" if text and not text.startswith("<") else shown
