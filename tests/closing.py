"""A server of aiohttp that ends closes whoever it accepted, the last one too.

By itself it leaves open whoever it accepts in the turn of the loop in which it ends: it is told of
that one only afterwards. A process that ends closes them all; tests go on, and a connection that is
found open later fails the test that runs then.
"""

import asyncio
from typing import Final

from aiohttp import web

TURNS: Final = 3
"""Of the loop, from an accepted connection until the server knows of it."""

_cleanup: Final = web.BaseRunner.cleanup


def close_all_accepted() -> None:
    """Have servers of this process stop listening, hear of whom they accepted, and then end."""

    async def cleanup(runner: web.BaseRunner) -> None:
        for site in list(runner.sites):
            await site.stop()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await _cleanup(runner)

    web.BaseRunner.cleanup = cleanup  # type: ignore[assignment, method-assign]
