"""A proxy between us and a node that spoils what goes through it, by script and by a seed.

It stands before any node that answers HTTP and WebSockets at one address (anvil does):

    async with fault_proxy("http://127.0.0.1:8545", seed=7) as proxy:
        proxy.on("eth_getLogs", Answered(other_logs), times=1)   # the next one has wrong logs
        proxy.on("eth_getTransactionReceipt", Answered(nothing)) # all receipts are null
        proxy.on("newHeads", Lost(), chance=0.1)                 # a tenth of the heads is lost
        proxy.on(ALL, Delayed(0.2))                              # everything takes longer
        ... ask proxy.url and proxy.socket_url instead of the node ...
        proxy.clear()                                            # faults end, the proxy goes on
        proxy.cut()                                              # each socket is closed now
        proxy.freeze()                                           # each socket is half-open now
        proxy.go_to(other_url)                                   # another node, of another branch

A rule is named by the method that it spoils; news of a subscription are named by their topic
(`newHeads`, `logs`, `newPendingTransactions`). The first rule that fits and whose chance comes up
does its work; it is used up after `times`. `proxy.asked` has all methods that came, `proxy.spoilt`
what was done to which. The faults:

| what                                | fault                                              |
|-------------------------------------|----------------------------------------------------|
| latency                             | `Delayed(seconds)`                                 |
| connection dropped                  | `Dropped()`; `proxy.cut()`                         |
| hangs, half-open                    | `Hung()`; `proxy.freeze()`                         |
| malformed JSON, anything else       | `Said("{")`                                        |
| wrong id                            | `WrongId()`                                        |
| 429 with Retry-After, any status    | `Status(429, retry_after="2")`                     |
| error of the node                   | `Failed(-32000, "header not found")`               |
| null receipts, wrong logs, ...      | `Answered(nothing)`, `Answered(other_logs)`        |
| other chain id, lying head hash     | `Answered(other_chain)`, `Answered(other_hash)`    |
| absurd numbers                      | `Answered(absurd)`                                 |
| huge answer                         | `Said("[" + "0," * 10_000_000 + "0]")`             |
| forgotten subscription, lost news   | `Lost()`                                           |
| news told twice                     | `Twice()`                                          |
| stale head                          | `proxy.hold_head(number)`; None lets it go         |
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import WSMsgType, web

ALL: Final = "*"
"""Of a rule: whatever the method."""

_BYTES_MAX: Final = 256 * 1024 * 1024
_LATEST: Final = ("latest", "safe", "finalized", "pending")


@dataclass(frozen=True)
class Delayed:
    """The answer comes so much later."""

    seconds: float


@dataclass(frozen=True)
class Dropped:
    """The connection is closed without an answer."""


@dataclass(frozen=True)
class Hung:
    """No answer ever comes; by a WebSocket nothing at all any more, not even a pong."""


@dataclass(frozen=True)
class Said:
    """This text takes the place of the whole answer."""

    text: str


@dataclass(frozen=True)
class WrongId:
    """The answer has another question's number."""


@dataclass(frozen=True)
class Status:
    """HTTP only: a status without an answer; by a WebSocket the connection is closed."""

    code: int
    retry_after: str = ""


@dataclass(frozen=True)
class Failed:
    """The node answers with an error."""

    code: int
    message: str


@dataclass(frozen=True)
class Answered:
    """The node's result, or a subscription's news, is changed."""

    change: Callable[[Any], Any]


@dataclass(frozen=True)
class Lost:
    """News of a subscription that never come, though its socket stands."""


@dataclass(frozen=True)
class Twice:
    """News of a subscription that come two times."""


Fault = Delayed | Dropped | Hung | Said | WrongId | Status | Failed | Answered | Lost | Twice


def nothing(_: Any) -> Any:
    """Answer with null."""
    return None


def other_logs(logs: Any) -> Any:
    """Leave the first event out and change the data of all others."""
    return [{**log, "data": "0x" + "11" * 32} for log in logs[1:]]


def other_chain(_: Any) -> Any:
    """Answer as Ethereum Classic."""
    return "0x3d"


def other_hash(block: Any) -> Any:
    """Give a block a hash that it does not have."""
    return {**block, "hash": "0x" + "de" * 32} if isinstance(block, dict) else block


def absurd(value: Any) -> Any:
    """Make each number one of 256 bits, however deep, and leave what looks like a hash or data."""
    if isinstance(value, dict):
        return {key: absurd(item) for key, item in value.items()}
    if isinstance(value, list):
        return [absurd(item) for item in value]
    is_number = isinstance(value, str) and value.startswith("0x") and len(value) <= 18
    return "0x" + "f" * 64 if is_number else value


@dataclass
class _Rule:
    method: str
    fault: Fault
    times: int | None
    chance: float


@dataclass(eq=False)
class _Socket:
    """One WebSocket of ours, and the node's behind it."""

    ours: web.WebSocketResponse
    transport: asyncio.Transport
    is_frozen: asyncio.Event = field(default_factory=asyncio.Event)
    topics: dict[str, str] = field(default_factory=dict)
    asked: dict[Any, tuple[str, Any]] = field(default_factory=dict)


class FaultProxy:
    """See the module.

    Attributes:
        url, socket_url: to be used in the node's place.
        asked: methods that were asked for, in their order.
        spoilt: methods and topics with what was done to them.
    """

    def __init__(self, upstream: str, client: aiohttp.ClientSession, *, seed: int) -> None:
        self.url = ""
        self.socket_url = ""
        self.asked: list[str] = []
        self.spoilt: list[tuple[str, Fault]] = []
        self._upstream = upstream
        self._client = client
        self._random = random.Random(seed)
        self._rules: list[_Rule] = []
        self._sockets: set[_Socket] = set()
        self._head_max: int | None = None

    def on(
        self, method: str, fault: Fault, *, times: int | None = None, chance: float = 1.0
    ) -> None:
        """Spoil this method, or this topic's news, from now on."""
        self._rules.append(_Rule(method, fault, times, chance))

    def clear(self) -> None:
        """Let everything through again; what is frozen stays so."""
        self._rules.clear()
        self._head_max = None

    def hold_head(self, number: int | None) -> None:
        """Know no block above this one any more: the node lags, None lets it catch up."""
        self._head_max = number

    def cut(self) -> None:
        """Close every socket at once."""
        for socket in self._sockets:
            socket.transport.abort()

    def go_to(self, upstream: str) -> None:
        """Stand before another node from now on; each socket is closed."""
        self._upstream = upstream
        self.cut()

    @property
    def tells_heads(self) -> bool:
        """Say whether news of blocks are subscribed to by a socket that is alive."""
        return any(
            "newHeads" in socket.topics.values() and not socket.is_frozen.is_set()
            for socket in self._sockets
        )

    def freeze(self) -> None:
        """Leave every socket open, and say nothing by it any more."""
        for socket in self._sockets:
            socket.is_frozen.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a POST or a WebSocket."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request)
        asked = json.loads(await request.read())
        try:
            fault, text = await self._answered(asked)
        except aiohttp.ClientError:  # the node is away
            fault, text = Status(502), ""
        match fault:
            case Dropped():
                assert request.transport is not None
                request.transport.abort()
            case Hung():
                await asyncio.Event().wait()
            case Status(code=code, retry_after=retry_after):
                headers = {"Retry-After": retry_after} if retry_after else {}
                return web.Response(status=code, headers=headers, text="spoilt")
            case _:
                pass
        return web.Response(text=text, content_type="application/json")

    async def _answered(self, asked: Any) -> tuple[Fault | None, str]:
        """Return the answer's text, or the fault that there is in its place."""
        items = asked if isinstance(asked, list) else [asked]
        self.asked += [item["method"] for item in items]
        faults = {item["id"]: fault for item in items if (fault := self._fault(item["method"]))}
        for fault in faults.values():
            match fault:
                case Dropped() | Hung() | Status():
                    return fault, ""
                case Said(text=text):
                    return None, text
                case Delayed(seconds=seconds):
                    await asyncio.sleep(seconds)
                case _:
                    pass
        said = await self._node_says(asked, items)
        answers = said if isinstance(said, list) else [said]
        for answer in answers:
            _spoil(answer, faults.get(answer.get("id")))
        return None, json.dumps(said)

    async def _node_says(self, asked: Any, items: list[Any]) -> Any:
        head_max = self._head_max
        if head_max is not None:
            for item in items:
                _ask_below(item, head_max)
        async with self._client.post(self._upstream, json=asked) as answer:
            said = await answer.json(content_type=None)
        if head_max is not None:
            methods = {item["id"]: item["method"] for item in items}
            for one in said if isinstance(said, list) else [said]:
                if methods.get(one.get("id")) == "eth_blockNumber" and "result" in one:
                    one["result"] = hex(min(int(one["result"], 16), head_max))
        return said

    def _fault(self, method: str) -> Fault | None:
        for rule in self._rules:
            if rule.method not in (method, ALL) or self._random.random() >= rule.chance:
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times == 0:
                    self._rules.remove(rule)
            self.spoilt.append((method, rule.fault))
            return rule.fault
        return None

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        ours = web.WebSocketResponse(max_msg_size=_BYTES_MAX)
        await ours.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        socket = _Socket(ours, request.transport)
        self._sockets.add(socket)
        try:
            with suppress(aiohttp.ClientError):
                await self._join(socket)
            if socket.is_frozen.is_set():
                await asyncio.Event().wait()
        finally:
            self._sockets.discard(socket)
        return ours

    async def _join(self, socket: _Socket) -> None:
        """Take to and fro what is said until one side has gone or is to be heard no more."""
        async with self._client.ws_connect(self._upstream, max_msg_size=_BYTES_MAX) as node:
            down = asyncio.create_task(self._down(socket, node))
            up = asyncio.create_task(self._up(socket, node))
            frozen = asyncio.create_task(socket.is_frozen.wait())
            tasks = {down, up, frozen}
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _up(self, socket: _Socket, node: aiohttp.ClientWebSocketResponse) -> None:
        """Take questions to the node; those by a socket are spoilt as those by POST."""
        async for message in socket.ours:
            if message.type is not WSMsgType.TEXT:
                return
            asked = json.loads(message.data)
            items = asked if isinstance(asked, list) else [asked]
            if any(item["method"] in ("eth_subscribe", "eth_unsubscribe") for item in items):
                for item in items:
                    self.asked.append(item["method"])
                    topic = item["params"][0] if item["method"] == "eth_subscribe" else ""
                    socket.asked[item["id"]] = (item["method"], topic)
                await node.send_str(message.data)
                continue
            fault, text = await self._answered(asked)
            match fault:
                case None:
                    await socket.ours.send_str(text)
                case Hung():
                    socket.is_frozen.set()
                case _:
                    return

    async def _down(self, socket: _Socket, node: aiohttp.ClientWebSocketResponse) -> None:
        """Take confirmations and news to us."""
        async for message in node:
            if message.type is not WSMsgType.TEXT:
                return
            said = json.loads(message.data)
            if said.get("method") == "eth_subscription":
                topic = socket.topics.get(said["params"]["subscription"], "")
                if self._is_above(said["params"]["result"]):
                    continue
                fault = self._fault(topic)
            else:
                method, topic = socket.asked.pop(said["id"], ("", ""))
                if isinstance(said.get("result"), str):
                    socket.topics[said["result"]] = topic
                fault = self._fault(method)
            if not await self._tell(socket, said, fault):
                return

    async def _tell(self, socket: _Socket, said: Any, fault: Fault | None) -> bool:
        """Say something by a socket; False ends it."""
        match fault:
            case Dropped() | Status():
                return False
            case Hung():
                socket.is_frozen.set()
            case Lost():
                pass
            case Said(text=text):
                await socket.ours.send_str(text)
            case _:
                if isinstance(fault, Delayed):
                    await asyncio.sleep(fault.seconds)
                if "params" in said:
                    _spoil(said["params"], fault)
                else:
                    _spoil(said, fault)
                for _ in range(2 if isinstance(fault, Twice) else 1):
                    await socket.ours.send_json(said)
        return True

    def _is_above(self, result: Any) -> bool:
        if self._head_max is None or not isinstance(result, dict):
            return False
        number = result.get("number", result.get("blockNumber"))
        return number is not None and int(number, 16) > self._head_max


def _spoil(answer: dict[str, Any], fault: Fault | None) -> None:
    match fault:
        case Answered(change=change) if "result" in answer:
            answer["result"] = change(answer["result"])
        case Failed(code=code, message=message):
            answer.pop("result", None)
            answer["error"] = {"code": code, "message": message}
        case WrongId():
            answer["id"] = 1_000_000_007
        case _:
            pass


def _ask_below(item: dict[str, Any], head_max: int) -> None:
    """Turn tags of the newest block into the number of the one that is held."""
    params = item["params"]
    for index, param in enumerate(params):
        if param in _LATEST:
            params[index] = hex(head_max)
        elif isinstance(param, dict) and param.get("toBlock") in _LATEST:
            param["toBlock"] = hex(head_max)
        elif item["method"] == "eth_getBlockByNumber" and index == 0 and int(param, 16) > head_max:
            params[index] = hex(2**40)  # a block that nobody has


@asynccontextmanager
async def fault_proxy(upstream: str, *, seed: int = 1) -> AsyncIterator[FaultProxy]:
    """Stand before a node for the block, on a free port of loopback."""
    async with aiohttp.ClientSession() as client:
        proxy = FaultProxy(upstream, client, seed=seed)
        app = web.Application(client_max_size=_BYTES_MAX)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            proxy.url = f"http://127.0.0.1:{port}"
            proxy.socket_url = f"ws://127.0.0.1:{port}"
            yield proxy
        finally:
            proxy.cut()
            await runner.cleanup()
