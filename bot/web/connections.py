"""Connections of the gateway: how many there are, and how long one may say nothing whole.

The HTTP library takes a request's bytes as slowly as they come. Here each connection has a deadline
for the headers of its next request, and one for taking its answer; who keeps neither is cut. Where
all places are taken the one that waited longest gives way, so that a kill always finds a place.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one connection, and all of them, may take.

    Attributes:
        header_s: from its first byte to the last one of a request's headers.
        idle_s: between an answer and the next request.
        write_s: in which a client has to take some of an answer that waits for it.
        open_max: connections at once; a process may have 1,024 files open.
    """

    header_s: float = 10.0
    idle_s: float = 30.0
    write_s: float = 20.0
    open_max: int = 768


BOUNDS: Final = Bounds()


class Cut(StrEnum):
    """Why a connection was cut."""

    HEADERS = "headers"
    IDLE = "idle"
    READS_NOTHING = "reads_nothing"
    GAVE_WAY = "gave_way"
    FULL = "full"


class Connections:
    """The open connections.

    Attributes:
        cut: those that were cut, by why.
    """

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self.bounds = bounds
        self.cut: Counter[Cut] = Counter()
        self._open: dict[asyncio.BaseTransport, _Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def factory(self, server: Callable[[], asyncio.BaseProtocol]) -> Callable[[], "_Connection"]:
        """Return what makes the protocol of a connection, around the library's own."""
        return lambda: _Connection(self, cast("asyncio.Protocol", server()))

    def begin(self, request: web.Request) -> None:
        """Note that a whole request is there: what is slow from here on is bounded elsewhere."""
        if request.transport is not None and request.transport in self._open:
            self._open[request.transport].is_answering = True

    def end(self, request: web.Request) -> None:
        """Note that it has its answer."""
        if request.transport is not None and request.transport in self._open:
            self._open[request.transport].is_answering = False

    def admit(self, one: "_Connection", transport: asyncio.BaseTransport) -> bool:
        """Take a connection in; where there is no place for it, one that waits gives way."""
        if len(self._open) >= self.bounds.open_max:
            waiting = [held for held in self._open.values() if not held.is_answering]
            if not waiting:
                self.cut[Cut.FULL] += 1
                return False
            min(waiting, key=lambda held: held.since_s).end(Cut.GAVE_WAY)
        self._open[transport] = one
        return True

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection."""
        self._open.pop(transport, None)


class _Connection(asyncio.Protocol):
    """Stands before the library's protocol, and passes on what it hears."""

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self._connections = connections
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._is_answering = False
        self._has_begun = False
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self.since_s = self._loop.time()

    @property
    def is_answering(self) -> bool:
        """Say whether a whole request is being answered."""
        return self._is_answering

    @is_answering.setter
    def is_answering(self, value: bool) -> None:
        self._is_answering, self._has_begun = value, False
        self.since_s = self._loop.time()
        if value:
            _cancel(self._reading)
        else:
            self._await_within(self._connections.bounds.idle_s, Cut.IDLE)

    def end(self, why: Cut) -> None:
        """Cut it."""
        if self._transport is not None:
            self._connections.cut[why] += 1
            self._connections.leave(self._transport)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast("asyncio.Transport", transport)
        if not self._connections.admit(self, made):
            made.abort()
            return
        self._transport = made
        _give_up_on_who_is_gone(made, self._connections.bounds.write_s)
        self._inner.connection_made(made)
        self._await_within(self._connections.bounds.header_s, Cut.HEADERS)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if not self._is_answering and not self._has_begun:
            # From the first byte on, so that one more byte prolongs nothing.
            self._has_begun = True
            self._await_within(self._connections.bounds.header_s, Cut.HEADERS)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._transport is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()
        self._writing = self._loop.call_later(
            self._connections.bounds.write_s, self.end, Cut.READS_NOTHING
        )

    def resume_writing(self) -> None:
        _cancel(self._writing)
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._reading)
        _cancel(self._writing)
        if self._transport is not None:
            self._connections.leave(self._transport)
            self._transport = None
            self._inner.connection_lost(exc)

    def _await_within(self, seconds: float, why: Cut) -> None:
        _cancel(self._reading)
        self._reading = self._loop.call_later(seconds, self._late, seconds, why)

    def _late(self, seconds: float, why: Cut) -> None:
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._await_within(seconds, why)  # it still takes its answer: that has its own bound
        else:
            self.end(why)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def _give_up_on_who_is_gone(transport: asyncio.Transport, seconds: float) -> None:
    """Have the system close a connection whose other end confirms nothing any more."""
    made = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if made is not None and option is not None:
        made.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1_000))
