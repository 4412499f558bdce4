"""Frames that are taken where their bytes are read, and those that are too many for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from engine.connectors.session import Accept, Session
from engine.ports import NO_ACTIONS, Action, InputKind, Reconnect, Send
from tests.connectors.test_session import Recorder, client_of, limits, url_of
from tests.patience import PATIENCE_S

Message = str | list[str]
"""A list is sent in so many parts."""

AT_ONCE = 8


@asynccontextmanager
async def session_of(messages: Sequence[Message], accept: Accept) -> AsyncIterator[Session]:
    """Make a session with a venue that sends these once it is spoken to, and then waits."""

    async def talk(connection: ServerConnection) -> None:
        await connection.recv()
        for message in messages:
            await connection.send(message)
        await connection.wait_closed()

    def greet(kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        actions = accept(kind, key, payload, at_ns)
        return (Send("hello"),) if kind is InputKind.OPENED else actions

    async with (
        serve(talk, "127.0.0.1", 0, compression=None) as server,
        client_of(lambda _: web.Response(text="{}")) as rest,
    ):
        yield Session(
            websocket_url=url_of(server),
            rest=rest,
            accept=greet,
            now_ns=time.time_ns,
            jitter=lambda: 0.5,
            limits=limits(frames_at_once=AT_ONCE),
        )


@asynccontextmanager
async def ended(task: asyncio.Task[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def hundreds() -> Iterator[Message]:
    """Return more than one turn of the loop takes, with messages in parts between them."""
    for number in range(600):
        text = f"{number} of many"
        yield [text[:3], text[3:5], text[5:]] if number % 7 == 0 else text


async def test_frames_keep_their_order_whichever_way_they_take() -> None:
    messages, recorder = list(hundreds()), Recorder()
    async with (
        session_of(messages, recorder.accept) as session,
        ended(asyncio.create_task(session.run())),
    ):
        await recorder.until(InputKind.FRAME, len(messages))

    assert [each[2] for each in recorder.inputs if each[0] is InputKind.FRAME] == [
        "".join(message).encode() for message in messages
    ]


async def test_a_burst_leaves_the_loop_to_others_between_some_frames() -> None:
    messages, recorder = [str(number) for number in range(2_000)], Recorder()
    turns_of: list[int] = []
    turn = 0

    def accept(kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        turns_of.append(turn)
        return recorder.accept(kind, key, payload, at_ns)

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async with session_of(messages, accept) as session:
        counting = asyncio.create_task(count_turns())
        async with ended(asyncio.create_task(session.run())), ended(counting):
            await recorder.until(InputKind.FRAME, len(messages))

    # So many where they are read and so many from the queue.
    assert max(turns_of.count(turn) for turn in set(turns_of)) <= 2 * AT_ONCE


async def test_what_an_input_raises_ends_the_session_with_it() -> None:
    def accept(kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        if kind is InputKind.FRAME:
            raise ZeroDivisionError("a fault of ours")
        return NO_ACTIONS

    async with session_of(["a frame"], accept) as session:
        with pytest.RaisesGroup(ZeroDivisionError):
            async with asyncio.timeout(PATIENCE_S):
                await session.run()


async def test_no_frame_is_taken_after_a_reconnect_was_asked_for() -> None:
    recorder = Recorder()
    recorder.actions[InputKind.FRAME, b"bad"] = (Reconnect("bad frame"),)
    messages = ["good", "bad", "late", "later"]
    async with (
        session_of(messages, recorder.accept) as session,
        ended(asyncio.create_task(session.run())),
    ):
        await recorder.until(InputKind.CLOSED)

    closed = [each[0] for each in recorder.inputs].index(InputKind.CLOSED)
    taken = [each[2] for each in recorder.inputs[:closed] if each[0] is InputKind.FRAME]
    assert taken == [b"good", b"bad"]
