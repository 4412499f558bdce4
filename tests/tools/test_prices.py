"""What `python -m engine prices` prints, and what becomes of a run whose matrix cannot be had."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.core.shared_rows import SharedRows, rows_of
from engine.detect.graph.pool_sides import PreparedPool, prepare_pool
from engine.domain.assets import AssetCode
from engine.kernels.sizing_layout import PIECE
from engine.market.board import Board
from engine.market.matrix_reader import PriceMatrixReader
from engine.market.row_cache import RowCache
from engine.sandbox.pools import load_pools
from engine.tools.price_table import PriceLine, PricesShown, in_place, make_shown, render_text
from engine.wiring.shared_prices import SharedPrices
from tests.reference.world import SECOND, START_NS, Setup, World, make_instrument

AGE_MS_MAX = 10_000
PRICES_USD = {AssetCode("BTC"): Decimal(100_000), AssetCode("ETH"): Decimal(4_000)}
INSTRUMENTS = [make_instrument("here"), make_instrument("there"), make_instrument("far", "ETH-USD")]


def sandbox_pools() -> dict[int, PreparedPool]:
    return dict(enumerate(map(prepare_pool, load_pools(PRICES_USD))))


def shared(path: Path) -> SharedPrices:
    return SharedPrices(path, run_id="r", at_ns=START_NS)


@contextmanager
def looked_at(
    path: Path, pools: dict[int, PreparedPool] | None = None
) -> Iterator[tuple[World, PriceMatrixReader]]:
    """A world that publishes, and a reader of it."""
    prices = shared(path)

    def open_matrix(board: Board) -> SharedRows | None:
        known = pools or {}
        return prices.open(board, {number: one.pool for number, one in known.items()}, known)

    world = World(Setup(instruments=INSTRUMENTS, open_matrix=open_matrix))
    reader = PriceMatrixReader.open(path)
    try:
        yield world, reader
    finally:
        reader.close()
        prices.close()


def shown_of(world: World, reader: PriceMatrixReader, *, has_metrics: bool = False) -> PricesShown:
    return make_shown(
        reader,
        RowCache(reader),
        source="sandbox: test",
        at_ns=world.now_ns,
        age_ms_max=AGE_MS_MAX,
        has_metrics=has_metrics,
    )


def test_every_changed_book_and_no_other_is_published(tmp_path: Path) -> None:
    with looked_at(tmp_path / "prices") as (world, reader):
        world.show(0, [("100.00", "1")], [("100.10", "2")])
        first = reader.version()
        world.show(1, [("100.25", "3")], [("100.50", "4")])
        second = reader.version()
        world.tick()

        assert second == first + 1
        assert reader.version() == second
        assert reader.changed_since(first).rows.tolist() == [1]
        row = reader.row(1)
        assert (row.bid, row.ask, row.bid_size_base, row.ask_size_base) == (100.25, 100.5, 3, 4)
        assert (row.frame_seq, row.changed_at_ns) == (world.board.frame_seq - 1, world.now_ns)
        assert reader.row(2).version < first

        world.change(1, [("100.30", "1")], [])
        assert reader.row(1).bid == 100.3
        world.lose(1)
        assert not reader.row(1).is_live


def test_the_decisions_are_the_same_with_and_without_a_matrix(tmp_path: Path) -> None:
    with looked_at(tmp_path / "prices") as (world, _):
        other = World(Setup(instruments=INSTRUMENTS))
        for one in (world, other):
            one.show(0, [("100.00", "1")], [("100.10", "1")])
            one.show(1, [("101.00", "1")], [("101.20", "1")])

        assert world.journal.decided == other.journal.decided != []


def test_pools_stand_behind_the_books_from_the_start(tmp_path: Path) -> None:
    pools = sandbox_pools()
    with looked_at(tmp_path / "prices", pools) as (world, reader):
        shown = shown_of(world, reader)

    rows = shown.rows[len(INSTRUMENTS) :]
    assert all((row.kind, row.state, row.bid_size_base) == ("pool", "yes", None) for row in rows)
    assert all(row.bid is not None and row.ask is not None and row.bid < row.ask for row in rows)
    by_name = {(row.venue, row.base, row.quote): row for row in rows}
    assert by_name["uniswap_v2@ethereum 0.3 %", "ETH", "USDC"].bid == pytest.approx(
        4_000 * 0.997, rel=1e-6
    )
    assert by_name["uniswap_v2@ethereum 0.3 %", "ETH", "USDC"].ask == pytest.approx(
        4_000 / 0.997, rel=1e-6
    )
    assert by_name["uniswap_v2@ethereum 0.3 %", "USDT", "USDC"].bid == pytest.approx(1, abs=0.01)
    curve = {(row.base, row.quote) for row in rows if row.venue.startswith("curve")}
    assert curve == {("DAI", "USDC"), ("DAI", "USDT"), ("USDT", "USDC")}


def test_a_pools_rates_are_those_that_routes_are_screened_with(tmp_path: Path) -> None:
    (pool, *_) = sandbox_pools().values()
    with looked_at(tmp_path / "prices", {0: pool}) as (_, reader):
        row = reader.row(len(INSTRUMENTS))
    forward, backward = row.rate_forward, row.rate_backward

    (place,) = rows_of(pool.pool)
    assert (place.base, place.quote) == ("ETH", "USDC")
    sides = {(side.source, side.target): side for side in pool.sides}
    for source, target, rate in (
        (place.base, place.quote, forward),
        (place.quote, place.base, backward),
    ):
        pieces = sides[source, target].pieces
        assert pieces is not None
        assert rate == pytest.approx(pieces[0, PIECE.RATE], rel=1e-12)


def test_a_matrix_that_another_writes_is_done_without(tmp_path: Path) -> None:
    path = tmp_path / "prices"
    board = Board(INSTRUMENTS, levels_max=8)
    with looked_at(path) as (_, reader):
        late = shared(path)

        assert late.open(board, {}, {}) is None
        assert late.failure is not None
        assert "another engine writes the price matrix" in late.failure
        assert late.published() is None
        late.close()
        assert reader.is_writer_alive()
        assert path.exists()


@pytest.mark.parametrize("found", ["folder missing", "another file"])
def test_a_matrix_that_cannot_be_made_is_done_without(tmp_path: Path, found: str) -> None:
    path = tmp_path / ("none/prices" if found == "folder missing" else "prices")
    if found == "another file":
        path.write_text("my notes")
    prices = shared(path)

    assert prices.open(Board(INSTRUMENTS, levels_max=8), {}, {}) is None
    assert prices.failure is not None
    prices.close()

    assert found != "another file" or path.read_text() == "my notes"


def test_a_matrix_of_one_run_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "prices"
    with looked_at(path) as (world, reader):
        world.show(0, [("100.00", "1")], [("100.10", "1")])
    assert not reader.is_writer_alive()
    assert list(tmp_path.iterdir()) == []


def test_a_matrix_whose_name_was_taken_away_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next writer opened the file before the last one removed and unlocked it."""
    path = tmp_path / "prices"
    board = Board(INSTRUMENTS, levels_max=8)
    open_file = os.open

    def open_then_lose(name: Path, flags: int, mode: int = 0o777) -> int:
        file = open_file(name, flags, mode)
        path.unlink()
        return file

    monkeypatch.setattr(os, "open", open_then_lose)
    prices = shared(path)

    assert prices.open(board, {}, {}) is None
    assert "just closed" in str(prices.failure)


def test_the_table_says_what_is_live_old_and_absent(tmp_path: Path) -> None:
    with looked_at(tmp_path / "prices") as (world, reader):
        world.show(0, [("64000.10", "0.5")], [("64000.20", "12")])
        world.now_ns += 11 * SECOND
        world.show(1, [("64000.00", "0.00000001")], [("64001.00", "1")])
        world.now_ns += SECOND // 2
        text = render_text(shown_of(world, reader, has_metrics=True))

    lines = [line.split() for line in text.split("\n")]
    assert text.startswith("3 rows, sandbox: test\n")
    assert lines[2] == ["here", "BTC-USD", "64000.1", "64000.2", "0.5", "12", "11.5", "s", "old"]
    assert lines[3] == ["there", "BTC-USD", "64000", "64001", "0.00000001", "1", "0.5", "s", "yes"]
    assert lines[4] == ["far", "ETH-USD", "-", "-", "-", "-", "-", "no"]
    assert "3 hits, 0 misses (100.0% hits), 3 refreshed ahead, 0 left" in text


def wide_rows() -> PricesShown:
    """The sandbox's longest names, numbers of every length, and of cheap tokens."""
    rows = [
        ("sushiswap_v2 0.3 %", "WBTC-USDC", 0.9998687733, 62024.07222, None, None, 6_900),
        ("coinbase", "BTC-USD", 123456.78, 123456.79, 0.01573936, 0.00226733, 120_000),
        ("bitstamp", "ETH-BTC", 0.04341333, 0.04344373, 2.50412062, 16.09311449, None),
    ]
    lines = [
        PriceLine(
            venue=venue,
            kind="book",
            base=pair.split("-")[0],
            quote=pair.split("-")[1],
            bid=bid,
            ask=ask,
            bid_size_base=bid_size,
            ask_size_base=ask_size,
            age_ms=age_ms,
            state="old",
            version=1,
        )
        for venue, pair, bid, ask, bid_size, ask_size, age_ms in rows
    ]
    return PricesShown(
        source=f"sandbox: {'many words ' * 20}", generation=1, rows=lines, metrics=None
    )


@pytest.mark.parametrize("columns", [80, 100, 132])
def test_the_table_fits_the_terminal_and_cuts_no_number(columns: int) -> None:
    shown = wide_rows()
    lines = render_text(shown, columns=columns).split("\n")
    table = [line.split() for line in lines[-3:]]

    assert all(len(line) <= columns for line in lines)
    assert table[1][2:4] == ["123456.78", "123456.79"]
    assert [float(size) for size in table[1][4:6]] == pytest.approx([0.01573936, 0.00226733], 1e-3)
    assert [line[-1] for line in table] == ["old"] * 3


def test_where_nothing_else_helps_sizes_give_way(tmp_path: Path) -> None:
    shown = wide_rows()
    cheap = msgspec.structs.replace(
        shown.rows[1], bid=0.0000123456, ask=0.0000123457, bid_size_base=9.2e12, ask_size_base=9e12
    )
    shown = msgspec.structs.replace(shown, rows=[*shown.rows, cheap])
    lines = render_text(shown, columns=80).split("\n")

    assert all(len(line) <= 80 for line in lines)
    assert "size" not in lines[-5]
    assert lines[-1].split()[2:4] == ["0.0000123456", "0.0000123457"]


def test_a_screen_that_is_too_small_shows_what_moved_last(tmp_path: Path) -> None:
    with looked_at(tmp_path / "prices") as (world, reader):
        for book in (0, 2, 1):
            world.show(book, [("100.00", "1")], [("100.10", "1")])
        shown = shown_of(world, reader)
        text = in_place(shown, size=os.terminal_size((30, 6)))

    lines = text.replace("\x1b[H", "").replace("\x1b[J", "").split("\n")
    assert [line.split()[0] for line in lines[2:4]] == ["there", "far"]
    assert lines[4].startswith("... and 1 rows")
    assert len(lines) == 5
    assert all(len(line.replace("\x1b[K", "")) <= 30 for line in lines)
