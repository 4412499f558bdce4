"""A gateway as a process of its own, to be posted to and killed: its webhooks are the product's.

``python -m tests.bot.web.hooks.served DIRECTORY`` writes what it hands over to a file there, and
now and then is refused; with ``--chains SOCKET`` it hands over to whoever answers there.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from bot.web.app import make_gateway, serve_gateway
from bot.web.hooks.store import row_of
from engine.bus.hooked import HooksTaken
from engine.bus.request import Request
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import TransientError
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.facade.web import WebTerms
from engine.requests.hooked import TakeHooked

HANDED: Final = "handed"
_AWAY_RATIO: Final = 0.1


class _ToFile:
    """Takes events as the role that follows chains does, and writes down which."""

    def __init__(self, directory: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(directory / HANDED, flags, 0o600)
        self._chance = random.Random(os.getpid())

    async def ask(self, request: Request[Any], /) -> Any:
        """Take events, or be away."""
        if self._chance.random() < _AWAY_RATIO:
            raise TransientError("it is away")
        if isinstance(request, TakeHooked):
            rows = [row_of(event) for event in request.events]
            os.write(self._file, b"".join(b"%s %d\n" % (k.hex().encode(), n) for k, n in rows))
        return HooksTaken()


class _ToChains:
    """Hands over by the bus."""

    def __init__(self, socket: Path) -> None:
        self._caller = SocketCaller(socket, role="chains")

    async def ask(self, request: Request[Any], /) -> Any:
        """Have a request answered."""
        return await self._caller.call(request)


async def serve(directory: Path, chains: Path | None) -> None:
    """Serve until killed."""
    asked = _ToFile(directory) if chains is None else _ToChains(chains)
    gateway = make_gateway(
        cast("Facade", asked),
        FrontEndSettings(),
        WebTerms(port=0, trusts_proxy=False, directory=directory),
        time.time_ns,
    )
    async with serve_gateway(gateway, port=0) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--chains", type=Path)
    given = parser.parse_args()
    uvloop.run(serve(given.directory, given.chains))
