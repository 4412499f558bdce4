"""Chain and signer in a process of their own, which outlives every sender that is killed.

The chain goes on once each time it is asked for its newest block. The node speaks JSON-RPC by HTTP,
the signer's socket is the product's; both ask the one `CrashWorld`.
"""

import asyncio
import contextlib
import multiprocessing
import shutil
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from aiohttp import web

from engine.bus.request import Reply, Request
from engine.bus.unix_socket import open_server
from engine.chains.ports import Json, NodeError
from engine.domain.errors import FatalError
from engine.domain.handed import Handed
from engine.domain.signing import Signed, SigningIntent, SignRefusal
from engine.requests.request_list import requests_of
from engine.sending.nonces import NonceTable
from tests.sending.crashes.rules import check_end, check_known, check_once
from tests.sending.crashes.weather import Weather
from tests.sending.crashes.world import TABLE, CrashWorld


class _Signer:
    """See `bus.signing.Signer`."""

    def __init__(self) -> None:
        self.world: CrashWorld | None = None

    async def answer(self, request: Request[Reply], /) -> Reply:
        """See `bus.request.Answerer`."""
        return await request.answer(self)

    async def sign(self, intent: SigningIntent) -> Signed | SignRefusal:
        """See `bus.signing.Signer`."""
        assert self.world is not None
        return await self.world.ask(intent)


class _Server:
    """The process; `begin` and `end` are what the other one asks it for."""

    def __init__(self) -> None:
        self.signer = _Signer()
        self.world: CrashWorld | None = None
        self.weather: Weather | None = None
        self.handed: list[Handed] = []

    def begin(self, folder: str, seed: int, plans: int) -> list[Handed]:
        self.end()
        world = CrashWorld(Path(folder), seed)
        luck = Random(seed)
        self.world = self.signer.world = world
        self.weather = Weather(world, luck)
        self.handed = [
            world.handed(number, seconds=luck.choice((2, 4, 8, 30))) for number in range(plans)
        ]
        return self.handed

    def check(self, *, is_over: bool) -> None:
        """Compare what is on disk with the chain."""
        world = self.world
        assert world is not None
        world.table.close()
        # A copy: what the next life finds is what the killed one left, and nobody mended.
        shutil.copytree(world.folder / "killed", world.folder / "copy", dirs_exist_ok=True)
        world.table = NonceTable(world.folder / "copy" / TABLE)
        try:
            check_once(world)
            check_known(world)
            if is_over:
                check_end(world, self.handed)
        finally:
            world.table.close()
            shutil.rmtree(world.folder / "copy")

    def end(self) -> None:
        if self.world is not None:
            self.world.close()
            self.world = None

    async def answer(self, request: web.BaseRequest) -> web.Response:
        world, weather = self.world, self.weather
        assert world is not None
        assert weather is not None
        said = msgspec.json.decode(await request.read())
        asked = said if isinstance(said, list) else [said]
        if any(
            one["method"] == "eth_getBlockByNumber" and one["params"][0] == "latest"
            for one in asked
        ):
            weather.go_on()
        try:
            answers = await world.node.batch([(one["method"], one["params"]) for one in asked])
        except NodeError:
            return web.Response(status=503)
        told = [_answer(one["id"], answer) for one, answer in zip(asked, answers, strict=True)]
        body = msgspec.json.encode(told if isinstance(said, list) else told[0])
        return web.Response(body=body, content_type="application/json")


def _answer(number: int, answer: Json | NodeError) -> dict[str, Any]:
    if isinstance(answer, NodeError):
        text = str(answer).partition(": ")[2]
        return {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": text}}
    return {"jsonrpc": "2.0", "id": number, "result": answer}


@contextmanager
def served(folder: Path) -> Iterator["Control"]:
    """Run the process for the block."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(str(folder), theirs), daemon=True)
    process.start()
    try:
        yield Control(mine, mine.recv(), folder / "signer.sock")
    finally:
        mine.send(None)
        process.join()


class Control:
    """Asks the process."""

    def __init__(self, pipe: Connection, port: int, socket: Path) -> None:
        self._pipe = pipe
        self.url = f"http://127.0.0.1:{port}/"
        self.socket = socket

    def begin(self, folder: Path, seed: int, plans: int) -> list[Handed]:
        """Begin with a new chain; return what is to be sent."""
        return msgspec.json.decode(self._ask("begin", str(folder), seed, plans), type=list[Handed])

    def check(self, *, is_over: bool) -> None:
        """Check what the rules say of a table that nobody has open.

        Raises:
            AssertionError: one is broken.
        """
        self._ask("check", is_over)

    def _ask(self, *what: Any) -> Any:
        self._pipe.send(what)
        is_well, answer = self._pipe.recv()
        if not is_well:
            raise AssertionError(answer)
        return answer


def _serve(folder: str, pipe: Connection) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_served(Path(folder), pipe))


async def _served(folder: Path, pipe: Connection) -> None:
    server = _Server()
    over = asyncio.Event()

    def on_asked() -> None:
        asked = pipe.recv()
        if asked is None:
            over.set()
            return
        try:
            pipe.send((True, _do(server, *asked)))
        except Exception:  # noqa: BLE001 - told to whoever asked
            pipe.send((False, traceback.format_exc()))

    async with _listening(folder, server) as port:
        asyncio.get_running_loop().add_reader(pipe.fileno(), on_asked)
        pipe.send(port)
        await over.wait()
    server.end()


def _do(server: _Server, what: str, *more: Any) -> Any:
    if what == "begin":
        return msgspec.json.encode(server.begin(*more))
    return server.check(is_over=more[0])


@contextlib.asynccontextmanager
async def _listening(folder: Path, server: _Server) -> AsyncIterator[int]:
    def on_fatal(error: FatalError) -> None:
        raise error

    runner = web.ServerRunner(web.Server(server.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    async with open_server(
        folder / "signer.sock", requests_of("signer"), server.signer, on_fatal=on_fatal
    ):
        await site.start()
        try:
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()
