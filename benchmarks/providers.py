"""A question to a node through the pool of providers, beside plain aiohttp in the same run.

`python -m benchmarks.providers`. The node is a process of its own on loopback that answers from
memory; questions to it alternate between the ways. Times are those of our processor: how long the
node and the machine's network take is not ours.
"""

import asyncio
import gc
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
import numpy as np
import uvloop
from aiohttp import WSMsgType, web

from benchmarks.harness import Row, machine, print_table, row
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.opening import limits_for, open_providers
from engine.chains.rpc.quorum import Agreeing
from engine.connectors.outbound import open_outbound

CHAIN_ID = 31_337
QUESTIONS = 1_000
WARM_UP = 300
BATCH = 100
BLOCK = {
    "number": "0x10",
    "hash": "0x" + "ab" * 32,
    "parentHash": "0x" + "cd" * 32,
    "timestamp": hex(1_700_000_000),
}
AT: dict[str, Any] = {"blockHash": BLOCK["hash"]}
CALL: dict[str, Any] = {"to": "0x" + "11" * 20, "data": "0x0902f1ac"}
ANSWERS: dict[str, Any] = {
    "eth_chainId": hex(CHAIN_ID),
    "eth_getBlockByNumber": BLOCK,
    "eth_call": "0x" + "00" * 31 + "07" + "00" * 31 + "08",
}

Way = Callable[[], Awaitable[object]]


def measure_all() -> list[Row]:
    """Measure single questions and batches, by each way."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    node = context.Process(target=_serve, args=(theirs,), daemon=True)
    node.start()
    try:
        rows: list[Row] = uvloop.run(_measure(ours.recv()))
        return rows
    finally:
        node.terminate()
        node.join()


async def _measure(port: int) -> list[Row]:
    url, socket_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(open_outbound(None))
        limits = replace(limits_for(12_000), pulse_s=3_600.0, patience_s=10.0, patience_s_min=10.0)

        async def node(*accesses: Access) -> Any:
            return await stack.enter_async_context(
                open_providers(accesses, way, chain_id=CHAIN_ID, block_ms=12_000, limits=limits)
            )

        one = await node(Access(name="one", http_url=url))
        by_socket = await node(Access(name="one", socket_url=socket_url))
        two = await node(Access(name="one", http_url=url), Access(name="two", http_url=url + "/2"))
        agreeing = Agreeing(two, 2)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        batch = [("eth_call", (CALL, AT))] * BATCH

        async def plain() -> object:
            return await _plain(client, url, _text("eth_call", 1))

        async def plain_batch() -> object:
            return await _plain(client, url, [_text("eth_call", number) for number in range(BATCH)])

        taken = await _time(
            {
                "plain": plain,
                "pool": lambda: one.request("eth_call", CALL, AT),
                "pool_by_socket": lambda: by_socket.request("eth_call", CALL, AT),
                "two_agree": lambda: agreeing.request("eth_call", CALL, AT),
                "plain_batch": plain_batch,
                "pool_batch": lambda: one.batch(batch),
            }
        )
    rows = {name: row(f"providers.{name}", taken_ns) for name, taken_ns in taken.items()}
    for name, peer in (
        ("pool", "plain"), ("pool_by_socket", "plain"), ("two_agree", "plain"),
        ("pool_batch", "plain_batch"),
    ):  # fmt: skip
        ratio = rows[peer].median / rows[name].median
        rows[name] = replace(rows[name], peer="aiohttp", ratio=round(ratio, 2))
    return list(rows.values())


async def _time(ways: dict[str, Way]) -> dict[str, Any]:
    """Ask by each way in turn; return durations in ns."""
    taken: dict[str, list[int]] = {name: [] for name in ways}
    now = time.thread_time_ns
    gc.collect()
    gc.disable()
    try:
        for _ in range(QUESTIONS):
            for name, ask in ways.items():
                started = now()
                await ask()
                taken[name].append(now() - started)
    finally:
        gc.enable()
    return {name: np.array(one[WARM_UP:]) for name, one in taken.items()}


async def _plain(client: aiohttp.ClientSession, url: str, asked: Any) -> Any:
    async with client.post(url, json=asked) as answer:
        said = await answer.json()
    return [one["result"] for one in said] if isinstance(said, list) else said["result"]


def _text(method: str, number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": [CALL, AT]}


def _serve(port: Connection) -> None:
    """Be a node until ended."""
    uvloop.run(_serve_for_ever(port))


async def _serve_for_ever(port: Connection) -> None:
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", _handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port.send(runner.addresses[0][1])
    await asyncio.Event().wait()


async def _handle(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return web.Response(body=_said(await request.read()), content_type="application/json")
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(_said(message.data).decode())
    return socket


def _said(text: bytes | str) -> bytes:
    asked = json.loads(text)
    said = [_answer(one) for one in asked] if isinstance(asked, list) else _answer(asked)
    return json.dumps(said).encode()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": asked["id"], "result": ANSWERS[asked["method"]]}


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
