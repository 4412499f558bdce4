"""Requests of the tests' own, and a role that answers them."""

import asyncio
from typing import Any

import msgspec

from engine.bus.request import EngineRequest, Reply, Request
from engine.domain.errors import BadValueError, FatalError, TransientError, UnstoredError


class Hall:
    """Obeys `bus.request.Answerer`; who waits in it is let go by `release`."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.waiting = asyncio.Event()

    async def answer(self, request: Request[Reply], /) -> Reply:
        return await request.answer(self)


class Said(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    text: str


class Say(EngineRequest[Said], frozen=True, kw_only=True):
    text: str

    async def answer(self, _hall: Hall, /) -> Said:
        return Said(text=self.text)


class Wait(EngineRequest[Said], frozen=True, kw_only=True):
    async def answer(self, hall: Hall, /) -> Said:
        hall.waiting.set()
        await hall.release.wait()
        return Said(text="waited")


class Refuse(EngineRequest[Said], frozen=True, kw_only=True):
    kind: str

    async def answer(self, _hall: Hall, /) -> Said:
        raise {
            "not now": TransientError,
            "done all the same": UnstoredError,
            "never": BadValueError,
            "disk on fire": FatalError,
            "a mistake": RuntimeError,
        }[self.kind](self.kind)


REQUESTS: list[type[Request[Any]]] = [Say, Wait, Refuse]
