"""The role `ccxt`: exchanges through that library, as venues on loopback for the engines.

A process of its own: the library takes more memory than an engine's whole board, works on the loop
that it is on for milliseconds at a time, and may fail in ways that must not be the engine's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from engine.connectors.by_ccxt.exchange import Exchange, Place
from engine.connectors.by_ccxt.names import venue_of
from engine.connectors.by_ccxt.server import open_doors
from engine.domain.errors import SyndicateError
from engine.operate.clock import make_clock
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.operate.role_words import announce_ready
from engine.sandbox.announce import announce
from engine.settings.schema import Settings
from engine.wiring.ccxt_venues import ccxt_pairs, ccxt_port
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths


async def run_ccxt(settings: Settings, paths: Paths) -> None:
    """Serve the exchanges as a process of its own until told to stop.

    Raises:
        FatalError: no port can be had.
        TransientError: the sandbox has not announced itself.
    """
    async with stop_signals(ignores_interrupt=True) as stop, open_ccxt(settings, paths):
        keep_what_is_loaded()
        announce_ready()
        await stop.wait()


@asynccontextmanager
async def open_ccxt(settings: Settings, paths: Paths) -> AsyncIterator[None]:
    """Serve the exchanges of the settings, announced in the data directory, until the block ends.

    Raises:
        FatalError: no port can be had.
        TransientError: the sandbox has not announced itself.
    """
    clock = make_clock()
    exchanges = {
        name: Exchange(
            name,
            pairs=ccxt_pairs(settings, paths, venue_of(name)),
            now_ns=clock,
            proxy=settings.network.proxy if settings.markets.source == "live" else None,
            place=_place(settings, paths, name),
        )
        for name in settings.exchanges.ccxt
    }
    port = 0
    with suppress(SyndicateError):
        port = ccxt_port(paths)  # engines that still run look for it there
    async with open_doors(exchanges, port=port) as port:
        announce(str(paths.ccxt_announce), {"port": port})
        yield


def _place(settings: Settings, paths: Paths, name: str) -> Place | None:
    """Return where the sandbox has an exchange; None for its own addresses."""
    if settings.markets.source == "live":
        return None
    sandbox = read_announcement(paths)
    if name not in sandbox.rest_urls:
        # It has none of that name; the engine leaves the venue out, and nothing else is reached.
        return Place(rest_url="http://127.0.0.1:9", websocket_url="ws://127.0.0.1:9")
    first = next(iter(sandbox.websocket_urls[name].values()))
    return Place(rest_url=sandbox.rest_urls[name], websocket_url=first)
