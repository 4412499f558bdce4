"""The one list of user streams of the sandbox's exchanges; a venue is a file and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.sandbox.exchange.doors.door import Door
from engine.sandbox.exchange.streams import binance, bitstamp, coinbase, gemini, kraken
from engine.sandbox.exchange.streams.session import Knock, UserSession

Clock = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStreamSpec:
    """A venue's user stream.

    Attributes:
        make: a session of a door.
        path: behind the base address.
        may_open: whether the socket's own request is good, where it says who asks.
        beat_s: interval of heartbeats, 0 for none.
        subscribe_within_s: who has not subscribed by then is disconnected, 0 never.
    """

    make: Callable[[Any, Clock], UserSession[Any]]
    path: str = ""
    may_open: Callable[[Any, Knock, int], bool] = lambda _door, _knock, _at_ms: True
    beat_s: float = 0.0
    subscribe_within_s: float = 0.0


STREAMS: Final[Mapping[str, UserStreamSpec]] = {
    "binance": UserStreamSpec(make=binance.BinanceUserSession, path=binance.PATH),
    "coinbase": UserStreamSpec(
        make=coinbase.CoinbaseUserSession, beat_s=1.0, subscribe_within_s=5.0
    ),
    "gemini": UserStreamSpec(make=gemini.GeminiUserSession, may_open=gemini.may_open),
    "bitstamp": UserStreamSpec(make=bitstamp.BitstampUserSession),
    "kraken": UserStreamSpec(make=kraken.KrakenUserSession, path="/v2", beat_s=1.0),
}


def open_stream(venue: str, door: Door, knock: Knock, now_ms: Clock) -> UserSession[Any] | None:
    """Open a socket of a venue's user stream; None if its request is refused."""
    spec = STREAMS[venue]
    if knock.path.rstrip("/") != spec.path or not spec.may_open(door, knock, now_ms()):
        return None
    return spec.make(door, now_ms)
