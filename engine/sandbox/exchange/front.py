"""The private halves of the sandbox's venues on its port: requests go to the doors' own paths."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from aiohttp import web

from engine.domain.units import NS_PER_MS
from engine.sandbox.exchange.doors.door import Asked, Door
from engine.sandbox.exchange.doors.door_list import DOORS
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.keys import key_of
from engine.sandbox.exchange.model import Market
from engine.sandbox.levels import Side
from engine.sandbox.lineup import Listing
from engine.sandbox.stage import Market as Books
from engine.sandbox.stage import Stage

BEGIN: Final[Mapping[str, Decimal]] = {
    "USD": Decimal(50_000),
    "USDC": Decimal(50_000),
    "USDT": Decimal(50_000),
    "BTC": Decimal(1),
    "ETH": Decimal(20),
    "LTC": Decimal(300),
}
"""What each account begins with, of what its venue trades."""


class StageBooks:
    """The books of one venue as they play; obeys `Books` of the exchange."""

    def __init__(self, market: Books) -> None:
        self._market = market

    def market(self, wire_name: str) -> Market | None:
        """See `model.Books.market`."""
        listing = self._listing(wire_name)
        if listing is None:
            return None
        rules = listing.rules
        return Market(
            wire_name=listing.wire_name,
            base=str(rules.pair.base),
            quote=str(rules.pair.quote),
            tick=rules.tick_quote,
            lot=rules.lot_base,
            size_min=rules.size_min_base,
            notional_min=rules.notional_min_quote,
            is_open=not listing.state,
        )

    def levels(self, wire_name: str, *, asks: bool) -> Iterator[tuple[Decimal, Decimal]]:
        """See `model.Books.levels`."""
        listing = self._listing(wire_name)
        if listing is None:
            return
        rules = listing.instrument
        side = Side.ASK if asks else Side.BID
        for price, size in listing.track.book.levels(side, None):
            yield rules.price_of(price), rules.size_of(size)

    def _listing(self, wire_name: str) -> Listing | None:
        # An account's interface and a feed may write the same name in another case.
        listing = self._market.named(wire_name)
        return listing if listing is not None and listing.is_listed else None


class PrivateFront:
    """All accounts of a sandbox.

    Attributes:
        doors: by venue.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.doors: dict[str, Door] = {}
        for venue, market in stage.markets.items():
            if venue in DOORS:
                make_door, terms = DOORS[venue]
                begin = _begin(market.every_listing())
                exchange = Exchange(terms, StageBooks(market), begin)
                self.doors[venue] = make_door(exchange, key_of(venue).of_door)

    def is_private(self, venue: str, method: str, path: str) -> bool:
        """Say whether a request is one for an account."""
        door = self.doors.get(venue)
        return door is not None and door.is_private(method, path)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request for an account; what rests meets the books as they are first."""
        venue, path = request.match_info["venue"], "/" + request.match_info["tail"]
        door = self.doors[venue]
        at_ms = self._stage.markets[venue].venue_now_ns() // NS_PER_MS
        asked = Asked(
            method=request.method,
            path=path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        door.exchange.advance(at_ms)
        self._stage.counts[f"private_{venue}"] += 1
        answer = door.answer(asked, at_ms)
        door.exchange.changed.clear()
        return web.Response(status=answer.status, body=answer.body, content_type="application/json")


def _begin(listings: Iterable[Listing]) -> dict[str, Decimal]:
    assets: set[str] = set()
    for listing in listings:
        assets |= {str(listing.instrument.pair.base), str(listing.instrument.pair.quote)}
    return {asset: BEGIN[asset] for asset in sorted(assets) if asset in BEGIN}
