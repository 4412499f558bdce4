"""Refreshing ahead of need: the order of related rows, and the copies that follow it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.domain.errors import BadValueError, FatalError
from engine.market.board import Board
from engine.market.matrix_block import Place, RowKind
from engine.market.matrix_file import BlockReplacedError, WriterGoneError
from engine.market.matrix_reader import PriceMatrixReader
from engine.market.price_matrix import PriceMatrix
from engine.market.refresh_order import SHARING_MAX, RefreshOrder
from engine.market.row_cache import CacheMetrics, RowCache

BTC_A, SOL_EUR, ETH_BTC, BTC_B, ETH_USD, BTC_C, DOGE_EUR = range(7)
PAIRS = ["BTC-USD", "SOL-EUR", "ETH-BTC", "BTC-USD", "ETH-USD", "USD-BTC", "DOGE-EUR"]
SAME, SHARING, REST = {BTC_B, BTC_C}, {ETH_BTC, ETH_USD}, {SOL_EUR, DOGE_EUR}


def make_places(pairs: list[str] = PAIRS) -> list[Place]:
    return [
        Place(
            name=f"p{row}",
            kind=RowKind.POOL,
            base=pair.partition("-")[0],
            quote=pair.partition("-")[2],
        )
        for row, pair in enumerate(pairs)
    ]


def create(path: Path) -> PriceMatrix:
    return PriceMatrix.create(path, Board([], levels_max=8), run_id="r", pools=make_places())


@contextmanager
def cached(path: Path) -> Iterator[tuple[PriceMatrix, PriceMatrixReader, RowCache]]:
    matrix = create(path)
    reader = PriceMatrixReader.open(path)
    try:
        yield matrix, reader, RowCache(reader)
    finally:
        reader.close()
        matrix.close()


def show(matrix: PriceMatrix, *rows: int, rate: float = 2.0) -> None:
    for row in rows:
        matrix.publish_rates(row, rate, 1.0 / rate, 1)


def related(order: RefreshOrder, row: int) -> list[int]:
    group_of, starts, rows = order.groups
    group = group_of[row]
    found: list[int] = rows[starts[group] : starts[group + 1]].tolist()
    return found


def held(cache: RowCache, reader: PriceMatrixReader) -> set[int]:
    """Rows of which the cache has a copy that is up to date, found without asking the cache."""
    return {
        row
        for row, copy in enumerate(cache._copies)
        if copy is not None and copy == reader.row(row)
    }


def test_rows_of_the_pair_come_before_those_that_share_an_asset_and_the_rest_is_left_out() -> None:
    order = RefreshOrder(make_places())

    rows = related(order, BTC_A)
    assert set(rows[: 1 + len(SAME)]) == {BTC_A, *SAME}
    assert set(rows[1 + len(SAME) :]) == SHARING
    assert related(order, DOGE_EUR) == [DOGE_EUR, SOL_EUR]


def test_rows_that_share_the_rarer_asset_come_first() -> None:
    order = RefreshOrder(make_places(["A-USD", "B-USD", "C-USD", "A-EUR"]))

    assert related(order, 0) == [0, 3, 1, 2]


def test_rows_kept_for_a_pair_are_bounded() -> None:
    order = RefreshOrder(make_places([f"A{n}-USD" for n in range(SHARING_MAX + 10)]))

    first, *others = related(order, 5)
    assert first == 5
    assert len(others) == SHARING_MAX


def test_an_order_needs_rows() -> None:
    with pytest.raises(BadValueError, match="no rows"):
        RefreshOrder([])


def test_the_moving_row_is_refreshed_first_then_its_pair_then_its_assets(tmp_path: Path) -> None:
    with cached(tmp_path / "prices") as (matrix, reader, cache):
        show(matrix, *range(len(PAIRS)))

        for budget, expected in (
            (1, {BTC_A}),
            (2, {BTC_A} | SAME),
            (2, {BTC_A} | SAME | SHARING),
            (9, set(range(len(PAIRS)))),
        ):
            cache.refresh(BTC_A, budget_rows=budget)
            assert held(cache, reader) == expected
        assert cache.refresh(BTC_A) == 0


def test_only_copies_that_are_out_of_date_are_refreshed(tmp_path: Path) -> None:
    with cached(tmp_path / "prices") as (matrix, reader, cache):
        cache.refresh()
        show(matrix, DOGE_EUR, ETH_USD, BTC_B)

        assert cache.refresh(BTC_A, budget_rows=1) == 1
        assert held(cache, reader) == {*range(len(PAIRS))} - {DOGE_EUR, ETH_USD}
        assert cache.metrics().deferred == 2
        assert cache.refresh(BTC_A, budget_rows=9) == 2
        assert cache.metrics().deferred == 0


def test_without_a_name_the_row_that_changed_last_is_the_moving_one(tmp_path: Path) -> None:
    with cached(tmp_path / "prices") as (matrix, reader, cache):
        cache.refresh()
        show(matrix, BTC_A, ETH_USD, SOL_EUR, DOGE_EUR)

        cache.refresh(budget_rows=2)

        assert held(cache, reader) == {*range(len(PAIRS))} - {BTC_A, ETH_USD}


def test_a_row_of_the_rest_is_not_starved_by_rows_that_always_move(tmp_path: Path) -> None:
    with cached(tmp_path / "prices") as (matrix, _, cache):
        cache.refresh()
        refreshed = set()
        for _ in REST:
            show(matrix, *REST)
            before = list(cache._copies)
            cache.refresh(BTC_A, budget_rows=1)
            refreshed |= {row for row in REST if cache._copies[row] is not before[row]}

        assert refreshed == REST


def test_what_the_cache_gives_is_what_the_matrix_has(tmp_path: Path) -> None:
    with cached(tmp_path / "prices") as (matrix, reader, cache):
        for rate in (2.0, 3.0, 3.0, 5.0):
            show(matrix, BTC_A, rate=rate)
            assert cache.get(BTC_A) == cache.get(BTC_A) == reader.row(BTC_A)
            assert cache.get(BTC_A).bid == rate


def test_accesses_are_counted_as_hits_and_misses_with_their_times(tmp_path: Path) -> None:
    with cached(tmp_path / "prices") as (matrix, _, cache):
        assert cache.metrics() == CacheMetrics(
            hits=0, misses=0, refreshes=0, deferred=0,
            access_ns_p50=0, access_ns_p99=0, access_ns_max=0,
        )  # fmt: skip
        assert cache.metrics().hit_ratio == 0.0

        cache.get(BTC_A)
        cache.get(BTC_A)
        show(matrix, BTC_A, BTC_B)
        cache.refresh()
        cache.get(BTC_A)
        cache.get(BTC_B)
        with pytest.raises(BadValueError):
            cache.get(-1)

        metrics = cache.metrics()
        assert (metrics.hits, metrics.misses) == (3, 1)
        assert metrics.refreshes == len(PAIRS)
        assert metrics.hit_ratio == 0.75
        assert 0 < metrics.access_ns_p50 <= metrics.access_ns_p99 <= metrics.access_ns_max


def test_a_copy_is_not_given_out_once_the_writer_closed_or_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "prices"
    with cached(path) as (matrix, _, cache):
        cache.refresh()
        cache.get(BTC_A)
        matrix.close()

        with pytest.raises(WriterGoneError):
            cache.get(BTC_A)
        with pytest.raises(WriterGoneError):
            cache.refresh()
        following = create(path)
        with pytest.raises(BlockReplacedError):
            cache.get(BTC_A)
        with pytest.raises(BlockReplacedError):
            cache.refresh()
        following.close()


def test_unknown_rows_and_empty_budgets_are_refused(tmp_path: Path) -> None:
    with cached(tmp_path / "prices") as (_, reader, cache):
        for row in (-1, len(PAIRS)):
            with pytest.raises(BadValueError, match=f"no row {row}; rows are 0 to 6"):
                cache.get(row)
            with pytest.raises(BadValueError, match=f"no row {row}; rows are 0 to 6"):
                cache.refresh(row)
        with pytest.raises(BadValueError, match="budget is 0 rows"):
            cache.refresh(budget_rows=0)
        reader.close()
        with pytest.raises(FatalError, match="is closed"):
            cache.refresh()
        with pytest.raises(FatalError, match="is closed"):
            cache.get(BTC_A)
