"""Triangles within one venue, on the whole list of instruments that Binance gave out."""

import lzma
import math
import random
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.connectors.venues.binance.instruments import parse_instruments
from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.screen_terms import EDGE_MARGIN_BPS, Screen
from engine.detect.screening.cycle_scan import CYCLES_MAX
from engine.detect.screening.screens import Screens
from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument
from engine.kernels.layout import ASK, BID
from engine.kernels.screen_layout import SCREENED
from engine.market.board import BOOKS_MAX, Board
from engine.portfolio.costs import Costs
from engine.ports import Applied, LevelForm
from tests.reference.world import AGE_NS_MAX, START_NS

LIST = Path(__file__).parents[1] / "data" / "connectors" / "binance-exchange-info-2021.json.xz"
FEE = 0.001
SPREAD = 0.0002
EDGE_MIN = (5 + EDGE_MARGIN_BPS) / 10_000


class Named(msgspec.Struct, rename="camel"):
    base_asset: str
    quote_asset: str


class Listed(msgspec.Struct):
    symbols: list[Named]


def load() -> list[Instrument]:
    """The instruments that are most woven into triangles, as many as a board holds."""
    payload = lzma.decompress(LIST.read_bytes())
    names = msgspec.json.decode(payload, type=Listed).symbols
    asked = [f"{of.base_asset}-{of.quote_asset}" for of in names]
    instruments = [one.instrument for one in parse_instruments(payload, asked) if not one.closed]
    uses: dict[str, int] = {}
    for one in instruments:
        for asset in (one.pair.base, one.pair.quote):
            uses[asset] = uses.get(asset, 0) + 1
    instruments.sort(
        key=lambda one: (-min(uses[one.pair.base], uses[one.pair.quote]), str(one.pair))
    )
    return instruments[:BOOKS_MAX]


def write(price: float, instrument: Instrument) -> bytes:
    return f'[["{price:.{instrument.price_decimals}f}","1000"]]'.encode()


def test_a_moved_book_gives_every_triangle_that_the_list_has_through_it() -> None:
    instruments = load()
    board = Board(instruments, levels_max=4)
    costs = Costs(fee_bps_taker={instruments[0].venue: Decimal(10)})
    screen = Screen(edge_bps_min=Decimal(5), age_ns_max=AGE_NS_MAX, legs_max=3)
    graph = LiveGraph(board, costs, screen)
    screens = Screens(board, graph)
    rng = random.Random(5)
    values = {one: math.exp(rng.uniform(-1, 1)) for one in graph.assets}
    graph.set_values(values)

    def show(book: int, factor: float) -> int:
        one = instruments[book]
        middle = factor * values[one.pair.base] / values[one.pair.quote]
        bids, asks = write(middle * (1 - SPREAD), one), write(middle * (1 + SPREAD), one)
        if board.replace(book, LevelForm.PAIRS, bids, asks, START_NS) is not Applied.OK:
            return -1  # a tick as coarse as the price
        return screens.screen(book, START_NS, 0)

    shown = [book for book in range(len(instruments)) if show(book, 1.0) >= 0]
    moved = next(book for book in shown if str(instruments[book].pair) == "ETH-BTC")

    count = show(moved, 1.03)

    found = {
        frozenset(str(hop.source) for hop in screens.hops(row))
        for row in screens.out[:count].tolist()
    }
    best = {
        frozenset((of.pair.base, of.pair.quote)): (of.pair.base, prices(board, book))
        for book, of in enumerate(instruments)
        if book in shown
    }

    def rate(source: str, target: str) -> float:
        base, (bid, ask) = best[frozenset((AssetCode(source), AssetCode(target)))]
        return bid * (1 - FEE) if base == source else 1 / (ask * (1 + FEE))

    thirds = [
        asset
        for asset in graph.assets
        if frozenset((asset, "ETH")) in best and frozenset((asset, "BTC")) in best
    ]
    # Which of them pay depends on how their prices round to ticks.
    paying = {
        frozenset(("ETH", "BTC", asset))
        for asset in thirds
        if rate("ETH", "BTC") * rate("BTC", asset) * rate(asset, "ETH") > 1 + EDGE_MIN
    }
    assert len(shown) > 400
    assert 20 < len(paying) <= len(thirds) <= CYCLES_MAX
    assert found == paying
    assert len(found) == count
    assert all(row[SCREENED.LEGS] == 3 for row in screens.out[:count])


def prices(board: Board, book: int) -> tuple[float, float]:
    """Best bid and ask."""
    bid, ask = board.best(book, BID), board.best(book, ASK)
    assert bid is not None
    assert ask is not None
    unit = 10.0 ** -board.instruments[book].price_decimals
    return bid[0] * unit, ask[0] * unit
