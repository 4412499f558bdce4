"""The private halves of the sandbox's venues on its port: requests and user streams of accounts.

Requests go to the doors' own paths, user streams to ``/<venue>/user``. Waiting is replay time: a
sandbox that stands still answers nothing late before it is played on.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from aiohttp import web

from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.sandbox.client import Client
from engine.sandbox.connection import reset_connection, serve_client
from engine.sandbox.dialects.base import FeedSpec
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.exchange.account import Account
from engine.sandbox.exchange.doors.door import Asked, Door
from engine.sandbox.exchange.doors.door_list import DOORS
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.faults import AccountFault, ScriptedAccountFault
from engine.sandbox.exchange.funding import Network
from engine.sandbox.exchange.keys import key_of, withdraw_key_of
from engine.sandbox.exchange.model import Change, Market
from engine.sandbox.exchange.streams.session import Knock, UserSession
from engine.sandbox.exchange.streams.stream_list import STREAMS, open_stream
from engine.sandbox.levels import Side
from engine.sandbox.lineup import Listing
from engine.sandbox.settings import SandboxSettings
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
        rules, book = listing.instrument, listing.track.book
        side = Side.ASK if asks else Side.BID
        best = book.best(side)
        if best is None:
            return
        # Most who ask want no more than the best one, for which nothing has to be sorted.
        yield rules.price_of(best), rules.size_of(book.size(side, best))
        for price, size in book.levels(side, None)[1:]:
            yield rules.price_of(price), rules.size_of(size)

    def _listing(self, wire_name: str) -> Listing | None:
        # An account's interface and a feed may write the same name in another case.
        listing = self._market.named(wire_name)
        return listing if listing is not None and listing.is_listed else None


USER: Final = "user"
"""The name of user streams beside those of feeds."""

_BEAT_NS: Final = NS_PER_S


class PrivateFront:
    """All accounts of a sandbox.

    Attributes:
        accounts, doors: by venue.
    """

    def __init__(self, stage: Stage, settings: SandboxSettings) -> None:
        self._stage = stage
        self._settings = settings
        self.accounts: dict[str, Account] = {}
        self._sockets: dict[str, list[tuple[Client, UserSession[Any]]]] = {}
        self._network = Network()
        for venue, market in stage.markets.items():
            if venue in DOORS:
                self.accounts[venue] = self._open(venue, market)
                self._sockets[venue] = []
        self.doors: dict[str, Door] = {venue: one.door for venue, one in self.accounts.items()}
        stage.listeners.append(self._book_moved)
        stage.every(_BEAT_NS, self._beat)
        for fault in settings.faults:
            if isinstance(fault, ScriptedAccountFault):
                self.check(fault)
                stage.at(int(fault.at_s * NS_PER_S), partial(self.commit, fault))

    def is_private(self, venue: str, method: str, path: str) -> bool:
        """Say whether a request is one for an account."""
        door = self.doors.get(venue)
        return door is not None and door.is_private(method, path)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request for an account; what rests meets the books as they are first."""
        venue, path = request.match_info["venue"], "/" + request.match_info["tail"]
        account = self.accounts[venue]
        asked = Asked(
            method=request.method,
            path=path,
            query=request.rel_url.raw_query_string,
            headers=_lower(request),
            body=await request.read(),
        )
        self._stage.counts[f"private_{venue}"] += 1
        faults = account.faults.take_request(account.door.asks(asked))
        if AccountFault.REQUEST_LOST in faults:
            return _broken(request)
        await self._wait(faults.get(AccountFault.REQUEST_LATE))
        answer = account.answer(asked, faults)
        if AccountFault.ANSWER_LOST in faults:
            return _broken(request)
        await self._wait(faults.get(AccountFault.ANSWER_LATE))
        await self._wait(faults.get(AccountFault.FILL_FIRST))
        kind = "text/html" if answer.body.startswith(b"<") else "application/json"
        return web.Response(status=answer.status, body=answer.body, content_type=kind)

    async def connect(self, request: web.Request, path: str) -> web.StreamResponse:
        """Carry a user stream until either side ends it.

        Raises:
            web.HTTPUnauthorized: the socket's own request is not that of the account's key.
        """
        venue = request.match_info["venue"]
        account, spec = self.accounts[venue], STREAMS[venue]
        knock = Knock(path=path, headers=_lower(request))
        session = open_stream(venue, account.door, knock, account.now_ms)
        if session is None:
            raise web.HTTPUnauthorized
        session.is_mute = lambda: account.is_mute
        client = Client(
            venue=venue,
            feed=USER,
            session=session,
            frames_max=self._settings.queue_frames_max,
            bytes_max=self._settings.queue_bytes_max,
        )
        feed = FeedSpec(
            open=lambda _market, _path, _query: session,
            subscribe_within_s=spec.subscribe_within_s,
        )
        socket = (client, session)
        self._sockets[venue].append(socket)
        try:
            return await serve_client(
                request,
                stage=self._stage,
                market=self._stage.markets[venue],
                client=client,
                feed=feed,
            )
        finally:
            self._sockets[venue].remove(socket)

    def check(self, fault: ScriptedAccountFault) -> None:
        """Refuse a fault that could never be.

        Raises:
            SandboxStartError: there is no such account or instrument, or nothing to pay out.
        """
        account = self.accounts.get(fault.venue)
        if account is None:
            raise SandboxStartError(f"fault {fault.fault} names unknown account {fault.venue!r}")
        if fault.fault is AccountFault.FEES and fault.asset and fault.venue != "binance":
            raise SandboxStartError(
                f"fault {fault.fault}: only binance takes them from a third asset"
            )
        if fault.fault is not AccountFault.OTHERS:
            return
        if fault.variant == "pay_out":
            if fault.asset not in account.door.exchange.balances or not fault.amount:
                raise SandboxStartError(
                    f"fault {fault.fault} pays {fault.amount} {fault.asset!r} out at {fault.venue}"
                )
        elif account.door.exchange.market(fault.instrument) is None:
            raise SandboxStartError(
                f"fault {fault.fault} names unknown instrument {fault.instrument!r} "
                f"at {fault.venue}"
            )

    def commit(self, fault: ScriptedAccountFault) -> None:
        """Commit a fault now, or arm it for what it hits next."""
        account = self.accounts[fault.venue]
        if fault.fault is AccountFault.STREAM_CUT:
            self._cut(fault.venue, fault.variant)
            return
        account.commit(fault)
        if fault.fault is AccountFault.KEY and fault.variant == "revoked":
            self._cut(fault.venue, "close")

    def report(self) -> dict[str, object]:
        """Return how often faults of each kind had their effect, and how many still wait."""
        return {
            venue: {
                "kinds": {kind.value: count for kind, count in one.faults.counts.items() if count},
                "waiting": one.faults.waiting,
            }
            for venue, one in self.accounts.items()
        }

    def _open(self, venue: str, market: Books) -> Account:
        make_door, terms = DOORS[venue]
        exchange = Exchange(terms, StageBooks(market), _begin(market.every_listing()))
        door = make_door(exchange, key_of(venue).of_door)
        door.withdraw_key = withdraw_key_of(venue).of_withdrawals
        self._network.join(door.funding)
        account = Account(
            door,
            true_ms=partial(self._venue_ms, market),
            now_ns=lambda: self._stage.now_ns,
        )
        account.listeners.append(partial(self._tell, venue))
        return account

    def _venue_ms(self, market: Books) -> int:
        # Whoever signs looks at a true clock, whatever the speed at which the market is played.
        is_pinned = self._settings.epoch_ns is not None
        return (market.venue_now_ns() if is_pinned else time.time_ns()) // NS_PER_MS

    def _tell(self, venue: str, change: Change) -> None:
        sockets = self._sockets[venue]
        account = self.accounts[venue]
        is_mute = bool(sockets) and account.is_mute
        faults = account.faults.take_told() if sockets and not is_mute else {}
        for client, session in sockets:
            frames = session.told(change)  # it is numbered, whether or not it is lost
            if is_mute or AccountFault.STREAM_LOSES in faults:
                continue
            for _ in range(2 if AccountFault.STREAM_TWICE in faults else 1):
                client.push(frames, at_ns=self._stage.now_ns)

    def _cut(self, venue: str, how: str) -> None:
        for client, _ in self._sockets[venue]:
            client.close(how)
            self.accounts[venue].faults.counts[AccountFault.STREAM_CUT] += 1

    def _book_moved(self, market: Books, listing: Listing) -> None:
        account = self.accounts.get(market.dialect.venue)
        if account is not None and account.door.exchange.rests(listing.wire_name):
            account.advance()

    def _beat(self) -> None:
        for venue, account in self.accounts.items():
            account.advance()
            if STREAMS[venue].beat_s:
                for client, session in self._sockets[venue]:
                    client.push(session.heartbeat(), at_ns=self._stage.now_ns)

    async def _wait(self, fault: ScriptedAccountFault | None) -> None:
        if fault is None:
            return
        passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def pass_by() -> None:
            if not passed.done():
                passed.set_result(None)

        self._stage.at(self._stage.now_ns + int(fault.duration_s * NS_PER_S), pass_by)
        await passed


def _lower(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _broken(request: web.Request) -> web.Response:
    """Break the connection; what is returned goes nowhere."""
    reset_connection(request)
    return web.Response()


def _begin(listings: Iterable[Listing]) -> dict[str, Decimal]:
    assets: set[str] = set()
    for listing in listings:
        assets |= {str(listing.instrument.pair.base), str(listing.instrument.pair.quote)}
    return {asset: BEGIN[asset] for asset in sorted(assets) if asset in BEGIN}
