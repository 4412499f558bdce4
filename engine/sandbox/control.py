"""The sandbox's own pages: faults, lists, truth, status, and controls for tests elsewhere."""

from typing import Any

import msgspec
from aiohttp import web

from engine.sandbox.driver import Driver
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.exchange.faults import ScriptedAccountFault
from engine.sandbox.exchange.front import PrivateFront
from engine.sandbox.fault_script import read_fault
from engine.sandbox.levels import Side, render_steps
from engine.sandbox.lineup import Listing
from engine.sandbox.listing_states import ListingChange, change_listing
from engine.sandbox.stage import Stage


def add_control_pages(
    application: web.Application,
    *,
    stage: Stage,
    driver: Driver,
    note: str,
    accounts: PrivateFront,
) -> None:
    """Add the pages below ``/_sandbox`` to an application."""
    pages = _Pages(stage, driver, note, accounts)
    application.router.add_get("/_sandbox/faults", pages.faults)
    application.router.add_post("/_sandbox/faults", pages.inject)
    application.router.add_post("/_sandbox/listing", pages.change_list)
    application.router.add_get("/_sandbox/status", pages.status)
    application.router.add_get("/_sandbox/truth/{venue}/{wire_name}", pages.truth)
    application.router.add_post("/_sandbox/pause", pages.pause)
    application.router.add_post("/_sandbox/resume", pages.resume)


class _Pages:
    def __init__(self, stage: Stage, driver: Driver, note: str, accounts: PrivateFront) -> None:
        self._accounts = accounts
        self._stage = stage
        self._driver = driver
        self._note = note

    async def faults(self, _request: web.Request) -> web.Response:
        """Show how many faults of each kind had their effect."""
        return _answer(self._stage.box.report() | {"accounts": self._accounts.report()})

    async def inject(self, request: web.Request) -> web.Response:
        """Commit or arm the fault in the body, of a market or of an account."""
        try:
            fault = read_fault(await request.read())
            if isinstance(fault, ScriptedAccountFault):
                self._accounts.check(fault)
                self._accounts.commit(fault)
            else:
                fault = self._stage.check_fault(fault)
                self._stage.commit(fault)
        except (msgspec.MsgspecError, SandboxStartError) as error:
            return _answer({"error": str(error)}, status=400)
        return _answer({"armed": fault.fault.value})

    async def change_list(self, request: web.Request) -> web.Response:
        """Change what a venue lists, as the body says."""
        try:
            change = msgspec.json.decode(await request.read(), type=ListingChange)
            change_listing(self._stage, change)
        except (msgspec.MsgspecError, SandboxStartError) as error:
            return _answer({"error": str(error)}, status=400)
        return _answer({"changed": change.venue})

    async def status(self, _request: web.Request) -> web.Response:
        """Show counts of frames, clients, cycles and losses."""
        stage = self._stage
        venues: dict[str, Any] = {
            venue: {
                "frames": market.frames,
                "clients": len(market.clients),
                "cycles": {
                    listing.wire_name: listing.track.cycles for listing in market.listings()
                },
            }
            for venue, market in stage.markets.items()
        }
        return _answer(
            {
                "replay_s": stage.now_ns / 1e9,
                "is_paused": self._driver.is_paused,
                "lag_s_max": self._driver.lag_ns_max / 1e9,
                "left_out_s": self._driver.left_out_ns / 1e9,
                "counts": dict(stage.counts),
                "venues": venues,
                "market_note": self._note,
            }
        )

    async def truth(self, request: web.Request) -> web.Response:
        """Show the true book of an instrument, best levels first."""
        market = self._stage.markets.get(request.match_info["venue"])
        listing = market.named(request.match_info["wire_name"]) if market else None
        if market is None or listing is None:
            return _answer({"error": "no such venue or instrument"}, status=404)
        return _answer(
            {
                "bids": _render_side(listing, Side.BID),
                "asks": _render_side(listing, Side.ASK),
                "last_id": listing.last_id,
                "replay_s": self._stage.now_ns / 1e9,
            }
        )

    async def pause(self, _request: web.Request) -> web.Response:
        """Stop the replay clock."""
        self._driver.pause()
        return _answer({"is_paused": True})

    async def resume(self, _request: web.Request) -> web.Response:
        """Let the replay clock run on."""
        self._driver.resume()
        return _answer({"is_paused": False})


def _render_side(listing: Listing, side: Side) -> list[list[str]]:
    rules = listing.instrument
    return [
        [render_steps(price, rules.price_decimals), render_steps(size, rules.size_decimals)]
        for price, size in listing.track.book.levels(side)
    ]


def _answer(content: object, *, status: int = 200) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(status=status, body=body, content_type="application/json")
