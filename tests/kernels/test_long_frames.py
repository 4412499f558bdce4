"""Long frames, whose levels are set in one pass, and plain ones, which nobody decodes before."""

import json
import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels import layout
from engine.kernels.order_book import MERGED_MIN
from engine.market.board import Board
from engine.ports import Applied, LevelForm
from tests.effort import examples
from tests.kernels.test_order_book import PRICE_DECIMALS, SIZE_DECIMALS, make_board
from tests.reference.order_book import BookTwin

MIDDLE = 1_000
FORM = LevelForm.PAIRS
CLOSING = b'"}}'

Levels = dict[int, str]
"""Sizes by price in steps away from the middle, from 1 on."""

sizes = st.sampled_from(["0", "0.0000", "0.0001", "1", "12.5", "700.0001", "12345678.1234"])
side_of_levels = st.dictionaries(st.integers(1, 90), sizes, max_size=60)
both_sides = st.tuples(side_of_levels, side_of_levels)


def write_side(side: int, levels: Levels) -> list[list[str]]:
    """Write levels best first, as venues do."""
    sign = 1 if side else -1
    return [
        [f"{Decimal(MIDDLE + sign * away).scaleb(-PRICE_DECIMALS):f}", levels[away]]
        for away in sorted(levels)
    ]


def dump(levels: list[list[str]]) -> bytes:
    return json.dumps(levels, separators=(",", ":")).encode()


def write(levels: tuple[Levels, Levels]) -> tuple[bytes, bytes]:
    return dump(write_side(0, levels[0])), dump(write_side(1, levels[1]))


def assert_same(board: Board, twin: BookTwin) -> None:
    instrument = board.instruments[0]
    for side, held in enumerate(board.top_levels(0, twin.levels_max)):
        exact = [(instrument.price_of(p), instrument.size_of(s)) for p, s in held]
        assert exact == twin.from_best(side)
    assert board.state[0, layout.DROPPED] == twin.dropped


@settings(max_examples=examples(300), deadline=None)
@given(
    snapshot=both_sides,
    changes=st.lists(both_sides, max_size=4),
    levels_max=st.sampled_from([30, 70, 400]),
)
def test_a_book_equals_its_twin_after_any_long_sorted_frames(
    snapshot: tuple[Levels, Levels], changes: list[tuple[Levels, Levels]], levels_max: int
) -> None:
    board, twin = make_board(levels_max), BookTwin(PRICE_DECIMALS, SIZE_DECIMALS, levels_max)

    outcome = board.replace(0, FORM, *write(snapshot), 1)

    assert outcome is twin.replace(FORM, *write(snapshot))
    for change in changes:
        if outcome is not Applied.OK:
            break
        assert_same(board, twin)
        outcome = board.apply(0, FORM, *write(change), 2)
        assert outcome is twin.apply(FORM, *write(change))
    if outcome is Applied.OK:
        assert_same(board, twin)


@settings(max_examples=examples(200), deadline=None)
@given(
    held=st.sets(st.integers(0, 40), min_size=1),
    change=st.dictionaries(st.integers(0, 40), st.booleans(), min_size=MERGED_MIN),
)
def test_levels_that_come_and_go_in_one_pass_move_no_other_level(
    held: set[int], change: dict[int, bool]
) -> None:
    board = make_board(levels_max=100)
    asks = dump([["20.00", "1"]])
    start = dump(
        [[f"{1 + price / 100:.2f}", str(1 + price)] for price in sorted(held, reverse=True)]
    )
    assert board.replace(0, FORM, start, asks, 1) is Applied.OK
    expected = {100 + price: (1 + price) * 10**SIZE_DECIMALS for price in held}
    frame = []
    for price in sorted(change, reverse=True):
        frame.append([f"{1 + price / 100:.2f}", "77" if change[price] else "0"])
        expected.pop(100 + price, None)
        if change[price]:
            expected[100 + price] = 77 * 10**SIZE_DECIMALS

    board.apply(0, FORM, dump(frame), b"[]", 2)

    bids = board.side(0, layout.BID).tolist()
    assert dict(map(tuple, bids)) == expected
    assert bids == sorted(bids)


def test_a_long_frame_that_would_overfill_a_side_drops_the_worst_one_by_one() -> None:
    board, twin = make_board(12), BookTwin(PRICE_DECIMALS, SIZE_DECIMALS, 12)
    start = write((dict.fromkeys(range(1, 12), "1"), {1: "1"}))
    board.replace(0, FORM, *start, 1)
    twin.replace(FORM, *start)
    frame = write((dict.fromkeys(range(12, 12 + MERGED_MIN), "2") | {5: "0"}, {}))

    assert board.apply(0, FORM, *frame, 2) is twin.apply(FORM, *frame)

    assert_same(board, twin)
    assert twin.dropped > 0


def test_a_sorted_snapshot_larger_than_a_side_keeps_the_best_levels() -> None:
    board, twin = make_board(12), BookTwin(PRICE_DECIMALS, SIZE_DECIMALS, 12)
    snapshot = write(({away: str(away) for away in range(1, 20)} | {3: "0"}, {1: "1"}))

    assert board.replace(0, FORM, *snapshot, 1) is twin.replace(FORM, *snapshot) is Applied.OK

    assert_same(board, twin)
    assert twin.dropped > 0


def plain(levels: tuple[Levels, Levels]) -> tuple[bytes, tuple[int, int]]:
    bids, asks = write(levels)
    text = bids + b',"a":' + asks
    return b'{"b":' + text + CLOSING, (5, 5 + len(text))


@settings(max_examples=examples(200), deadline=None)
@given(snapshot=both_sides, change=both_sides)
def test_a_plain_frame_does_what_its_decoded_levels_do(
    snapshot: tuple[Levels, Levels], change: tuple[Levels, Levels]
) -> None:
    plainly, decoded = make_board(400), make_board(400)
    start = (snapshot[0] | {90: "1"}, snapshot[1] | {90: "1"})
    for board in (plainly, decoded):
        assert board.replace(0, FORM, *write(start), 1) is Applied.OK

    outcome = plainly.apply_plain(0, *plain(change), 2)

    assert outcome is decoded.apply(0, FORM, *write(change), 2)
    assert plainly.top_levels(0, 400) == decoded.top_levels(0, 400)
    assert (plainly.state == decoded.state).all()


EDITS = [
    b"",
    b" ",
    b",",
    b"[",
    b"]",
    b'"',
    b"0",
    b"-",
    b".",
    b"e",
    b"\\",
    b"{",
    b":",
    b"\xff",
    b"1.5",
]


@settings(max_examples=examples(600), deadline=None)
@given(
    change=both_sides,
    edits=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.sampled_from(EDITS)),
        min_size=1,
        max_size=2,
    ),
)
def test_what_is_taken_as_plain_is_json_with_the_same_meaning(
    change: tuple[Levels, Levels], edits: list[tuple[float, int, bytes]]
) -> None:
    payload, span = plain(change)
    text = payload[span[0] : span[1]]
    for place, cut, put in edits:
        at = int(place * len(text))
        text = text[:at] + put + text[at + cut :]
    board, decoded = make_board(400), make_board(400)
    for each in (board, decoded):
        each.replace(0, FORM, b'[["5.00","3"]]', b'[["15.00","3"]]', 1)
    before = board.levels.copy(), board.state.copy()

    whole = b'{"b":' + text + CLOSING
    outcome = board.apply_plain(0, whole, (5, 5 + len(text)), 2)

    if outcome is Applied.NOT_PLAIN:
        assert (board.levels == before[0]).all()
        assert (board.state == before[1]).all()
        return
    raw = msgspec.json.decode(b'{"b":' + text + b"}", type=dict[str, msgspec.Raw])
    assert set(raw) == {"b", "a"}
    assert outcome is decoded.apply(0, FORM, bytes(raw["b"]), bytes(raw["a"]), 2)
    assert board.top_levels(0, 400) == decoded.top_levels(0, 400)


@pytest.mark.parametrize(
    "text",
    [
        b'[["1.00","1"]],"a":[]]',  # a bracket more than the span says
        b'[["1.00","1"]],"a":[',
        b'[["1.00","1"]], "a":[]',
        b'[["1.00","1"]],"b":[]',
        b'[["1.00",1]],"a":[]',
        b'[[1.00,"1"]],"a":[]',
        b'[["1.00","1"],],"a":[]',
        b'[["1.00","1","2"]],"a":[]',
        b'[["1.005","1"]],"a":[]',
        b'[["0","1"]],"a":[]',
        b'[["1.00","-1"]],"a":[]',
        b'[["","1"]],"a":[]',
        b"[]",
        b"",
    ],
)
def test_what_is_not_plain_is_left_to_the_decoder(text: bytes) -> None:
    board = make_board()
    board.replace(0, FORM, b'[["5.00","3"]]', b'[["15.00","3"]]', 1)
    before = board.top_levels(0, 9)

    outcome = board.apply_plain(0, b'{"b":' + text + CLOSING, (5, 5 + len(text)), 2)

    assert outcome is Applied.NOT_PLAIN
    assert board.top_levels(0, 9) == before


def test_more_plain_levels_than_the_scratch_holds_are_left_to_the_decoder() -> None:
    board = make_board()
    board.replace(0, FORM, b'[["5.00","3"]]', b'[["15.00","3"]]', 1)
    board._scratch = board._scratch[:3]

    payload, span = plain(({1: "1", 2: "1"}, {1: "1", 2: "1"}))

    assert board.apply_plain(0, payload, span, 2) is Applied.NOT_PLAIN


def test_every_length_of_a_number_is_read_exactly_wherever_it_stands() -> None:
    rng = random.Random(3)
    for whole in range(1, 12):
        for fraction in range(12):
            digits = [str(rng.randrange(1, 10)), *(str(rng.randrange(10)) for _ in range(20))]
            number = "".join(digits[:whole])
            if fraction:
                number += "." + "".join(digits[whole : whole + fraction])
            exact = Decimal(number)
            is_whole_steps = exact.scaleb(PRICE_DECIMALS) % 1 == 0
            for behind in (b"", b',["0.01","0"],["0.02","0"],["0.03","0"]'):
                board = make_board()

                outcome = board.replace(
                    0, FORM, b'[["%s","1"]%s]' % (number.encode(), behind), b'[["9e14","1"]]', 1
                )

                assert outcome is (Applied.OK if is_whole_steps else Applied.BAD_NUMBER), number
                if is_whole_steps:
                    assert board.instruments[0].price_of(board.top_levels(0, 1)[0][0][0]) == exact


def test_every_pair_of_lengths_is_read_exactly_in_a_plain_frame() -> None:
    rng = random.Random(4)

    def number(whole: int, fraction: int) -> str:
        digits = [str(rng.randrange(1, 10)), *(str(rng.randrange(10)) for _ in range(20))]
        text = "".join(digits[:whole])
        return text + ("." + "".join(digits[whole : whole + fraction]) if fraction else "")

    for whole in range(1, 11):
        for fraction in range(4):
            for size_whole in range(1, 11):
                price = number(whole, fraction) if fraction < 3 else number(whole, 2) + "0"
                size = number(size_whole, rng.randrange(5)) + rng.choice(["", "0"])
                if "." not in size:
                    size += ".0"
                board = make_board()
                board.replace(0, FORM, b'[["0.01","3"]]', b'[["999999999999.00","3"]]', 1)
                text = f'[["{price}","{size}"]],"a":[["999999999999.00","4"]]'.encode()
                padding = b" " * rng.choice([0, 40])

                outcome = board.apply_plain(0, b"x" + text + padding, (1, 1 + len(text)), 2)

                assert outcome is Applied.OK, text
                instrument = board.instruments[0]
                steps, size_steps = board.top_levels(0, 1)[0][0]
                assert instrument.price_of(steps) == Decimal(price), text
                assert instrument.size_of(size_steps) == Decimal(size), text
