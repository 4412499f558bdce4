"""Carries one client's frames over its WebSocket, both ways, until either side ends it."""

import asyncio
import socket
import struct

from aiohttp import WSCloseCode, WSMsgType, web

from engine.sandbox.client import Client
from engine.sandbox.dialects.base import FeedSpec
from engine.sandbox.stage import Market, Stage

PING_S = 20.0
"""Interval of protocol pings, as Binance and Gemini send them; a dead client is found by it."""

SEND_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 0.5
LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a TCP reset."""


class _ClosedError(Exception):
    """The connection is over; ends the task group."""


async def serve_client(
    request: web.Request, *, stage: Stage, market: Market, client: Client, feed: FeedSpec
) -> web.WebSocketResponse:
    """Serve a client until it leaves, is told to leave or does not keep up."""
    websocket = web.WebSocketResponse(
        timeout=CLOSE_TIMEOUT_S,
        heartbeat=PING_S,
        max_msg_size=feed.received_bytes_max,
        compress=False,
    )
    await websocket.prepare(request)
    market.clients.append(client)
    try:
        client.push(client.session.opened().frames, at_ns=stage.now_ns)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_write(websocket, client))
            tasks.create_task(_read(websocket, client, stage))
            tasks.create_task(_break(client))
            if feed.subscribe_within_s:
                tasks.create_task(_expect_subscription(client, feed.subscribe_within_s))
    except* (_ClosedError, ConnectionError, TimeoutError):
        pass
    finally:
        market.clients.remove(client)
        client.idle.set()
        _count_slow(stage, client)
        if client.closing == "reset":
            reset_connection(request)
    return websocket


async def _read(websocket: web.WebSocketResponse, client: Client, stage: Stage) -> None:
    async for message in websocket:
        if message.type is not WSMsgType.TEXT:
            continue
        reply = client.session.received(message.data)
        client.push(reply.frames, at_ns=stage.now_ns)
        if reply.is_last:
            client.close("close")
    raise _ClosedError


async def _write(websocket: web.WebSocketResponse, client: Client) -> None:
    while True:
        await client.ready.wait()
        frame = client.take()
        if frame is not None:
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await websocket.send_frame(frame, WSMsgType.TEXT)
            except TimeoutError:
                client.is_overrun = True
                client.close("reset")
        elif client.closing == "close":
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await websocket.close(code=WSCloseCode.GOING_AWAY)
            raise _ClosedError
        elif client.closing is not None:
            raise _ClosedError


async def _break(client: Client) -> None:
    await client.broken.wait()
    raise _ClosedError


async def _expect_subscription(client: Client, within_s: float) -> None:
    await asyncio.sleep(within_s)
    if not client.frames:
        client.close("close")


def _count_slow(stage: Stage, client: Client) -> None:
    if client.is_overrun:
        stage.counts["slow_clients"] += 1


def reset_connection(request: web.Request) -> None:
    """End the connection of a request at once, by a TCP reset."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    transport.abort()
