"""A perpetual against spot is basis, never an opportunity: shown on recorded frames."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.detect.graph.live_graph import LiveGraph
from engine.detect.graph.screen_terms import Screen
from engine.detect.screening.detector import Detector
from engine.domain.instruments import Instrument, Kind
from engine.market.board import Board
from engine.portfolio.costs import Costs
from engine.ports import Applied, LevelForm
from tests.reference.world import AGE_NS_MAX, make_instrument

RECORDED = Path(__file__).parents[1] / "data" / "detect"
SPOT = make_instrument("binance", "BTC-USDT", price_decimals=8)
PERPETUAL = make_instrument("binance-usdm", "BTC-USDT", price_decimals=8, kind=Kind.PERPETUAL)


class Frame(msgspec.Struct):
    at_ns: int
    book: int
    is_snapshot: bool
    last_id: int
    bids: msgspec.Raw
    asks: msgspec.Raw


class Snapshot(msgspec.Struct):
    lastUpdateId: int  # noqa: N815 - the venue's own name
    bids: msgspec.Raw
    asks: msgspec.Raw


class Depth(msgspec.Struct):
    u: int
    b: msgspec.Raw
    a: msgspec.Raw


class Wrapped(msgspec.Struct):
    data: Depth


def read(book: int, name: str) -> Iterator[Frame]:
    text = gzip.decompress((RECORDED / name).read_bytes())
    for line in text.splitlines():
        stamp, body = line.split(b" ", 1)
        if b'"lastUpdateId"' in body:
            first = msgspec.json.decode(body, type=Snapshot)
            yield Frame(int(stamp), book, True, first.lastUpdateId, first.bids, first.asks)
        else:
            depth = msgspec.json.decode(body, type=Wrapped).data
            yield Frame(int(stamp), book, False, depth.u, depth.b, depth.a)


def replay(instruments: list[Instrument]) -> Detector:
    """Feed both recordings in the order of their receive times, without any costs."""
    board = Board(instruments, levels_max=4096)
    graph = LiveGraph(
        board,
        Costs(fee_bps_taker={one.venue: Decimal(0) for one in instruments}),
        Screen(edge_bps_min=Decimal(0), age_ns_max=AGE_NS_MAX),
    )
    detector = Detector(board, graph, age_ns_max=AGE_NS_MAX, run_id="r")
    frames = [
        *read(0, "binance_spot_btcusdt.txt.gz"),
        *read(1, "binance_usdm_btcusdt.txt.gz"),
    ]
    last_ids: dict[int, int] = {}
    for frame in sorted(frames, key=lambda one: one.at_ns):
        if frame.last_id <= last_ids.get(frame.book, -1):
            continue
        last_ids[frame.book] = frame.last_id
        put = board.replace if frame.is_snapshot else board.apply
        outcome = put(frame.book, LevelForm.PAIRS, frame.bids, frame.asks, frame.at_ns)
        assert outcome is Applied.OK
        for book in board.changed:
            detector.on_change(book, frame.at_ns)
        board.changed.clear()
    return detector


def test_recorded_spot_and_perpetual_books_never_make_an_opportunity() -> None:
    detector = replay([SPOT, PERPETUAL])

    assert detector.found == 0


def test_the_same_frames_would_look_like_opportunities_if_both_were_spot() -> None:
    detector = replay([SPOT, replace(PERPETUAL, kind=Kind.SPOT)])

    assert detector.found > 0


def test_perpetuals_have_no_edges_in_the_graph() -> None:
    board = Board([make_instrument("a"), make_instrument("b", kind=Kind.PERPETUAL)])
    costs = Costs(fee_bps_taker={one.venue: Decimal(0) for one in board.instruments})

    graph = LiveGraph(board, costs, Screen(edge_bps_min=Decimal(0), age_ns_max=AGE_NS_MAX))

    assert len(graph.edges_of(0)) == 2
    assert graph.edges_of(1) == ()
