"""The role `ccxt` as a fake venue: whole books, numbered changes, and REST books for audits."""

from dataclasses import dataclass, field
from random import Random
from urllib.parse import unquote

import msgspec

from engine.connectors.by_ccxt.names import venue_of
from engine.connectors.by_ccxt.spec import spec_by_ccxt
from engine.domain.instruments import Instrument
from engine.ports import FeedMaker
from tests.connectors.truth import Change, Texts, Truth, make_instrument
from tests.connectors.wire_frames import Frame, text_of

EXCHANGE = "kucoin"


@dataclass(slots=True)
class Ccxt:
    random: Random
    feed: str = "stream"
    sees_gaps: bool = True
    sees_order: bool = True
    maker: FeedMaker = field(init=False)
    is_audited: bool = field(init=False)
    instruments: list[Instrument] = field(default_factory=list)
    truth: Truth = field(init=False)

    def __post_init__(self) -> None:
        self.maker = spec_by_ccxt(EXCHANGE).feeds[self.feed]
        self.is_audited = self.feed == "stream"
        self.instruments = [
            make_instrument(venue_of(EXCHANGE), "BTC-USD", "BTC/USD"),
            make_instrument(venue_of(EXCHANGE), "ETH-USD", "ETH/USD"),
        ]
        self.truth = Truth(self.random, [each.wire_name for each in self.instruments])

    def connect(self) -> None:
        pass

    def receive(self, text: str) -> list[Frame]:
        frames = []
        for wire in msgspec.json.decode(text)["symbols"]:
            version = self.truth.versions[wire]
            payload = self._levels("book", wire, version, *self.truth.texts(wire))
            frames.append(Frame(payload, wire, version))
        return frames

    def frame(self, change: Change) -> Frame:
        payload = self._levels("change", change.wire, change.version, change.bids, change.asks)
        return Frame(payload, change.wire, change.version)

    def unknown(self, change: Change) -> bytes:
        return self._levels("change", "DOGE/USD", change.version, change.bids, change.asks)

    def heartbeat(self) -> Frame:
        return Frame(text_of({"type": "alive", "at_ns": 1_760_000_000_000_000_000}))

    def error(self) -> bytes:
        return text_of({"type": "refused", "symbol": "", "why": "it serves nobody"})

    def fetch(self, path: str) -> Frame:
        wire = unquote(path.removeprefix("/book?symbol="))
        bids, asks = self.truth.texts(wire)
        book = {"bids": bids[:50], "asks": asks[:50]}
        return Frame(text_of(book), wire, self.truth.versions[wire])

    def _levels(self, kind: str, wire: str, version: int, bids: Texts, asks: Texts) -> bytes:
        return text_of(
            {
                "type": kind,
                "symbol": wire,
                "before": version - 1,
                "number": version,
                "at_ns": 1_760_000_000_000_000_000,
                "bids": bids,
                "asks": asks,
            }
        )


def polled(random: Random) -> Ccxt:
    """Make the dialect of an exchange whose books are fetched again and again."""
    return Ccxt(random, "poll")
