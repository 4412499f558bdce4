"""Five venues with deep books of one pair, and the frames that move them."""

import random
from collections.abc import Iterable, Iterator
from decimal import Decimal

from engine.domain.assets import Amount
from engine.domain.holdings import Holding
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.kernels import layout
from engine.market.board import Board
from engine.ports import LevelForm

VENUES = 5
DEPTH = 5_000
TOUCH_CENTS = 5_000_000
START_NS = 1_700_000_000_000_000_000

Frame = tuple[int, bytes, bytes]
"""Book, bids, asks."""


def make_instruments() -> list[Instrument]:
    return [
        Instrument(
            venue=VenueId(f"v{number}"),
            pair=Pair.parse("BTC-USD"),
            wire_name="BTC-USD",
            price_decimals=2,
            size_decimals=8,
            tick_quote=Decimal("0.01"),
            lot_base=Decimal("0.00000001"),
        )
        for number in range(VENUES)
    ]


def plenty(instruments: Iterable[Instrument]) -> list[Holding]:
    """Return holdings that no benchmark runs out of."""
    return [
        Holding(
            venue=one.venue,
            held=Amount.of(10**12, asset),
            started=Amount.of(10**12, asset),
            started_usd=Decimal(1),
        )
        for one in instruments
        for asset in (one.pair.base, one.pair.quote)
    ]


def write(levels: list[tuple[int, str]]) -> bytes:
    return (
        "["
        + ",".join(f'["{cents // 100}.{cents % 100:02d}","{size}"]' for cents, size in levels)
        + "]"
    ).encode()


def make_board(instruments: list[Instrument]) -> Board:
    board = Board(instruments)
    for book in range(len(instruments)):
        bids = write([(TOUCH_CENTS - 1 - 25 * i, "0.50000000") for i in range(DEPTH)])
        asks = write([(TOUCH_CENTS + 1 + 25 * i, "0.50000000") for i in range(DEPTH)])
        board.replace(book, LevelForm.PAIRS, bids, asks, START_NS)
        assert board.state[book, layout.IS_LIVE]
    board.changed.clear()
    return board


def make_frames(count: int, *, seed: int = 1) -> Iterator[Frame]:
    """Four changes near the touch per frame; none crosses venues."""
    rng = random.Random(seed)
    for _ in range(count):
        bids = [
            (TOUCH_CENTS - 1 - 25 * min(int(rng.expovariate(0.1)), 900), f"{rng.random():.8f}")
            for _ in range(2)
        ]
        asks = [
            (TOUCH_CENTS + 1 + 25 * min(int(rng.expovariate(0.1)), 900), f"{rng.random():.8f}")
            for _ in range(2)
        ]
        yield rng.randrange(VENUES), write(bids), write(asks)
