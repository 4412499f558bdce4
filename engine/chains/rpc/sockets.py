"""WebSockets to a provider: for questions, and for what a subscription tells."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from engine.chains.ports import BODIES, Json, Topic
from engine.chains.rpc.links import Limited, LinkLimits, trouble_of
from engine.chains.rpc.messages import Answer, Asked, answers_to, decode, encode
from engine.chains.rpc.troubles import ProviderError, Trouble
from engine.domain.traffic import Meter

_TOO_BIG: Final = 1009
"""How a WebSocket is closed by whom a message is too large for."""

_SUBSCRIBE_ID: Final = 1
_EARLY_MAX: Final = 1_000
"""So much may be told of subscriptions before the one that was asked for is confirmed."""


class SocketLink:
    """Asks over WebSockets, one question at a time on each; those that stand are used again."""

    def __init__(
        self,
        url: str,
        proxy: str | None,
        limits: LinkLimits,
        limited: Limited,
        *,
        meter: Meter | None = None,
    ) -> None:
        self._meter = meter or Meter()
        self._url = url
        self._proxy = proxy
        self._limits = limits
        self._limited = limited
        self._idle: list[ClientConnection] = []
        self._open_ones: set[ClientConnection] = set()
        self._asking: set[ClientConnection] = set()
        self._is_closed = False

    async def ask(
        self, asked: Sequence[Asked], first_id: int, *, within_s: float
    ) -> list[Json | ProviderError]:
        """Return what the message says that follows the question."""
        try:
            async with (
                asyncio.timeout(min(within_s, self._limits.answer_s)),
                self._taken() as socket,
            ):
                content = encode(asked, first_id).decode()
                self._meter.sent_bytes += len(content)
                await socket.send(content)
                said = await socket.recv()
                self._meter.received_bytes += len(said)
                return answers_to(asked, first_id, decode(said, asked))
        except TimeoutError:
            raise ProviderError(Trouble.TIMEOUT, "no answer in time") from None

    async def close(self) -> None:
        """Close all sockets, also those that tell of subscriptions: the key is not used again.

        One that is waited at for an answer is closed with that.
        """
        self._is_closed = True
        for socket in self._open_ones - self._asking:
            self._drop(socket)

    async def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None
    ) -> AsyncGenerator[Json, None]:
        """Give what a subscription tells, over a socket of its own, until that breaks."""
        asked: Asked = ("eth_subscribe", [topic, *_words(topic, params)])
        socket = await self._open()
        try:
            await socket.send(encode([asked], _SUBSCRIBE_ID).decode())
            told = _told(
                socket,
                asked,
                answer_s=self._limits.answer_s,
                silence_s=self._silence_s(topic),
                meter=self._meter,
            )
            async with aclosing(told):
                async for word in told:
                    yield word
        except (OSError, WebSocketException) as error:
            raise self._trouble(error) from None
        finally:
            self._drop(socket)

    def _silence_s(self, topic: Topic) -> float | None:
        """Return how long a topic can be silent; events and transactions may stay away for ever."""
        return self._limits.head_silence_s if topic is Topic.HEADS else None

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[ClientConnection]:
        """Take a kept socket, or open one; it is kept only if its question was answered."""
        socket = self._kept() or await self._open()
        is_sound = False
        self._asking.add(socket)
        try:
            yield socket
            is_sound = True
        except (OSError, WebSocketException) as error:
            if isinstance(error, TimeoutError):
                raise
            raise self._trouble(error) from None
        finally:
            self._asking.discard(socket)
            if is_sound and not self._is_closed and len(self._idle) < self._limits.sockets_kept:
                self._idle.append(socket)
            else:
                self._drop(socket)  # its answer may still come, and would be another's

    def _kept(self) -> ClientConnection | None:
        while self._idle:
            socket = self._idle.pop()
            if socket.state is State.OPEN:
                return socket
            self._drop(socket)
        return None

    def _drop(self, socket: ClientConnection) -> None:
        if socket in self._open_ones:
            self._meter.connections -= 1
        self._open_ones.discard(socket)
        socket.transport.abort()

    async def _open(self) -> ClientConnection:
        limits = self._limits
        try:
            socket = await connect(
                self._url,
                max_size=limits.answer_bytes_max,
                open_timeout=limits.open_s,
                close_timeout=limits.close_s,
                ping_interval=limits.ping_s,
                ping_timeout=limits.ping_s,
                compression=None,
                proxy=self._proxy,
            )
            self._open_ones.add(socket)
            self._meter.connections += 1
        except (OSError, WebSocketException, ValueError) as error:
            raise self._trouble(error) from None
        return socket

    def _trouble(self, error: Exception) -> ProviderError:
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            trouble = trouble_of(status) or Trouble.HTTP_STATUS
            if trouble is Trouble.LIMITED:
                self._limited(error.response.headers.get("Retry-After", ""))
            return ProviderError(trouble, f"status {status}")
        if isinstance(error, TimeoutError):
            return ProviderError(Trouble.TIMEOUT, "it does not open in time")
        if isinstance(error, ConnectionClosed):
            closed = error.sent or error.rcvd
            code = closed.code if closed else 0
            trouble = Trouble.OVERSIZE if code == _TOO_BIG else Trouble.DISCONNECTED
            return ProviderError(trouble, f"closed, code {code}")
        return ProviderError(Trouble.DISCONNECTED, type(error).__name__)


def _words(topic: Topic, params: Mapping[str, Json] | None) -> list[Json]:
    """Return what a subscription is asked with besides its topic."""
    if params is None:
        return []
    return [True] if topic is Topic.PENDING and params == BODIES else [dict(params)]


async def _told(
    socket: ClientConnection,
    asked: Asked,
    *,
    answer_s: float,
    silence_s: float | None,
    meter: Meter,
) -> AsyncGenerator[Json, None]:
    """Give what is told of the subscription asked for; news may outrun its confirmation."""
    early: list[Answer] = []
    async with _deadline(answer_s, Trouble.TIMEOUT):
        name = None
        while name is None:
            said = decode(await socket.recv())
            if isinstance(said, Answer) and said.method is not None:
                early.append(said)
                if len(early) > _EARLY_MAX:
                    raise ProviderError(Trouble.BAD_SHAPE, "news, and no subscription")
                continue
            name = _confirmed(said, asked)
    for news in early:
        if (word := _word_of(news, name)) is not None:
            yield word
    while True:
        word = None
        async with _deadline(silence_s, Trouble.SILENT):
            while word is None:  # what is told of other subscriptions breaks no silence
                news_text = await socket.recv()
                meter.received_bytes += len(news_text)
                word = _word_of(decode(news_text), name)
        yield word


def _confirmed(said: Answer | list[Answer], asked: Asked) -> str:
    [answer] = answers_to([asked], _SUBSCRIBE_ID, said)
    if isinstance(answer, ProviderError):
        raise answer
    if not isinstance(answer, str):
        raise ProviderError(Trouble.BAD_SHAPE, "a subscription without a name")
    return answer


def _word_of(said: Answer | list[Answer], name: str) -> Json | None:
    """Return what a message tells of a subscription, None if it is about another."""
    if isinstance(said, list) or not isinstance(said.params, dict):
        raise ProviderError(Trouble.BAD_SHAPE, "no news of a subscription")
    if said.params.get("subscription") != name:
        return None
    word: Json = said.params.get("result")
    if word is None:
        raise ProviderError(Trouble.BAD_SHAPE, "news of nothing")
    return word


@asynccontextmanager
async def _deadline(within_s: float | None, trouble: Trouble) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError:
        raise ProviderError(trouble, f"nothing for {within_s:g} s") from None
