"""The order-book kernels against a dict of Decimal."""

import json
import random
from decimal import Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.instruments import Instrument, Pair, VenueId
from engine.kernels import layout
from engine.market.board import Board
from engine.ports import Applied, LevelForm
from tests.effort import examples
from tests.reference.order_book import BookTwin

LEVELS_MAX = 6
PRICE_DECIMALS = 2
SIZE_DECIMALS = 4


def make_board(levels_max: int = LEVELS_MAX) -> Board:
    instrument = Instrument(
        venue=VenueId("here"),
        pair=Pair.parse("BTC-USD"),
        wire_name="x",
        price_decimals=PRICE_DECIMALS,
        size_decimals=SIZE_DECIMALS,
        tick_quote=Decimal("0.01"),
        lot_base=Decimal("0.0001"),
    )
    return Board([instrument], levels_max=levels_max)


def make_twin() -> BookTwin:
    return BookTwin(PRICE_DECIMALS, SIZE_DECIMALS, LEVELS_MAX)


def write_number(number: Decimal, style: int) -> str:
    texts = [f"{number:f}", f"{number:f}000", f"{number:E}", f"{number.scaleb(3):f}e-3"]
    text = texts[style % 4]
    if style % 4 == 1 and "." not in text:
        text = f"{number:f}.000"
    return f'"{text}"' if style < 4 else text


def write_levels(
    form: LevelForm, levels: list[tuple[int, Decimal, Decimal, int]], gap: str
) -> tuple[bytes, bytes]:
    sides: tuple[list[str], list[str]] = ([], [])
    for side, price, size, style in levels:
        p, s = write_number(price, style), write_number(size, (style + 3) % 8)
        if form is LevelForm.PAIRS:
            text = f"[{gap}{p}{gap},{gap}{s}{gap}]"
        elif form is LevelForm.SIDED:
            word = ("buy", "sell")[side]
            text = f'[{gap}"{word}"{gap},{gap}{p},{s}{gap}]'
        elif form is LevelForm.COINBASE:
            word = ("bid", "offer")[side]
            text = (
                f'{{{gap}"side":{gap}"{word}","event_time":"2024-01-01T00:00:00Z",'
                f'"price_level"{gap}:{p},{gap}"new_quantity":{s}{gap}}}'
            )
        else:
            text = f'{{"price":{p},{gap}"note":null,"amount":{s},"n":12.5}}'
        one_array = form in {LevelForm.SIDED, LevelForm.COINBASE}
        sides[0 if one_array else side].append(text)
    joined = [f"[{gap}{f'{gap},{gap}'.join(side)}{gap}]".encode() for side in sides]
    if form in {LevelForm.SIDED, LevelForm.COINBASE}:
        return joined[0], b""
    return joined[0], joined[1]


prices = st.integers(1, 40).map(lambda steps: Decimal(steps).scaleb(-PRICE_DECIMALS))
sizes = st.one_of(
    st.just(Decimal(0)), st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-SIZE_DECIMALS))
)
levels_of_both = st.lists(
    st.tuples(st.integers(0, 1), prices, sizes, st.integers(0, 7)), max_size=12
)
gaps = st.sampled_from(["", " ", "\n\t ", "\r\n"])


def assert_same(board: Board, twin: BookTwin) -> None:
    instrument = board.instruments[0]
    both = board.top_levels(0, LEVELS_MAX)
    for side in (layout.BID, layout.ASK):
        exact = [(instrument.price_of(p), instrument.size_of(s)) for p, s in both[side]]
        assert exact == twin.from_best(side)
    assert board.state[0, layout.DROPPED] == twin.dropped


@settings(max_examples=examples(300), deadline=None)
@given(
    form=st.sampled_from(list(LevelForm)),
    snapshot=levels_of_both,
    changes=st.lists(levels_of_both, max_size=5),
    gap=gaps,
)
def test_board_equals_a_dict_of_decimals_after_any_frames(
    form: LevelForm,
    snapshot: list[tuple[int, Decimal, Decimal, int]],
    changes: list[list[tuple[int, Decimal, Decimal, int]]],
    gap: str,
) -> None:
    board, twin = make_board(), make_twin()
    raw = write_levels(form, snapshot, gap)

    outcome = board.replace(0, form, *raw, 1)

    assert outcome == twin.replace(form, *raw)
    for change in changes:
        if outcome is not Applied.OK:
            break
        assert_same(board, twin)
        raw = write_levels(form, change, gap)
        outcome = board.apply(0, form, *raw, 2)
        assert outcome == twin.apply(form, *raw)
    if outcome is Applied.OK:
        assert_same(board, twin)


def test_deep_books_equal_their_twin_after_thousands_of_changes() -> None:
    rng = random.Random(5)
    board = make_board(levels_max=200)
    twin = BookTwin(PRICE_DECIMALS, SIZE_DECIMALS, 200)
    start = (b'[["50.00","1"]]', b'[["50.01","1"]]')
    assert board.replace(0, LevelForm.PAIRS, *start, 1) is twin.replace(LevelForm.PAIRS, *start)
    for _ in range(400):
        levels = []
        for _ in range(10):
            side = rng.randrange(2)
            away = rng.randrange(500)
            price = Decimal(5_000 - away if side == 0 else 5_001 + away).scaleb(-2)
            size = Decimal(0 if away and rng.random() < 0.4 else rng.randrange(1, 99))
            levels.append((side, price, size, 0))
        raw = write_levels(LevelForm.PAIRS, levels, "")
        assert board.apply(0, LevelForm.PAIRS, *raw, 2) is twin.apply(LevelForm.PAIRS, *raw)

    instrument = board.instruments[0]
    for side, held in enumerate(board.top_levels(0, 200)):
        exact = [(instrument.price_of(p), instrument.size_of(s)) for p, s in held]
        assert exact == twin.from_best(side)
    assert board.state[0, layout.DROPPED] == twin.dropped > 0


numbers = st.one_of(
    st.from_regex(r"[0-9]{1,22}(\.[0-9]{1,24})?", fullmatch=True),
    st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4})?[eE][+-]?[0-9]{1,3}", fullmatch=True),
    st.integers(1, 10**6).map(lambda n: f"{Decimal(n).scaleb(-2):f}0000000000000000000000"),
    st.sampled_from(
        ["-1", "0", "0.00", "1.005", "nan", "", " 1", "1 ", "+1", "1e", "0x1", "9" * 19]
    ),
)


@settings(max_examples=examples(500), deadline=None)
@given(number=numbers)
def test_a_number_is_taken_exactly_or_refused(number: str) -> None:
    board = make_board()
    asks = b'[["999999999999999","1"]]'
    raw = f'[["{number}","1"]]'.encode()

    outcome = board.replace(0, LevelForm.PAIRS, raw, asks, 1)

    try:
        exact = Decimal(number)
    except ArithmeticError:
        exact = Decimal(-1)
    bids, _ = board.top_levels(0, 1)
    if outcome is Applied.OK:
        assert Decimal(bids[0][0]).scaleb(-PRICE_DECIMALS) == exact
    is_plain = (
        number.strip() == number
        and exact.is_finite()
        and 0 < exact < Decimal(999999999999999)
        and exact.scaleb(2) == exact.scaleb(2).to_integral_value()
        and "e" not in number.lower()
        and len(number.strip("0").replace(".", "").rstrip("0")) <= 15
    )
    if is_plain and not number.startswith("+"):
        assert outcome is Applied.OK


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'[["1.00","1"]', Applied.BAD_SHAPE),
        (b'[["1.00"]]', Applied.BAD_SHAPE),
        (b'[["1.00","1","x"]]', Applied.BAD_SHAPE),
        (b'{"a":1}', Applied.BAD_SHAPE),
        (b"[1,2]", Applied.BAD_SHAPE),
        (b"[[null,1]]", Applied.BAD_NUMBER),
        (b'[["1.001","1"]]', Applied.BAD_NUMBER),
        (b'[["1","0.00001"]]', Applied.BAD_NUMBER),
        (b'[["-1","1"]]', Applied.BAD_NUMBER),
        (b'[["1","-1"]]', Applied.BAD_NUMBER),
        (b'[["0","1"]]', Applied.BAD_NUMBER),
        (b'[["92233720368547758.08","1"]]', Applied.BAD_NUMBER),
        (b'[["1e41","1"]]', Applied.BAD_NUMBER),
        (b'[["1.00","1"],]', Applied.BAD_SHAPE),
    ],
)
def test_a_bad_frame_changes_no_level(raw: bytes, expected: Applied) -> None:
    board = make_board()
    board.replace(0, LevelForm.PAIRS, b'[["1.00","5"]]', b'[["2.00","5"]]', 1)
    before = board.top_levels(0, 9)

    outcome = board.apply(0, LevelForm.PAIRS, b'[["1.50","1"]]', raw, 2)

    assert outcome is expected
    assert board.top_levels(0, 9) == before


@pytest.mark.parametrize(
    ("form", "raw"),
    [
        (LevelForm.SIDED, b'[["up","1","1"]]'),
        (LevelForm.SIDED, b'[["1","1"]]'),
        (LevelForm.COINBASE, b'[{"price_level":"1","new_quantity":"1"}]'),
        (LevelForm.COINBASE, b'[{"side":"bid","new_quantity":"1"}]'),
        (LevelForm.COINBASE, b'[{"side":"bid","price_level":"1","x":[1]}]'),
        (LevelForm.OBJECTS, b'[{"price":"1"}]'),
        (LevelForm.OBJECTS, b"[{}]"),
    ],
)
def test_a_level_without_side_price_or_size_is_refused(form: LevelForm, raw: bytes) -> None:
    board = make_board()

    outcome = board.replace(0, form, raw, b"", 1)

    assert outcome is Applied.BAD_SHAPE


def test_more_levels_than_the_scratch_holds_are_refused() -> None:
    board = make_board()
    board._scratch = board._scratch[:3]
    levels = json.dumps([[str(price), "1"] for price in range(1, 5)]).encode()

    assert board.replace(0, LevelForm.PAIRS, levels, b"[]", 1) is Applied.BAD_SHAPE


def test_a_full_side_drops_its_worst_level_and_counts_it() -> None:
    board = make_board(levels_max=2)
    board.replace(0, LevelForm.PAIRS, b"[[1,1],[2,1]]", b"[[5,1]]", 1)

    board.apply(0, LevelForm.PAIRS, b"[[3,1]]", b"[]", 2)
    board.apply(0, LevelForm.PAIRS, b"[[1,1]]", b"[]", 3)

    bids, _ = board.top_levels(0, 9)
    assert [price for price, _ in bids] == [300, 200]
    assert board.faults_of(VenueId("here")) == {"levels_dropped": 2}


digits = st.from_regex(r"[0-9]{1,40}(\.[0-9]{1,3}(0{0,30}|[0-9]{0,4}))?", fullmatch=True)


@settings(max_examples=examples(500), deadline=None)
@given(number=st.one_of(digits, st.from_regex(r"[1-9][0-9]{12,20}\.[0-9]{1,4}", fullmatch=True)))
def test_a_size_is_taken_exactly_counts_as_the_largest_or_is_between_steps(number: str) -> None:
    board = make_board()
    steps = Decimal(number).scaleb(SIZE_DECIMALS, Context(prec=80))
    is_whole = steps == steps.to_integral_value(context=Context(prec=80))
    expected = min(int(steps), 10**18)

    for quoted in (f'"{number}"', number if number[0] != "0" or number[1:2] == "." else "1"):
        raw = f'[["1.00",{quoted}]]'.encode()
        outcome = board.replace(0, LevelForm.PAIRS, raw + b" ", b'[["2.00","1"]]', 1)
        if quoted == "1":
            continue
        if not is_whole:
            assert outcome is Applied.BAD_NUMBER
        elif expected:
            assert outcome is Applied.OK
            assert board.top_levels(0, 1)[0] == [(100, expected)]
        else:
            assert outcome is Applied.EMPTY


@settings(max_examples=examples(300), deadline=None)
@given(number=digits)
def test_a_size_in_plain_text_is_the_size_of_the_decoder(number: str) -> None:
    payload = f'[["1.00","{number}"]],"a":[["2.00","1"]]'.encode()
    plain, decoded = make_board(), make_board()
    for board in (plain, decoded):
        board.replace(0, LevelForm.PAIRS, b'[["0.50","5"]]', b'[["2.00","5"]]', 1)

    outcome = plain.apply_plain(0, payload, (0, len(payload)), 2)
    expected = decoded.apply(
        0, LevelForm.PAIRS, f'[["1.00","{number}"]]'.encode(), b'[["2.00","1"]]', 2
    )

    if outcome is not Applied.NOT_PLAIN:
        assert outcome is expected
        assert plain.top_levels(0, 9) == decoded.top_levels(0, 9)


@pytest.mark.parametrize("form", list(LevelForm))
def test_sizes_of_cheap_tokens_keep_a_book_alive(form: LevelForm) -> None:
    board = make_board()
    huge = Decimal(500_000_000_000_000)
    levels = [(0, Decimal(1), huge, 0), (1, Decimal(2), huge, 0)]

    assert board.replace(0, form, *write_levels(form, levels, ""), 1) is Applied.OK

    assert board.top_levels(0, 1) == ([(100, 10**18)], [(200, 10**18)])


@pytest.mark.parametrize("form", list(LevelForm))
def test_a_bid_at_price_zero_is_left_out_and_counted(form: LevelForm) -> None:
    board = make_board()
    levels = [
        (0, Decimal(1), Decimal(1), 0),
        (0, Decimal(0), Decimal(7), 0),
        (1, Decimal(2), Decimal(1), 0),
    ]

    assert board.replace(0, form, *write_levels(form, levels, ""), 1) is Applied.OK

    assert board.top_levels(0, 9)[0] == [(100, 10_000)]
    assert board.faults_of(VenueId("here")) == {"levels_dropped": 1}


@pytest.mark.parametrize(("bids", "asks"), [(b"", b"[]"), (b"[]", b""), (b"", b"")])
def test_a_missing_array_is_no_empty_one(bids: bytes, asks: bytes) -> None:
    board = make_board()
    board.replace(0, LevelForm.PAIRS, b"[[1,5]]", b"[[2,5]]", 1)

    assert board.apply(0, LevelForm.PAIRS, bids, asks, 2) is Applied.BAD_SHAPE
    assert board.changed_at_ns(0) == 1


@pytest.mark.parametrize(
    ("ask", "outcome"), [("1.01", Applied.OK), ("1.00", Applied.CROSSED), ("0.99", Applied.CROSSED)]
)
def test_a_book_whose_best_prices_meet_is_crossed(ask: str, outcome: Applied) -> None:
    board = make_board()

    found = board.replace(0, LevelForm.PAIRS, b'[["1.00","2"]]', f'[["{ask}","2"]]'.encode(), 1)

    assert found is outcome
