"""One exchange of ccxt: the only file that loads the library, in the role `ccxt` alone.

ccxt raises what its parsing meets, keeps a lost connection's books, and says nothing of a stream
that fell silent. Whatever goes wrong here is one of two errors: the exchange cannot be followed
now, or it does not serve the symbol.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import ccxt
import ccxt.async_support
import ccxt.pro

from engine.connectors.by_ccxt.exact import exact
from engine.connectors.by_ccxt.instruments import instrument_of
from engine.connectors.by_ccxt.losses import LostError, UnservedError
from engine.connectors.by_ccxt.markets import PrecisionMode, fee_bps, market_of
from engine.connectors.by_ccxt.messages import Market, Terms
from engine.connectors.by_ccxt.spec import FEE_BPS_UNKNOWN
from engine.connectors.limiter import Limiter
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.redaction import redact
from engine.ports import RequestBudget

log = logging.getLogger(__name__)

FETCH_S: Final = 15.0
LIST_S: Final = 300.0
"""A list is asked for again after this time: ccxt takes a second or so to read a long one."""

PACE_RATIO: Final = 0.8
"""Of the pace that ccxt knows of an exchange so much is used; others of this address need some."""

PER_S_MAX: Final = 10.0
TOO_MANY: Final = 429
WHY_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an exchange is found in the place of its own addresses: in the sandbox."""

    rest_url: str
    websocket_url: str


class Exchange:
    """An exchange through ccxt, without keys.

    Args:
        name: how ccxt calls it.
        pairs: those that are followed, as BASE-QUOTE.
        now_ns: wall clock, for waits that the exchange asks for.
        proxy: through which it is reached; None for directly.
        place: where it is in place of its own addresses; None for these.
    """

    def __init__(
        self,
        name: str,
        *,
        pairs: Sequence[str],
        now_ns: Callable[[], int],
        proxy: str | None = None,
        place: Place | None = None,
    ) -> None:
        self.name = name
        makers = ccxt.pro if name in ccxt.pro.exchanges else ccxt.async_support
        self._ccxt: Any = getattr(makers, name)(_options(proxy))
        _ask_for_spot_alone(self._ccxt)
        if place is not None:
            _move(self._ccxt, place)
        self._symbols = {pair.replace("-", "/") for pair in pairs}
        per_s = min(1_000 / max(float(self._ccxt.rateLimit), 1.0), PER_S_MAX) * PACE_RATIO
        self._limiter = Limiter(RequestBudget(weight_per_s=per_s, weight_burst=1.0), now_ns=now_ns)
        self._markets: dict[str, Market] = {}
        self._decimals: dict[str, int] = {}
        self._listing = asyncio.Lock()
        self._list_at_s = 0.0

    @property
    def has_stream(self) -> bool:
        """Whether its order books can be followed by WebSocket."""
        return self._ccxt.has.get("watchOrderBook") is True

    def terms(self) -> Terms:
        """Return what is known of it: by its list if there is one, else as ccxt has it."""
        said = self._ccxt.fees.get("trading") or {}
        listed = [self._ccxt.markets[symbol] for symbol in self._markets]
        usual = fee_bps(said.get("taker"))
        rates = [fee_bps(market.get("taker")) or usual for market in listed] or [usual]
        bps = max((rate for rate in rates if rate is not None), default=None)
        side = said.get("feeSide") or "get"
        return Terms(
            feed="stream" if self.has_stream else "poll",
            fee_bps_taker=f"{Decimal(FEE_BPS_UNKNOWN) if bps is None else bps.normalize():f}",
            is_fee_in_base=side in {"get", "base"},
        )

    def size_decimals(self, symbol: str) -> int:
        """Return the decimals of a size of a symbol.

        Raises:
            UnservedError: it is not listed.
        """
        try:
            return self._decimals[symbol]
        except KeyError:
            raise UnservedError(f"{symbol} is not listed") from None

    async def markets(self) -> list[Market]:
        """Return the spot markets of the pairs, listed not long ago.

        Raises:
            LostError: they cannot be had.
        """
        now_s = asyncio.get_running_loop().time()
        async with self._listing:
            if not self._markets or now_s - self._list_at_s > LIST_S:
                await self._limiter.turn()
                told = await self._asked(self._ccxt.load_markets(True))
                await self._take(told)
                self._list_at_s = now_s
        return list(self._markets.values())

    async def ready(self) -> None:
        """Have the markets listed once: right after a start nobody knows yet what is served.

        Raises:
            LostError: they cannot be had.
        """
        if not self._markets:
            await self.markets()

    async def fetch_book(self, symbol: str) -> Mapping[str, Any]:
        """Return a book as the exchange's REST has it.

        Raises:
            LostError: it cannot be had now.
            UnservedError: the exchange has no such symbol.
        """
        self.size_decimals(symbol)
        return await self._fetch_book(symbol)

    async def watch_book(self, symbol: str) -> Mapping[str, Any]:
        """Wait for the next change of a book that ccxt keeps; return the book.

        Raises:
            LostError: the stream broke.
            UnservedError: the exchange has no such symbol.
        """
        book: Mapping[str, Any] = await self._asked(
            self._ccxt.watch_order_book(symbol), timeout_s=None
        )
        return book

    async def forget(self) -> None:
        """Drop all streams and the books that were kept by them; who waits for one loses it."""
        await self._ccxt.close_ws_clients()
        self._ccxt.orderbooks.clear()

    async def close(self) -> None:
        """End all connections, those too that what was under way has opened meanwhile."""
        await self._ccxt.close()
        while self._ccxt.session is not None or self._ccxt.socks_proxy_sessions is not None:
            await self._ccxt.close()

    async def _fetch_book(self, symbol: str) -> Mapping[str, Any]:
        await self._limiter.turn()
        book: Mapping[str, Any] = await self._asked(self._ccxt.fetch_order_book(symbol))
        return book

    async def _take(self, told: Mapping[str, Mapping[str, Any]]) -> None:
        mode = PrecisionMode(self._ccxt.precisionMode)
        markets: dict[str, Market] = {}
        decimals: dict[str, int] = {}
        for symbol in sorted(self._symbols & told.keys()):
            if told[symbol].get("spot") is not True:
                continue
            try:
                price = None
                if mode is PrecisionMode.SIGNIFICANT_DIGITS:
                    price = _best_price(await self._fetch_book(symbol))
                market = market_of(told[symbol], mode, price=price)
                decimals[symbol] = instrument_of(self.name, market).instrument.size_decimals
            except BadValueError as error:
                log.warning("%s: %s", self.name, error)
                continue
            markets[symbol] = market
        self._markets, self._decimals = markets, decimals

    async def _asked(self, asked: Awaitable[Any], *, timeout_s: float | None = FETCH_S) -> Any:
        task = asyncio.current_task()
        try:
            async with asyncio.timeout(timeout_s):
                return await asked
        except asyncio.CancelledError:
            if task is not None and task.cancelling():
                raise
            # A stream that was dropped ends all who wait for it so.
            raise LostError(Fault.DISCONNECTED, "the stream was dropped") from None
        except TimeoutError as error:
            raise LostError(Fault.DISCONNECTED, f"no answer within {timeout_s:g} s") from error
        except ccxt.BadSymbol as error:
            raise UnservedError(_words(error)) from error
        except Exception as error:
            raise LostError(self._fault_of(error), _words(error)) from error

    def _fault_of(self, error: Exception) -> Fault:
        if isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
            self._limiter.refused(TOO_MANY, "")
            return Fault.VENUE_ERROR
        if isinstance(error, ccxt.ChecksumError):
            return Fault.AUDIT_DIVERGED
        if isinstance(error, ccxt.InvalidNonce):
            return Fault.GAP
        if isinstance(error, ccxt.BadResponse | ccxt.NullResponse):
            return Fault.BAD_SHAPE
        if isinstance(error, ccxt.NetworkError | OSError):
            return Fault.DISCONNECTED
        return Fault.VENUE_ERROR if isinstance(error, ccxt.BaseError) else Fault.BAD_SHAPE


def _options(proxy: str | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "enableRateLimit": True,
        "maxRetriesOnFailure": 0,
        "options": {"defaultType": "spot"},
    }
    if proxy is not None:
        kinds = ("socksProxy", "wsSocksProxy") if proxy.startswith("socks") else ("aiohttp_proxy",)
        # By this scheme names are left to the proxy.
        through = proxy.replace("socks5://", "socks5h://", 1)
        options |= dict.fromkeys(kinds, through)
        if not proxy.startswith("socks"):
            options["wssProxy"] = proxy
    return options


def _ask_for_spot_alone(exchange: Any) -> None:
    """Leave out the lists of what is no spot market, where these are asked for one by one."""
    told = exchange.options.get("fetchMarkets")
    if isinstance(told, dict) and "spot" in (told.get("types") or ()):
        told["types"] = ["spot"]


def _move(exchange: Any, place: Place) -> None:
    """Find the exchange elsewhere: at each of its addresses with its path kept."""

    def moved(address: Any) -> Any:
        if isinstance(address, Mapping):
            return {name: moved(one) for name, one in address.items()}
        if not isinstance(address, str):
            return address
        parts = urlsplit(address)
        there = urlsplit(place.websocket_url if parts.scheme.startswith("ws") else place.rest_url)
        return urlunsplit(
            (there.scheme, there.netloc, there.path.rstrip("/") + parts.path, there.query, "")
        )

    exchange.urls["api"] = moved(exchange.urls["api"])
    # The sandbox has markets, and nothing of what else is asked for to describe their assets.
    exchange.has["fetchCurrencies"] = False


def _best_price(book: Mapping[str, Any]) -> Decimal | None:
    asks = book.get("asks")
    return exact(asks[0][0], what="best ask") if asks else None


def _words(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return redact(text)[:WHY_CHARACTERS]  # a proxy's address may hold a password
