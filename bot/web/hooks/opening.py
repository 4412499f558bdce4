"""The webhooks of a gateway put together: a path beside the API, two tasks beside its server."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from bot.web.hooks.door import PATH, HookDoor
from bot.web.hooks.endpoints import Endpoints
from bot.web.hooks.forwarding import Forwarding
from bot.web.hooks.keeping import Keeping
from bot.web.hooks.store import HookStore
from bot.web.route import Ask
from engine.bus.hooked import HookFigures
from engine.facade.web import WebTerms

log = logging.getLogger(__name__)

RESTART_S: Final = 1.0
_S_PER_DAY: Final = 86_400


@dataclass(slots=True, kw_only=True)
class Hooks:
    """The parts of a gateway's webhooks."""

    door: HookDoor
    keeping: Keeping
    forwarding: Forwarding
    _tasks: list[asyncio.Task[None]] = field(default_factory=list, init=False)

    def begin(self) -> None:
        """Keep events and hand them over from now on."""
        self._tasks = [
            asyncio.create_task(_ever(self.forwarding.run)),
            asyncio.create_task(self.keeping.run()),
        ]

    async def close(self) -> None:
        """End; what is on disk waits there."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def figures(self) -> list[HookFigures]:
        """Return what was counted of each endpoint."""
        return self.door.figures()

    @property
    def trouble(self) -> str:
        """Why nothing can be kept now; empty while everything can."""
        return self.keeping.trouble


def add_hooks(
    application: web.Application, ask: Ask, terms: WebTerms, clock: Callable[[], int]
) -> Hooks:
    """Have webhooks taken in for as long as an application runs.

    They are no part of the API: who posts there has no key, and its description does not name them.
    """
    endpoints = Endpoints(terms.directory)
    keeping = Keeping(
        HookStore(terms.directory), clock=clock, keep_s=terms.hook_keep_days * _S_PER_DAY
    )
    door = HookDoor(endpoints, keeping, clock)
    forwarding = door.forwarding = Forwarding(ask, keeping, door.figures, clock=clock)

    hooks = Hooks(door=door, keeping=keeping, forwarding=forwarding)

    async def run(_application: web.Application) -> AsyncIterator[None]:
        hooks.begin()
        yield
        await hooks.close()

    application.router.add_post(PATH, door.post)
    application.cleanup_ctx.append(run)
    return hooks


async def _ever(run: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await run()
        except Exception:
            log.exception("events of webhooks are handed over anew")
        await asyncio.sleep(RESTART_S)
