"""The kernels of the price matrix against their slow twins."""

import math
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.matrix_layout import BAND_LEVELS_MAX, HEADER_BYTES, NO_TICK
from engine.kernels.refresh_order import choose_stale
from engine.market.board import Board
from engine.market.matrix_block import Place, RowKind
from engine.market.matrix_reader import PriceMatrixReader, PriceRow
from engine.market.price_matrix import PriceMatrix
from engine.market.refresh_order import RefreshOrder
from engine.ports import Applied, LevelForm
from tests.effort import examples
from tests.reference.price_matrix import ABSENT, Level, Twin, book_row
from tests.reference.refresh_order import Pair, rank, ranks_of_stale
from tests.reference.world import make_instrument

BOOKS, POOLS = 3, 2
PRICE_DECIMALS, SIZE_DECIMALS = 2, 4
BAND_RATIO = Fraction(1, 64)

sizes = st.integers(1, 10**9)
bids = st.dictionaries(st.integers(9_000, 10_000), sizes, max_size=30)
asks = st.dictionaries(st.integers(10_001, 11_000), sizes, max_size=30)
rates = st.floats(1e-12, 1e12)
events = st.one_of(
    st.tuples(st.just("book"), st.integers(0, BOOKS - 1), bids, asks),
    st.tuples(st.just("pool"), st.integers(BOOKS, BOOKS + POOLS - 1), rates, rates),
    st.tuples(st.just("gone"), st.integers(BOOKS, BOOKS + POOLS - 1), st.none(), st.none()),
)


def raw(levels: dict[int, int]) -> bytes:
    unit = 10**SIZE_DECIMALS
    return (
        "[" + ",".join(
            f'["{price // 100}.{price % 100:02d}","{size // unit}.{size % unit:04d}"]'
            for price, size in levels.items()
        ) + "]"
    ).encode()  # fmt: skip


def best_first(levels: dict[int, int], *, is_bid: bool) -> list[Level]:
    return sorted(levels.items(), reverse=is_bid)


def make_parts(folder: str) -> tuple[Board, PriceMatrix, PriceMatrixReader]:
    board = Board(
        [
            make_instrument(
                f"v{n}", price_decimals=PRICE_DECIMALS, size_decimals=SIZE_DECIMALS, lot="0.0001"
            )
            for n in range(BOOKS)
        ],
        levels_max=64,
    )
    pools = [Place(name=f"p{n}", kind=RowKind.POOL, base="A", quote="B") for n in range(POOLS)]
    path = Path(folder) / "prices"
    matrix = PriceMatrix.create(path, board, run_id="r", pools=pools, band_ratio=float(BAND_RATIO))
    return board, matrix, PriceMatrixReader.open(path)


def pool_row(forward: float, backward: float) -> dict[str, float | bool]:
    given = {"is_live": True, "rate_forward": forward, "rate_backward": backward}
    return {**ABSENT, **given, "bid": forward, "ask": float(1 / Fraction(backward))}


def agrees(row: PriceRow, expected: dict[str, float | bool]) -> bool:
    # A band sums floats and the twin whole numbers; all else is rounded once in both.
    return all(
        math.isclose(getattr(row, name), value, rel_tol=1e-14)
        if "band" in name
        else getattr(row, name) == value
        for name, value in expected.items()
    )


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(events, min_size=1, max_size=12))
def test_rows_and_lists_of_changes_are_those_of_the_twin(
    happened: list[tuple[str, int, object, object]],
) -> None:
    with TemporaryDirectory() as folder:
        board, matrix, reader = make_parts(folder)
        twin = Twin(version=reader.version())
        asked = twin.version
        for at_ns, (kind, row, first, second) in enumerate(happened, 1):
            if kind == "book":
                assert isinstance(first, dict)
                assert isinstance(second, dict)
                outcome = board.replace(row, LevelForm.PAIRS, raw(first), raw(second), at_ns)
                assert outcome in {Applied.OK, Applied.EMPTY}
                levels = best_first(first, is_bid=True), best_first(second, is_bid=False)
                assert matrix.publish_book(row, at_ns) == twin.version + 1
                decimals = (PRICE_DECIMALS, SIZE_DECIMALS)
                shown = book_row(*levels, decimals, BAND_RATIO, BAND_LEVELS_MAX)
            elif kind == "pool":
                assert isinstance(first, float)
                assert isinstance(second, float)
                reserves = (first * 3, second * 5)
                matrix.publish_rates(row, first, second, at_ns, reserves=reserves, tick=at_ns)
                held = {"reserve_base": reserves[0], "reserve_quote": reserves[1], "tick": at_ns}
                shown = {**pool_row(first, second), **held}
            else:
                matrix.withdraw(row, at_ns)
                shown = {**ABSENT, "tick": NO_TICK}
            twin.publish(row, shown)
            if at_ns % 3 == 0:
                changes = reader.changed_since(asked)
                assert list(changes.rows) == twin.changed_since(asked)
                asked = changes.version

        for row, expected in twin.rows.items():
            assert agrees(reader.row(row), expected)
            assert reader.row(row).version == twin.versions[row]
        table = reader.rows()
        assert [int(one) for one in table["version"]] == [
            reader.row(row).version for row in range(BOOKS + POOLS)
        ]
        together = reader.rows_together(list(range(BOOKS + POOLS)))
        assert together.tobytes() == table.tobytes()
        reader.close()
        matrix.close()


assets = st.sampled_from("ABCDE")
pairs = st.tuples(assets, assets).filter(lambda pair: pair[0] != pair[1])


@settings(max_examples=examples(80), deadline=None)
@given(st.data(), st.lists(pairs, min_size=1, max_size=25))
def test_out_of_date_copies_are_chosen_by_how_closely_they_are_related(
    data: st.DataObject, chosen_pairs: list[Pair]
) -> None:
    rows = len(chosen_pairs)
    places = [Place(name="v", kind=RowKind.POOL, base=a, quote=b) for a, b in chosen_pairs]
    moving = data.draw(st.integers(0, rows - 1))
    stale = data.draw(st.sets(st.integers(0, rows - 1)))
    budget = data.draw(st.integers(1, rows))
    held = np.array([0 if row in stale else 1 for row in range(rows)], np.int64)
    marks, out = np.zeros(rows + 2, np.int64), np.zeros(rows, np.int64)
    words = np.ones(HEADER_BYTES // 8 + rows, np.int64)  # every version is 1
    context = np.array([words.ctypes.data], np.int64)

    count, left = choose_stale(
        context.ctypes.data, moving, RefreshOrder(places).groups, held, marks, out[:budget]
    )

    expected = ranks_of_stale(
        chosen_pairs, moving, dict(enumerate(held.tolist())), dict.fromkeys(range(rows), 1)
    )
    found = out[:count].tolist()
    assert [rank(chosen_pairs, moving, row) for row in found] == expected[:budget]
    assert len(set(found)) == count == min(budget, len(stale))
    assert set(found) <= stale
    assert left == len(stale) - count
