"""The same book updates in other libraries: frame bytes in, best bid and ask out.

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
from benchmarks.peers.compare import NOT_HERE, Comparison, compare
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
TASK = "book update: Binance depth frame to best bid and ask"
_STEPS_PER_CENT = 1_000_000  # our prices are whole steps of 1e-8


def measure_all() -> list[Comparison]:
    """Measure ours and every peer that is installed."""
    payloads = [payload for _, payload in binance().frames]
    own_ns = _time(ours(), payloads)
    rows = []
    for name, make in PEERS.items():
        try:
            update = make()
        except ImportError:
            rows.append(compare(TASK, own_ns, name, None, agreement=NOT_HERE))
            continue
        peer_ns = _time(update, payloads)
        rows.append(compare(TASK, own_ns, name, peer_ns, agreement=_agreement(make, payloads)))
    return rows


def _agreement(make: Callable[[], Update], payloads: list[bytes]) -> str:
    """Say after how many frames both have the same best prices; peers start with empty books."""
    own, peer = ours(), make()
    pairs = [(_in_cents(own(payload)), _in_cents(peer(payload))) for payload in payloads]
    compared = [pair for pair in pairs if None not in pair[1]]
    equal = sum(mine == theirs for mine, theirs in compared)
    return f"same best prices after {equal:,} of {len(compared):,} frames"


def _in_cents(best: tuple[Any, Any]) -> list[int | None]:
    return [None if one is None else _price_in_cents(one) for one in best]


def _price_in_cents(best: Any) -> int:
    price = best[0] if isinstance(best, list | tuple) else best
    return price // _STEPS_PER_CENT if isinstance(price, int) else round(float(price) * 100)


def _time(update: Update, payloads: list[bytes]) -> "np.ndarray[Any, Any]":
    return harness.time_calls([partial(update, payload) for payload in payloads])
