"""A node in this process: a few blocks that tests make, told by HTTP and WebSocket as nodes do."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

Method = Callable[..., Any]


class NodeSaysNoError(Exception):
    """A method's answer is an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class PretendNode:
    """Answers what its `methods` know; a block is made by `mine`.

    Attributes:
        methods: by name; each is called with the parameters.
        asked: names in the order in which they were asked for.
        has_flashblocks: whether it tells events ahead of their block, as Base's nodes do.
    """

    def __init__(self, *, chain_id: int = 31_337) -> None:
        self.url = ""
        self.socket_url = ""
        self.asked: list[str] = []
        self.has_flashblocks = False
        self.branch = ""
        self.blocks: list[dict[str, Any]] = []
        self.logs: list[dict[str, Any]] = []
        self.methods: dict[str, Method] = {
            "eth_chainId": lambda: hex(chain_id),
            "eth_blockNumber": lambda: hex(len(self.blocks) - 1),
            "eth_getBlockByNumber": self._by_number,
            "eth_getBlockByHash": self._by_hash,
            "eth_getLogs": self._logs,
            "eth_getCode": lambda *_: "0x",
        }
        self._told: set[asyncio.Queue[dict[str, Any]]] = set()
        self._ahead: dict[asyncio.Queue[dict[str, Any]], set[str]] = {}
        self._count = 0
        self.mine()

    def mine(self) -> dict[str, Any]:
        """Make the next block and tell it."""
        number = len(self.blocks)
        parent = self.blocks[-1]["hash"] if self.blocks else "0x" + "00" * 32
        name = hashlib.sha256(f"{self.branch}{number}{parent}".encode()).hexdigest()
        block = {
            "number": hex(number),
            "hash": "0x" + name,
            "parentHash": parent,
            "timestamp": hex(1_700_000_000 + number),
        }
        self.tell(block)
        return block

    def tell(self, block: dict[str, Any]) -> None:
        """Have a block on top of the others, and tell it."""
        self.blocks.append(block)
        for queue in self._told:
            queue.put_nowait(block)

    def confirm_ahead(self, *logs: dict[str, Any]) -> int:
        """Tell events of the block that is being made; return to how many subscriptions."""
        for queue, wanted in self._ahead.items():
            for log in logs:
                if log["topics"][0] in wanted:
                    queue.put_nowait(log)
        return len(self._ahead)

    def undo(self, count: int, *, branch: str) -> None:
        """Take the newest blocks back; those that follow are another branch's."""
        del self.blocks[-count:]
        self.branch = branch

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a POST or a WebSocket."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request)
        text = json.dumps(self._answers(json.loads(await request.read())))
        return web.Response(text=text, content_type="application/json")

    def _answers(self, asked: Any) -> Any:
        return (
            [self._answer(one) for one in asked] if isinstance(asked, list) else self._answer(asked)
        )

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(asked["method"])
        method: Method = self.methods.get(asked["method"], _unknown)
        try:
            return {"jsonrpc": "2.0", "id": asked["id"], "result": method(*asked["params"])}
        except NodeSaysNoError as error:
            said = {"code": error.code, "message": error.message}
            return {"jsonrpc": "2.0", "id": asked["id"], "error": said}

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        telling: asyncio.Task[None] | None = None
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                asked = json.loads(message.data)
                if isinstance(asked, dict) and asked["method"] == "eth_subscribe":
                    self.asked.append("eth_subscribe")
                    self._count += 1
                    name = hex(self._count)
                    topic, *wanted = asked["params"]
                    if topic == "pendingLogs":
                        if not self.has_flashblocks:
                            error = {"code": -32602, "message": "unknown subscription"}
                            await socket.send_json(
                                {"jsonrpc": "2.0", "id": asked["id"], "error": error}
                            )
                            continue
                        self._ahead[queue] = set(wanted[0]["topics"][0])
                    else:
                        self._told.add(queue)
                    await socket.send_json({"jsonrpc": "2.0", "id": asked["id"], "result": name})
                    telling = asyncio.create_task(_tell(socket, name, queue))
                else:
                    await socket.send_json(self._answers(asked))
        finally:
            self._told.discard(queue)
            self._ahead.pop(queue, None)
            if telling is not None:
                telling.cancel()
        return socket

    def _by_number(self, number: str, _: bool) -> Any:  # noqa: FBT001 - the protocol's
        if number in ("latest", "safe", "finalized", "pending"):
            return self.blocks[-1]
        index = int(number, 16)
        return self.blocks[index] if index < len(self.blocks) else None

    def _by_hash(self, name: str, _: bool) -> Any:  # noqa: FBT001 - the protocol's
        return next((block for block in self.blocks if block["hash"] == name), None)

    def _logs(self, asked: dict[str, Any]) -> Any:
        first, last = int(asked["fromBlock"], 16), int(asked["toBlock"], 16)
        return [log for log in self.logs if first <= int(log["blockNumber"], 16) <= last]


def _unknown(*_: Any) -> Any:
    raise NodeSaysNoError(-32601, "Method not found")


async def _tell(
    socket: web.WebSocketResponse, name: str, queue: asyncio.Queue[dict[str, Any]]
) -> None:
    while True:
        params = {"subscription": name, "result": await queue.get()}
        await socket.send_json({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})


@asynccontextmanager
async def pretend_node(*, chain_id: int = 31_337) -> AsyncIterator[PretendNode]:
    """Serve a node on a free port of loopback for the block."""
    node = PretendNode(chain_id=chain_id)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", node.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        node.url, node.socket_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
        yield node
    finally:
        await runner.cleanup()
