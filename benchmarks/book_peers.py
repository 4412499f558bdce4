"""The same book updates in other libraries, in the same run: frame bytes in, best bid and ask out.

Every contestant decodes the same recorded Binance depth frames, sets every level and reads the
best bid and ask. Peers get msgspec's fastest decoding into floats; ours is exact.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import numpy as np

from benchmarks import harness
from benchmarks.full_path import make_core
from benchmarks.real_frames import binance
from engine.kernels.layout import ASK, BID
from engine.ports import LevelForm

Level = tuple[float, float]


class _Changes(msgspec.Struct):
    b: list[Level]
    a: list[Level]


class _Frame(msgspec.Struct):
    data: _Changes


class _RawChanges(msgspec.Struct):
    b: msgspec.Raw
    a: msgspec.Raw


class _RawFrame(msgspec.Struct):
    data: _RawChanges


_decode = msgspec.json.Decoder(_Frame, strict=False).decode
_decode_raw = msgspec.json.Decoder(_RawFrame).decode

Update = Callable[[bytes], Any]


def ours() -> Update:
    """The engine's board."""
    recorded = binance()
    board = make_core(recorded).board
    start = b'[["61837.63","3.78826"]]', b'[["61837.64","1.54698"]]'
    board.replace(0, LevelForm.PAIRS, *start, 1)

    def update(payload: bytes) -> Any:
        changes = _decode_raw(payload).data
        board.apply(0, LevelForm.PAIRS, changes.b, changes.a, 1)
        board.changed.clear()
        return board.best(0, BID), board.best(0, ASK)

    return update


def sorted_dict() -> Update:
    """sortedcontainers.SortedDict of float prices."""
    from sortedcontainers import SortedDict

    bids, asks = SortedDict(), SortedDict()

    def update(payload: bytes) -> Any:
        changes = _decode(payload).data
        for side, levels in ((bids, changes.b), (asks, changes.a)):
            for price, size in levels:
                if size == 0.0:
                    side.pop(price, None)
                else:
                    side[price] = size
        return (
            bids.peekitem(-1) if bids else None,
            asks.peekitem(0) if asks else None,
        )

    return update


def ccxt() -> Update:
    """The order book of ccxt's streaming part."""
    from ccxt.async_support.base.ws.order_book import OrderBook

    book = OrderBook({}, 100_000)
    bids, asks = book["bids"], book["asks"]

    def update(payload: bytes) -> Any:
        changes = _decode(payload).data
        for price, size in changes.b:
            bids.storeArray([price, size])
        for price, size in changes.a:
            asks.storeArray([price, size])
        return bids[0] if len(bids) else None, asks[0] if len(asks) else None

    return update


def nautilus() -> Update:
    """nautilus_trader's Rust book, its deltas built from the frame as its adapters do."""
    from nautilus_trader.model.book import OrderBook
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import BookAction, BookType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId
    from nautilus_trader.model.objects import Price, Quantity

    instrument_id = InstrumentId.from_str("BTCUSDT.BINANCE")
    book = OrderBook(instrument_id, BookType.L2_MBP)

    def update(payload: bytes) -> Any:
        changes = _decode(payload).data
        for side, levels in ((OrderSide.BUY, changes.b), (OrderSide.SELL, changes.a)):
            for price, size in levels:
                action = BookAction.DELETE if size == 0.0 else BookAction.UPDATE
                order = BookOrder(side, Price(price, 2), Quantity(size, 8), 0)
                book.apply_delta(OrderBookDelta(instrument_id, action, order, 0, 0, 0, 0))
        return book.best_bid_price(), book.best_ask_price()

    return update


PEERS: dict[str, Callable[[], Update]] = {
    "sortedcontainers": sorted_dict,
    "ccxt": ccxt,
    "nautilus_trader": nautilus,
}


def measure() -> list[harness.Row]:
    """Measure ours and every peer that is installed; peers' ratios are against ours."""
    payloads = [payload for _, payload in binance().frames]
    own_ns = _time(ours(), payloads)
    rows = [harness.row("book_update.syndicate", own_ns)]
    for name, make in PEERS.items():
        try:
            update = make()
        except ImportError:
            continue
        peer_ns = _time(update, payloads)
        measured = harness.row(f"book_update.{name}", peer_ns)
        ratio = float(np.median(peer_ns) / np.median(own_ns))
        rows.append(
            harness.Row(
                name=measured.name,
                unit=measured.unit,
                median=measured.median,
                p99=measured.p99,
                p999=measured.p999,
                peer="syndicate",
                ratio=round(ratio, 2),
            )
        )
    return rows


def _time(update: Update, payloads: list[bytes]) -> "np.ndarray[Any, Any]":
    return harness.time_calls([partial(update, payload) for payload in payloads])


if __name__ == "__main__":
    harness.print_table(measure())
