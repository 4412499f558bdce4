"""The sandbox markets: one loopback port that speaks the dialects of all venues.

WebSocket feeds are at ``/<venue>/<feed>``, REST below ``/<venue>`` at the venue's own paths, and
the sandbox's own pages below ``/_sandbox``.
"""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import web

from engine.domain.assets import AssetCode
from engine.sandbox.chain import MadeUpChain
from engine.sandbox.chain_door import BLOCK_MS, ChainDoor
from engine.sandbox.control import add_control_pages
from engine.sandbox.dialects.all import DIALECTS
from engine.sandbox.driver import Driver
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.exchange.faults import ScriptedAccountFault
from engine.sandbox.exchange.front import USER, PrivateFront
from engine.sandbox.fault_script import ScriptedFault
from engine.sandbox.front import Front
from engine.sandbox.levels import Side
from engine.sandbox.lineup import MADE_UP_CHAIN, load_lineup, load_start_prices
from engine.sandbox.pools import book_prices, book_usd, load_pools
from engine.sandbox.settings import SandboxSettings
from engine.sandbox.stage import Stage
from engine.sandbox.worlds import Worlds, open_worlds

SHUTDOWN_TIMEOUT_S = 0.2
POOL_ASSETS = {AssetCode("BTC"), AssetCode("ETH")}
"""What the pools hold, beside dollars."""

LOCAL_CHAINS = "pools are real contracts on local nodes, where a made-up crowd follows the books"
"""Said in place of the made-up chain."""

FIRST_BLOCK = 1_000
"""Number of the block of which the pools are at the start."""


class Sandbox:
    """A running sandbox.

    Attributes:
        stage: markets, clients and faults.
        market_note: one sentence that says what these markets are and are not.
        chain: made up, its pools begin at the start prices; None if the line-up prices none of
            them, or local chains are there in its place.
        worlds: the local chains.
        accounts: what we have at the venues, and our orders there.
        port: port on which it listens.
    """

    def __init__(
        self,
        *,
        stage: Stage,
        driver: Driver,
        settings: SandboxSettings,
        port: int,
        note: str,
        chain: ChainDoor | None,
        worlds: Worlds,
        accounts: PrivateFront,
    ) -> None:
        self.stage = stage
        self.market_note = note
        self.chain = chain
        self.worlds = worlds
        self.accounts = accounts
        self.port = port
        self._driver = driver
        self._settings = settings

    def websocket_url(self, venue: str, feed: str) -> str:
        """Return the address of a venue's feed."""
        query = self.stage.markets[venue].dialect.feeds[feed].announced_query
        return f"ws://{self._settings.host}:{self.port}/{venue}/{feed}{query}"

    def user_stream_url(self, venue: str) -> str:
        """Return the base address of the user stream of a venue's account."""
        return f"ws://{self._settings.host}:{self.port}/{venue}/{USER}"

    def rest_url(self, venue: str) -> str:
        """Return the base address of a venue's REST paths."""
        return f"http://{self._settings.host}:{self.port}/{venue}"

    def truth(self, venue: str, wire_name: str) -> dict[str, dict[Decimal, Decimal]]:
        """Return the true book, price to size, as ``bids`` and ``asks``.

        Raises:
            KeyError: the venue or instrument does not exist here.
        """
        listing = self.stage.markets[venue].named(wire_name)
        if listing is None:
            raise KeyError(wire_name)
        rules, book = listing.instrument, listing.track.book
        return {
            name: {
                rules.price_of(price): rules.size_of(size)
                for price, size in book.sides[side].items()
            }
            for name, side in (("bids", Side.BID), ("asks", Side.ASK))
        }

    def inject(self, fault: ScriptedFault | ScriptedAccountFault) -> None:
        """Commit or arm a fault now, whatever its `at_s`."""
        if isinstance(fault, ScriptedAccountFault):
            self.accounts.check(fault)
            self.accounts.commit(fault)
            return
        self.stage.commit(self.stage.check_fault(fault))

    async def play(self, seconds: float) -> None:
        """Play some replay seconds of a paused sandbox as fast as clients take them."""
        await self._driver.play(seconds)

    def pause(self) -> None:
        """Stop the replay clock; clients stay connected."""
        self._driver.pause()

    def resume(self) -> None:
        """Let the replay clock run again."""
        self._driver.resume()

    def announcement(self) -> dict[str, Any]:
        """Return the object that the announce file holds."""
        markets = self.stage.markets
        return {
            "pid": os.getpid(),
            "host": self._settings.host,
            "port": self.port,
            "speed": self._settings.speed,
            "seed": self._settings.seed,
            "websocket_urls": {
                venue: {feed: self.websocket_url(venue, feed) for feed in market.dialect.feeds}
                for venue, market in markets.items()
            },
            "rest_urls": {venue: self.rest_url(venue) for venue in markets},
            "user_stream_urls": {
                venue: self.user_stream_url(venue) for venue in self.accounts.accounts
            },
            "pairs": {
                venue: [str(listing.instrument.pair) for listing in market.listings()]
                for venue, market in markets.items()
            },
            "wire_names": {
                venue: {str(item.instrument.pair): item.wire_name for item in market.listings()}
                for venue, market in markets.items()
            },
            "control_url": f"http://{self._settings.host}:{self.port}/_sandbox",
            "market_note": self.market_note,
            "pools": [] if self.chain is None else self.chain.chain.snapshots(),
            "chains": {} if self.chain is None else self._announced_chain(self.chain),
            "local_chains": self.worlds.chains,
            "why_no_local_chains": self.worlds.why_none,
        }

    def _announced_chain(self, door: ChainDoor) -> dict[str, Any]:
        url = f"ws://{self._settings.host}:{self.port}{door.path}"
        return {door.chain.name: {"url": url, "block_ms": max(round(door.block_s * 1_000), 1)}}


@asynccontextmanager
async def open_sandbox(settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    """Open the sandbox; it serves until the block ends.

    Raises:
        SandboxStartError: a recording, the line-up, the script or the port is unusable.
    """
    async with (
        open_worlds(settings.chains, seed=settings.seed, speed=settings.speed) as worlds,
        _open_markets(settings, worlds) as sandbox,
    ):
        yield sandbox


@asynccontextmanager
async def _open_markets(settings: SandboxSettings, worlds: Worlds) -> AsyncIterator[Sandbox]:
    padding = {"coinbase": settings.coinbase_padding_levels}
    listings, note = load_lineup(
        settings.lineup_path,
        recordings_folder=settings.recordings_folder,
        padding_levels=padding,
        has_chains=bool(settings.chains),
    )
    prices = load_start_prices(settings.lineup_path)
    await worlds.read()
    # A line-up that prices none of what the pools hold has no pools; nor has one beside real ones.
    if worlds.chains:
        note = note.replace(MADE_UP_CHAIN, LOCAL_CHAINS)
    has_pools = prices.keys() >= POOL_ASSETS and not worlds.chains
    pools = load_pools(prices) if has_pools else []
    stage = Stage(
        listings=listings,
        dialects=DIALECTS,
        epoch_ns=time.time_ns() if settings.epoch_ns is None else settings.epoch_ns,
        seed=settings.seed,
        faults=[one for one in settings.faults if isinstance(one, ScriptedFault)],
        # In slow motion the venues' clocks go on as ours do: they would fall behind otherwise.
        venue_time_ratio=max(1.0, 1.0 / settings.speed),
    )
    driver = Driver(stage, speed=settings.speed, is_paused=settings.is_paused)
    chain = None
    if pools:
        made_up = MadeUpChain(
            pools, seed=settings.seed, number=FIRST_BLOCK, price_of=book_prices(stage)
        )
        chain = ChainDoor(made_up, block_s=BLOCK_MS / 1_000 / settings.speed)
    application = web.Application()
    accounts = PrivateFront(stage, settings)
    add_control_pages(application, stage=stage, driver=driver, note=note, accounts=accounts)
    if chain is not None:
        chain.add_route(application)
    Front(stage, settings, accounts).add_routes(application)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        port = await _listen(runner, settings)
        sandbox = Sandbox(
            stage=stage,
            driver=driver,
            settings=settings,
            port=port,
            note=note,
            chain=chain,
            worlds=worlds,
            accounts=accounts,
        )
        async with _in_background(driver, chain, worlds.tell(book_usd(stage))):
            yield sandbox
    finally:
        for client in list(stage.clients()):
            client.close("reset")
        await runner.cleanup()


@asynccontextmanager
async def _in_background(
    driver: Driver, chain: ChainDoor | None, telling: Coroutine[None, None, None]
) -> AsyncIterator[None]:
    """Run driver and chains beside the block; an error of it comes out as it is, not in a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(driver.run()), tasks.create_task(telling)]
            if chain is not None:
                running.append(tasks.create_task(chain.run()))
            try:
                yield
            finally:
                for task in running:
                    task.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from group
        raise


async def _listen(runner: web.AppRunner, settings: SandboxSettings) -> int:
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        raise SandboxStartError(
            f"port {settings.port} of {settings.host} {why}; choose another, or 0 for a free one"
        ) from error
    port: int = runner.addresses[0][1]
    return port
