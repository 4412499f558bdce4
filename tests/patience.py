"""How long a test waits for what must come: a bound that no busy machine reaches, never a figure.

Whatever is waited for comes in milliseconds on a quiet machine. What never comes is told by this
bound, well before the limit that every test has.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pyotp

from engine.bus.command import Command, seal
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import Reply, Request
from engine.domain.errors import TransientError
from engine.facade.engine import Facade
from engine.requests.safety import Unkill

PATIENCE_S = 120.0


async def insist(facade: Facade, request: Request[Reply]) -> Reply:
    """Ask again whenever a role is away or slow, as the refusal says and a person does."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await facade.ask(request)
            except TransientError:
                await asyncio.sleep(0.05)
                request = cast("Request[Reply]", _anew(request))


def _anew(request: Request[Any]) -> Request[Any]:
    """Give a command an envelope of its own, as a message that is written again has."""
    if not isinstance(request, Command) or request.envelope is None:
        return request
    return seal(request, by=request.envelope.by, at_ns=request.envelope.at_ns)


async def clear_latch(
    facade: Facade, secret: str, *, wall_ns: Callable[[], int], given_at_ns: Callable[[], int]
) -> tuple[Acknowledged | Declined, str]:
    """Clear the latch; a code that a role's slowness spent is followed by the next one."""
    spent = ""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            code = pyotp.TOTP(secret).at(wall_ns() // 1_000_000_000)
            if code != spent:
                unkill = seal(Unkill(code=code), by="me", at_ns=given_at_ns())
                try:
                    return await facade.ask(unkill), code
                except TransientError:
                    spent = code
            await asyncio.sleep(0.2)
