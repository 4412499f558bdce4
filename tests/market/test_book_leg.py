"""A book as an exact leg: the least input, never more than the walk, and as `decide` confirms."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument
from engine.domain.opportunities import Side
from engine.market.board import Board
from engine.market.book_leg import FEE_DECIMALS, OrderBookLeg, _least_near, leg_of_book
from engine.pools.integers import UINT256_MAX
from engine.portfolio.costs import QUOTE_STEP, Costs
from engine.portfolio.taken import Taken
from engine.ports import Applied, LevelForm
from engine.quote.gap import Confirmed, Confirmer, LimitRules
from tests.effort import examples
from tests.reference import book_leg as twin
from tests.reference.gaps import make_gap
from tests.reference.world import START_NS, make_instrument, write_side

prices = st.integers(1, 3_000)
sizes = st.integers(1, 40)
sides = st.sampled_from(list(Side))


Case = tuple[OrderBookLeg, list[twin.Order]]
"""A leg and every order that it can make."""


@st.composite
def legs(draw: st.DrawFn) -> Case:
    side = draw(sides)
    price_decimals, size_decimals = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    base_decimals = draw(st.integers(size_decimals, 9))
    quote_decimals = draw(st.integers(0, 9))
    lot = Decimal(draw(st.integers(1, 7))).scaleb(-size_decimals)
    instrument = Instrument(
        venue=make_instrument("here").venue,
        pair=make_instrument("here").pair,
        wire_name="x",
        price_decimals=price_decimals,
        size_decimals=size_decimals,
        tick_quote=Decimal(1).scaleb(-price_decimals),
        lot_base=lot,
        size_min_base=lot * draw(st.integers(0, 9)) / 2,
        notional_min_quote=Decimal(draw(st.integers(0, 3_000))).scaleb(-price_decimals),
    )
    raw = draw(st.dictionaries(prices, sizes, min_size=1, max_size=4))
    levels = sorted(raw.items(), reverse=side is Side.SELL)
    fee_bps = Decimal(draw(st.integers(0, 99_999))) / 10
    takes_base = side is Side.BUY and draw(st.booleans())
    made = leg_of_book(
        instrument,
        side,
        levels,
        fee_bps=fee_bps,
        base_decimals=base_decimals,
        quote_decimals=quote_decimals,
        fees_in_base=takes_base,
    )
    assume(made.lot_raw == lot.scaleb(base_decimals))  # a lot worth its fee's rounding
    exact = [(Fraction(instrument.price_of(p)), Fraction(instrument.size_of(s))) for p, s in levels]
    plain = twin.orders(
        exact,
        lot=Fraction(lot),
        fee=Fraction(fee_bps) / 10_000,
        is_buy=side is Side.BUY,
        takes_base=takes_base,
        least=twin.Order(
            Fraction(instrument.size_min_base), Fraction(instrument.notional_min_quote), Fraction(0)
        ),
    )
    return made, plain


def units_of(leg: OrderBookLeg) -> dict[str, Any]:
    lots_per_base = Fraction(1) / Fraction(leg.instrument.lot_base)
    return {
        "is_buy": leg.side is Side.BUY,
        "base_unit": int(leg.lot_raw * lots_per_base),
        "quote_unit": 10**leg.quote_decimals,
    }


def or_none(answer: Any, amount_raw: int) -> int | None:
    try:
        found = answer(amount_raw)
    except BadValueError:
        return None
    assert isinstance(found, int)
    return found


@settings(max_examples=examples(300))
@given(case=legs(), share=st.fractions(0, "1.3"), nudge=st.integers(-2, 2))
def test_an_input_buys_what_the_largest_order_that_it_pays_gives(
    case: Case, share: Fraction, nudge: int
) -> None:
    leg, plain = case
    units = units_of(leg)
    top = plain[-1] if plain else twin.Order(Fraction(1), Fraction(1), Fraction(1))
    most = top.quote * units["quote_unit"] if units["is_buy"] else top.base * units["base_unit"]
    amount = max(int(most * share) + nudge, 1)

    found = or_none(leg.amount_out, amount)

    assert found == twin.most_out(plain, amount, **units)


@settings(max_examples=examples(300))
@given(case=legs(), share=st.fractions(0, "1.2"), nudge=st.integers(-2, 2))
def test_an_output_asks_for_the_least_input_that_reaches_it(
    case: Case, share: Fraction, nudge: int
) -> None:
    leg, plain = case
    units = units_of(leg)
    top = plain[-1] if plain else twin.Order(Fraction(1), Fraction(1), Fraction(1))
    most = top.base * units["base_unit"] if units["is_buy"] else top.quote * units["quote_unit"]
    amount = max(int(most * share) + nudge, 1)

    found = or_none(leg.amount_in, amount)

    assert found == twin.least_in(plain, amount, **units)
    if found is not None:
        assert leg.amount_out(found) >= amount
        less = or_none(leg.amount_out, found - 1)
        assert less is None or less < amount


@given(case=legs(), first=st.integers(1, 10**9), second=st.integers(1, 10**9))
def test_more_input_never_gives_less(case: Case, first: int, second: int) -> None:
    leg, _ = case
    less, more = (or_none(leg.amount_out, amount) for amount in sorted((first, second)))
    if less is not None and more is not None:
        assert less <= more


def test_a_lot_worth_less_than_the_fees_rounding_is_joined_to_others() -> None:
    instrument = make_instrument(
        "here", price_decimals=9, size_decimals=0, tick="0.000000001", lot="1"
    )
    leg = leg_of_book(
        instrument,
        Side.SELL,
        [(3, 1_000)],
        fee_bps=Decimal(10),
        base_decimals=0,
        quote_decimals=9,
    )
    outs = [or_none(leg.amount_out, amount) or 0 for amount in range(1, 1_000)]

    assert leg.lot_raw == 4
    assert outs == sorted(outs)


def test_the_price_limit_lets_the_order_fill() -> None:
    instrument = make_instrument(
        "here", price_decimals=2, size_decimals=3, tick="0.05", lot="0.001"
    )
    terms = {"fee_bps": Decimal(10), "base_decimals": 8, "quote_decimals": 6}
    buy = leg_of_book(instrument, Side.BUY, [(10_000, 500), (10_003, 500)], **terms)  # type: ignore[arg-type]
    sale = leg_of_book(instrument, Side.SELL, [(10_003, 500), (10_001, 500)], **terms)  # type: ignore[arg-type]

    assert buy.price_limit(buy.amount_in(60_000_000)) == Decimal("100.05")
    assert sale.price_limit(60_000_000) == Decimal("100.00")
    assert sale.price_limit(40_000_000) == Decimal("100.00")


def test_the_fee_is_rounded_to_the_step_that_costs_are() -> None:
    assert Decimal(1).scaleb(-FEE_DECIMALS) == QUOTE_STEP


@settings(max_examples=examples(60))
@given(
    asks=st.dictionaries(st.integers(9_900, 10_050), st.integers(1, 400), min_size=1, max_size=5),
    bids=st.dictionaries(st.integers(9_950, 10_100), st.integers(1, 400), min_size=1, max_size=5),
    lots=st.integers(1, 500),
    fee_buy=st.integers(0, 300),
    fee_sell=st.integers(0, 300),
)
def test_the_leg_agrees_with_the_confirmation_of_the_same_size(
    asks: dict[int, int], bids: dict[int, int], lots: int, fee_buy: int, fee_sell: int
) -> None:
    buy = make_instrument("here", price_decimals=2, size_decimals=3, lot="0.001")
    sell = make_instrument("there", price_decimals=2, size_decimals=3, lot="0.001")
    fees = {buy.venue: Decimal(fee_buy) / 10, sell.venue: Decimal(fee_sell) / 10}
    board = Board([buy, sell], levels_max=16)
    far = [(Decimal(1), Decimal(1))], [(Decimal(9_999), Decimal(1))]
    as_text = [
        [(buy.price_of(p), buy.size_of(s)) for p, s in side.items()] for side in (asks, bids)
    ]
    for book, (bid_side, ask_side) in enumerate(((far[0], as_text[0]), (as_text[1], far[1]))):
        raw_bids, raw_asks = (
            write_side([(str(p), str(s)) for p, s in side]) for side in (bid_side, ask_side)
        )
        outcome = board.replace(book, LevelForm.PAIRS, raw_bids, raw_asks, START_NS)
        assert outcome is Applied.OK
    size = Decimal(lots).scaleb(-3)
    confirmed = Confirmer(
        board, Costs(fee_bps_taker=fees), Taken(board), LimitRules(slippage_bps=Decimal(0))
    ).confirm(make_gap(buy, sell), size)
    terms: dict[str, Any] = {"base_decimals": 3, "quote_decimals": FEE_DECIMALS}
    bought = leg_of_book(buy, Side.BUY, sorted(asks.items()), fee_bps=fees[buy.venue], **terms)
    sold = leg_of_book(
        sell, Side.SELL, sorted(bids.items(), reverse=True), fee_bps=fees[sell.venue], **terms
    )

    paid = or_none(bought.amount_in, lots)
    got = or_none(sold.amount_out, lots) if lots <= sold.lots_max else None

    if not isinstance(confirmed, Confirmed):
        assert paid is None or got is None
        return
    assert paid is not None
    assert got is not None
    assert Decimal(got - paid).scaleb(-FEE_DECIMALS) == confirmed.profit_quote


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([], "0 levels"),
        ([(0, 1)], "price of .* is 0"),
        ([(1, 0)], "size of .* is 0"),
        ([(-5, 1)], "price of .* is -5"),
        ([(float("nan"), 1)], "no whole number"),
        ([(1, float("inf"))], "no whole number"),
        ([(10**31, 1)], "price of"),
        ([(5, 1), (5, 1)], "price 5 follows 5"),
        ([(5, 1), (4, 1)], "must rise"),
        ([(k, 1) for k in range(1, 10_002)], "10001 levels"),
    ],
)
def test_levels_that_no_book_has_are_refused(levels: list[Any], said: str) -> None:
    with pytest.raises(BadValueError, match=said):
        leg_of_book(
            make_instrument("here"),
            Side.BUY,
            levels,
            fee_bps=Decimal(1),
            base_decimals=18,
            quote_decimals=6,
        )


@pytest.mark.parametrize("fee_bps", ["10000", "-1", "NaN", "Infinity"])
def test_a_fee_of_all_or_no_number_is_refused(fee_bps: str) -> None:
    with pytest.raises(BadValueError, match=f"is {fee_bps} bps"):
        leg_of_book(
            make_instrument("here"),
            Side.BUY,
            [(5, 1)],
            fee_bps=Decimal(fee_bps),
            base_decimals=18,
            quote_decimals=6,
        )


def test_a_lot_finer_than_the_assets_raw_unit_is_refused() -> None:
    fine = replace(make_instrument("here"), size_decimals=8, lot_base=Decimal("0.00000001"))
    with pytest.raises(BadValueError, match="finer than a raw unit"):
        leg_of_book(fine, Side.BUY, [(5, 1)], fee_bps=Decimal(1), base_decimals=6, quote_decimals=6)


@pytest.mark.parametrize("amount", [0, -1, 2**256, 1.5, float("nan")])
def test_amounts_that_no_order_has_are_refused(amount: Any) -> None:
    leg = leg_of_book(
        make_instrument("here"),
        Side.BUY,
        [(5, 1)],
        fee_bps=Decimal(1),
        base_decimals=18,
        quote_decimals=6,
    )
    for answer in (leg.amount_out, leg.amount_in):
        with pytest.raises(BadValueError, match="amount_"):
            answer(amount)


@given(guess=st.integers(-9, 30), answer=st.integers(-9, 30), size=st.integers(0, 20))
def test_a_guess_shortens_a_search_and_never_changes_what_it_finds(
    guess: int, answer: int, size: int
) -> None:
    found = _least_near(guess, lambda tried: tried >= answer, 1, 1 + size)

    assert found == min(max(answer, 1), 1 + size)


@given(amount_raw=st.integers(1, 30_000), size=st.integers(1, 9_999), fee_bps=st.integers(0, 9_000))
def test_an_order_spends_its_whole_lots_and_no_book_more_than_it_holds(
    amount_raw: int, size: int, fee_bps: int
) -> None:
    for side in Side:
        leg = leg_of_book(
            make_instrument("here", price_decimals=1, size_decimals=2, tick="0.1", lot="0.03"),
            side,
            [(7, size)],
            fee_bps=Decimal(fee_bps),
            base_decimals=2,
            quote_decimals=4,
        )
        assume(leg.lots_max >= leg.lots_min)
        least = leg.amount_in(leg.lots_min * leg.lot_raw if side is Side.BUY else 1)
        most = leg.amount_spent(UINT256_MAX)
        taken = min(max(amount_raw, least), most)

        spent = leg.amount_spent(taken)

        assert spent <= taken
        assert leg.amount_out(spent) == leg.amount_out(taken)
        assert leg.lots_of(spent) == leg.lots_of(taken)
        assert leg.lots_of(most) == leg.lots_max
        assert leg.amount_spent(most) == most
