"""Providers that post to the gateway over real sockets of loopback."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.web.hooks.endpoints import Endpoint, Endpoints
from engine.bus.hooked import HookEvent, HooksTaken, HookWord
from engine.bus.request import Request
from engine.domain.errors import BadValueError, TransientError
from engine.requests.hooked import TakeHooked, TellHooks
from tests.bot.web.conftest import Web
from tests.bot.web.hooks import bodies
from tests.patience import PATIENCE_S


@dataclass
class Posting:
    """Somebody who posts, and whoever is handed the events."""

    web: Web
    endpoint: Endpoint
    endpoints: Endpoints
    taken: list[HookEvent] = field(default_factory=list)
    spans: list[tuple[str, int, int]] = field(default_factory=list)
    words: list[HookWord] = field(default_factory=list)
    is_away: bool = False
    not_followed: frozenset[str] = frozenset()

    async def post(
        self,
        body: bytes | Any,
        headers: dict[str, str] | None = None,
        *,
        endpoint: Endpoint | None = None,
        path: str | None = None,
    ) -> int:
        """Post a body, signed as Moralis signs unless headers are named; return the status."""
        to = path if path is not None else (endpoint or self.endpoint).path
        signed = bodies.moralis_headers(body) if headers is None else headers
        status, self.answer = await self.web.ask(
            "POST", f"/hooks/{to}", rank=None, raw=body, headers=signed
        )
        return status

    async def ask(self, request: Request[Any]) -> Any:
        """Take events, as the role that follows chains does."""
        if self.is_away:
            raise TransientError("it is away")
        if isinstance(request, TakeHooked):
            if request.chain in self.not_followed:
                raise BadValueError(f"{request.chain} is not followed")
            self.taken += request.events
            self.spans += request.spans
        else:
            assert isinstance(request, TellHooks)
            self.words.append(request.word)
        return HooksTaken()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await asyncio.sleep(0.001)


@pytest.fixture
async def posting(web: Web, tmp_path: Path) -> Posting:
    """Return a stream of Moralis."""
    endpoints = Endpoints(tmp_path)
    web.clock.now_ns = (bodies.AT_S + 5) * 10**9
    made = Posting(
        web=web,
        endpoint=endpoints.add("eth", "moralis", "", bodies.SECRET),
        endpoints=endpoints,
    )
    web.facade.hooks = made.ask
    return made
