"""A server of aiohttp that ends closes whoever it accepted, the last one too.

By itself asyncio leaves open whoever is accepted in the turn of the loop in which its server is
closed. A process that ends closes all; tests go on, and a connection that is found open later fails
the test that runs then.
"""

import asyncio
from typing import Final

from aiohttp import web

TURNS: Final = 3
"""Of the loop, from an accepted connection until the server knows of it."""

_cleanup: Final = web.BaseRunner.cleanup


def close_all_accepted() -> None:
    """Have servers of this process accept nobody, hear of whom they had accepted, and then end."""

    async def cleanup(self: web.BaseRunner) -> None:
        loop = asyncio.get_running_loop()
        for site in self.sites:
            listening = site._server  # none where its port was taken
            for one in listening.sockets if isinstance(listening, asyncio.Server) else ():
                loop.remove_reader(one.fileno())
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await _cleanup(self)

    web.BaseRunner.cleanup = cleanup  # type: ignore[method-assign]
