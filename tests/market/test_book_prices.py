"""What assets are worth by another process's books: whole, fresh, or not at all."""

import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.assets import AssetCode
from engine.domain.units import NS_PER_S
from engine.kernels import layout
from engine.kernels.matrix_layout import HEADER, ROW, ROW_BYTES, rows_at
from engine.market.board import Board
from engine.market.book_prices import AGE_S_MAX, READ_AGAIN_S, BookPrices, _mids
from engine.market.price_matrix import PriceMatrix
from tests.market.matrix_process import make_matrix, show_book
from tests.market.test_matrix_processes import started
from tests.reference.world import START_NS, make_instrument

PAIRS = {
    "a": ("ETH-USD", 3_000),
    "b": ("ETH-USD", 3_010),
    "c": ("ETH-USD", 9_999),  # one that is out of its mind moves nothing
    "d": ("SOL-ETH", 2),
    "e": ("ETH-EUR", 2_500),
    "f": ("USDC-USD", 1),
}


class Market:
    """A matrix of some books, and who values by it."""

    def __init__(self, path: Path) -> None:
        self.now_ns = START_NS
        self.path = path
        instruments = [
            make_instrument(venue, pair, price_decimals=0, size_decimals=0, tick="1", lot="1")
            for venue, (pair, _) in PAIRS.items()
        ]
        self.board = Board(instruments, levels_max=8)
        self.matrix = PriceMatrix.create(path, self.board, run_id="run", pools=[])
        for book, (_, price) in enumerate(PAIRS.values()):
            self.show(book, price)
        self.prices = BookPrices(path, lambda: self.now_ns)

    def show(self, book: int, price: int) -> None:
        self.board.levels[2 * book, 0] = (price, 1)
        self.board.levels[2 * book + 1, 0] = (-price, 1)
        self.board.state[book, [layout.COUNT, layout.COUNT + 1, layout.IS_LIVE]] = 1
        self.board.state[book, [layout.CHANGED_AT_NS, layout.FRAME_SEQ]] = self.now_ns
        self.matrix.publish_book(book, self.now_ns)

    def usd_of(self, asset: str) -> Decimal | None:
        self.now_ns += READ_AGAIN_S * NS_PER_S
        return self.prices.usd_of(AssetCode(asset))


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return Market(tmp_path / "prices")


def test_an_asset_is_worth_the_middle_of_its_books_or_what_it_fetches_in_one_that_has_some(
    market: Market,
) -> None:
    worths = {asset: market.usd_of(asset) for asset in ("ETH", "SOL", "EUR", "USDC", "USD", "DOGE")}

    assert worths == {
        "ETH": 3_010,
        "SOL": 6_020,
        "EUR": Decimal("1.204"),
        "USDC": 1,
        "USD": 1,
        "DOGE": None,
    }
    assert market.prices.trouble == ""


def test_a_price_that_is_too_old_or_stale_is_none(market: Market) -> None:
    market.now_ns += (AGE_S_MAX - 20) * NS_PER_S
    market.show(5, 1)
    assert market.usd_of("ETH")
    market.now_ns += 20 * NS_PER_S
    assert market.usd_of("ETH") is None
    assert market.usd_of("USDC") == 1
    market.board.state[5, layout.IS_LIVE] = 0
    market.matrix.publish_book(5, market.now_ns)
    assert market.usd_of("USDC") is None
    assert market.prices.trouble == "no book is fresh"


def test_without_a_writer_there_is_no_price_and_that_is_said(market: Market) -> None:
    market.matrix.close()

    assert market.usd_of("ETH") is None
    assert "no engine writes" in market.prices.trouble
    market.path.unlink()
    assert market.usd_of("ETH") is None
    assert "no engine has made it yet" in market.prices.trouble


def in_header(word: int, value: int) -> Callable[[bytearray], None]:
    return lambda block: struct.pack_into("=q", block, 8 * word, value)


def in_rows(word: int, value: bytes) -> Callable[[bytearray], None]:
    def damage(block: bytearray) -> None:
        for row in range(len(PAIRS)):
            at = rows_at(len(PAIRS)) + row * ROW_BYTES + 8 * word
            block[at : at + 8] = value

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        in_header(HEADER.MAGIC, 1),
        in_header(HEADER.FORMAT, 99),
        in_header(HEADER.GENERATION, 7),
        in_header(HEADER.ROWS, 0),
        in_header(HEADER.ROWS, 2**40),
        in_header(HEADER.PLACES_BYTES, -1),
        in_header(HEADER.PLACES_BYTES, 2**40),
        in_rows(ROW.SEQUENCE, struct.pack("=q", 7)),
        in_rows(ROW.KIND, struct.pack("=q", 2)),
        in_rows(ROW.BID, struct.pack("=d", float("nan"))),
        in_rows(ROW.BID, struct.pack("=d", -1.0)),
        in_rows(ROW.BID, struct.pack("=d", 1e300)),
        in_rows(ROW.ASK, struct.pack("=d", float("inf"))),
        lambda block: block.extend(bytes(33 * 1024 * 1024)),
        lambda block: block.__delitem__(slice(400, None)),
    ],
)
def test_a_block_that_cannot_be_gives_no_price(
    market: Market, damage: Callable[[bytearray], None]
) -> None:
    block = bytearray(market.path.read_bytes())
    damage(block)
    with market.path.open("r+b") as file:
        file.write(block)
        file.truncate(len(block))

    assert market.usd_of("ETH") is None
    assert market.prices.trouble


def test_a_row_that_changes_while_it_is_read_gives_no_price(market: Market) -> None:
    first = market.path.read_bytes()
    market.show(0, 3_001)
    second = market.path.read_bytes()

    mids = list(_mids(first, second, 0))

    assert [(one.base, one.quote) for one in mids] == [
        tuple(pair.split("-")) for pair, _ in [*PAIRS.values()][1:]
    ]


@pytest.mark.campaign
def test_of_a_book_that_another_process_writes_all_the_time_no_torn_price_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "prices"
    with started("hammer", path):
        prices = BookPrices(path, lambda: 0)
        found = [prices._read(0).get("BTC") for _ in range(2_000)]

    whole = [one for one in found if one is not None]
    assert whole
    assert all(one % 1 == 0.5 for one in whole)  # bid and ask are a counter and the next number


def test_a_matrix_with_one_book_and_pools_is_read_by_its_book(tmp_path: Path) -> None:
    board, matrix = make_matrix(tmp_path / "prices")
    show_book(board, matrix, 7)

    assert BookPrices(tmp_path / "prices", lambda: 0).usd_of(AssetCode("BTC")) == Decimal("7.5")
    matrix.close()
