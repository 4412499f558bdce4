"""Accounts on the sandbox's port: orders meet the very books that its feeds tell."""

from collections.abc import AsyncIterator
from decimal import Decimal

import aiohttp
import pytest

from engine.domain.opportunities import Side
from engine.domain.venue_orders import OrderRequest, wire_id_of
from engine.gateways.answers import Found, NotPlaced, Page, Placed, Unclear
from engine.sandbox.server import Sandbox, open_sandbox
from tests.sandbox.exchange.wire import BEGIN_MS as AT_MS
from tests.sandbox.exchange.wire import Trader
from tests.sandbox.rig import paused

VENUES = ("binance", "bitstamp", "coinbase", "gemini", "kraken")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with open_sandbox(paused()) as opened:
        yield opened


def best_ask(sandbox: Sandbox, venue: str) -> tuple[str, Decimal, Decimal]:
    """Return an instrument of a venue with the price and size of its best ask."""
    listing = sandbox.stage.markets[venue].listings()[0]
    asks = sandbox.truth(venue, listing.wire_name)["asks"]
    price = min(asks)
    # In the case in which the venue's list of instruments, and so our table of them, has it.
    name = listing.wire_name.lower() if venue == "gemini" else listing.wire_name
    return name, price, asks[price]


async def test_an_order_over_the_wire_takes_the_best_price_that_the_feed_tells(
    sandbox: Sandbox,
) -> None:
    for venue in VENUES:
        await takes_the_best_price(sandbox, venue)


async def takes_the_best_price(sandbox: Sandbox, venue: str) -> None:
    client = Trader(sandbox, venue)
    wire_name, price, _ = best_ask(sandbox, venue)
    listing = sandbox.stage.markets[venue].named(wire_name)
    assert listing is not None
    least = max(listing.rules.size_min_base, listing.rules.notional_min_quote / price)
    lot = listing.rules.lot_base
    size = (least // lot + 1) * lot
    request = OrderRequest(
        wire_id=wire_id_of(f"{venue}-1", engine_id="main"),
        venue=client.gateway.venue,
        wire_name=wire_name,
        side=Side.BUY,
        size_base=size,
        price_limit=price,
        sent_before_ms=AT_MS + 10_000,
    )

    told = client.gateway.placed(request, *await client.ask(client.gateway.place(request)))
    assert isinstance(told, Placed), told
    shown = []
    for call in client.gateway.look_ups(request, told.shown.venue_order_id, AT_MS):
        found = client.gateway.looked_up(request, call, *await client.ask(call))
        shown.append(found)

    trades = {t.trade_id: t for f in shown if isinstance(f, Found) for t in f.trades}
    trades |= {
        t.trade_id: t
        for f in shown
        if isinstance(f, Found)
        for order in f.orders
        for t in order.trades
    }
    assert trades
    assert {one.price for one in trades.values()} == {price}
    assert sum(one.size_base for one in trades.values()) <= size
    answer = await client.ask(client.gateway.balances())
    balances = client.gateway.balances_page(*answer)
    assert isinstance(balances, Page)
    account = sandbox.accounts.doors[venue].exchange.balances
    assert {one.asset: one.total for one in balances.items} == {
        asset: one.free + one.held for asset, one in account.items()
    }


async def test_the_sandbox_takes_its_own_key_alone_and_no_other_paths(sandbox: Sandbox) -> None:
    for venue in VENUES:
        await refuses_another_key(sandbox, venue)
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{sandbox.rest_url(venue)}/nothing/of/this") as answer,
        ):
            assert answer.status == 404


async def refuses_another_key(sandbox: Sandbox, venue: str) -> None:
    other = "b3RoZXIgc2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXM="  # 32 bytes, as Ed25519 wants them
    client = Trader(sandbox, venue, secret=other)
    wire_name, price, size = best_ask(sandbox, venue)
    request = OrderRequest(
        wire_id=wire_id_of(f"{venue}-2", engine_id="main"),
        venue=client.gateway.venue,
        wire_name=wire_name,
        side=Side.BUY,
        size_base=size,
        price_limit=price,
        sent_before_ms=AT_MS + 10_000,
    )

    told = client.gateway.placed(request, *await client.ask(client.gateway.place(request)))

    assert isinstance(told, NotPlaced | Unclear)
    assert sandbox.accounts.doors[venue].exchange.orders == []
