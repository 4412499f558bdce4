"""Recorded frames of each venue end in the same book as the slowest possible reading of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec
import pytest

from engine.connectors.venues.binance.feed import BinanceFeed
from engine.connectors.venues.bitstamp.feed import BitstampFeed
from engine.connectors.venues.coinbase.feed import CoinbaseFeed
from engine.connectors.venues.gemini.l2_feed import GeminiL2Feed
from engine.domain.instruments import Instrument, Kind, Pair, VenueId
from engine.market.board import Board
from engine.ports import Action, Feed, FeedLimits, FeedMaker, Fetch
from tests.connectors import recordings
from tests.connectors.recordings import SlowBook

PATIENT = FeedLimits(age_ms_max=3_600_000, audit_s=3_600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    name: str
    venue: str
    maker: FeedMaker
    wires: tuple[str, ...]
    slow: Callable[[str], dict[str, SlowBook]]
    kind: Kind = Kind.SPOT


RECORDINGS = [
    Recording(
        name="coinbase-exchange",
        venue="coinbase",
        maker=CoinbaseFeed,
        wires=("SKL-USD", "CRV-EUR"),
        slow=recordings.slow_coinbase,
    ),
    Recording(
        name="gemini-l2",
        venue="gemini",
        maker=GeminiL2Feed,
        wires=("filusd", "btcgbp", "ankrusd"),
        slow=recordings.slow_gemini_l2,
    ),
    Recording(
        name="bitstamp",
        venue="bitstamp",
        maker=BitstampFeed,
        wires=("bateur", "usdteur", "batbtc"),
        slow=recordings.slow_bitstamp,
    ),
    Recording(
        name="binance",
        venue="binance",
        maker=BinanceFeed,
        wires=("NKNUSDT", "LRCBTC"),
        slow=recordings.slow_binance,
    ),
    Recording(
        name="binance-spot-btcusdt",
        venue="binance",
        maker=BinanceFeed,
        wires=("BTCUSDT",),
        slow=recordings.slow_binance,
    ),
    Recording(
        name="binance-perpetual-btcusdt",
        venue="binance",
        maker=BinanceFeed,
        wires=("BTCUSDT",),
        slow=recordings.slow_binance,
        kind=Kind.PERPETUAL,
    ),
]


def make_instruments(recording: Recording) -> list[Instrument]:
    return [
        Instrument(
            venue=VenueId(recording.venue),
            pair=Pair.parse(f"X{index}-USD"),
            wire_name=wire,
            price_decimals=8,
            size_decimals=8,
            tick_quote=Decimal("0.01"),
            lot_base=Decimal("0.00000001"),
            kind=recording.kind,
        )
        for index, wire in enumerate(recording.wires)
    ]


def advanced_trade(payload: bytes, sequence: int) -> bytes:
    """Put the levels of a Coinbase Exchange frame into Advanced Trade's envelope."""
    message = msgspec.json.decode(payload)
    is_snapshot = message["type"] == "snapshot"
    if is_snapshot:
        changes = [("bid", *level) for level in message["bids"]]
        changes += [("offer", *level) for level in message["asks"]]
    else:
        words = {"buy": "bid", "sell": "offer"}
        changes = [(words[side], price, size) for side, price, size in message["changes"]]
    updates = [
        {
            "side": side,
            "event_time": "2021-04-17T16:43:36.000000Z",
            "price_level": price,
            "new_quantity": size,
        }
        for side, price, size in changes
    ]
    event = {
        "type": "snapshot" if is_snapshot else "update",
        "product_id": message["product_id"],
        "updates": updates,
    }
    return msgspec.json.encode(
        {
            "channel": "l2_data",
            "client_id": "",
            "timestamp": "2021-04-17T16:43:36.000000000Z",
            "sequence_num": sequence,
            "events": [event],
        }
    )


def replay(recording: Recording, feed: Feed) -> None:
    """Feed the frames in their order; a fetch is answered at the time its answer was recorded."""
    lines = list(recordings.read(recording.name))
    asked: set[str] = set()
    answers = {line.path: line for line in lines if line.path}

    def carry_out(actions: Sequence[Action]) -> None:
        asked.update(action.key for action in actions if isinstance(action, Fetch))

    feed.opened(lines[0].at_ns)
    for sequence, line in enumerate(lines):
        if not line.path:
            payload = line.payload
            if recording.venue == "coinbase":
                payload = advanced_trade(payload, sequence)
            carry_out(feed.frame(payload, line.at_ns))
        for path, answer in list(answers.items()):
            key = (
                f"book:{path.partition('symbol=')[2].partition('&')[0] or path.rpartition('/')[2]}"
            )
            if key in asked and answer.at_ns <= line.at_ns:
                del answers[path]
                carry_out(feed.fetched(key, answer.payload, line.at_ns))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.name)
def test_recorded_frames_end_in_the_book_of_the_slow_reference(recording: Recording) -> None:
    instruments = make_instruments(recording)
    board = Board(instruments)
    feed = recording.maker(instruments, range(len(instruments)), board, PATIENT)

    replay(recording, feed)

    slow_books = recording.slow(recording.name)
    assert not board.faults
    for row, instrument in enumerate(instruments):
        slow = slow_books[instrument.wire_name]
        bids, asks = board.top_levels(row, 1_000_000)
        assert board.is_live(row)
        assert len(bids) + len(asks) > 20
        for levels, expected in ((bids, slow.bids), (asks, slow.asks)):
            held = {instrument.price_of(price): instrument.size_of(size) for price, size in levels}
            assert held == expected


def test_a_perpetuals_frames_never_make_a_spot_row_live() -> None:
    recording = next(each for each in RECORDINGS if each.kind is Kind.PERPETUAL)
    spot = [
        Instrument(
            venue=each.venue,
            pair=each.pair,
            wire_name=each.wire_name,
            price_decimals=8,
            size_decimals=8,
            tick_quote=each.tick_quote,
            lot_base=each.lot_base,
        )
        for each in make_instruments(recording)
    ]
    board = Board(spot)
    feed = BinanceFeed(spot, [0], board, PATIENT)

    replay(recording, feed)

    assert not board.is_live(0)
