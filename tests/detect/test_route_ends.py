"""A route whose optimum is the end of a book or of a pool's liquidity is confirmed there."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from engine.detect.sizing.exact import ExactLeg, ExactRoute, confirm_exact, leg_of
from engine.detect.sizing.pieces import (
    Pieces,
    check_pieces,
    pieces_of_asks,
    pieces_of_bids,
    pieces_of_pair,
)
from engine.detect.sizing.routes import RouteTerms, SideTables, SizedRoute, size
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Side
from engine.kernels.concentrated import fill_side, pack_pool, pack_ticks
from engine.kernels.sizing_layout import PIECE_COLUMNS
from engine.market.book_leg import OrderBookLeg, leg_of_book
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.tick_math import Q96, TICK_MAX, TICK_MIN, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from engine.pools.tick_table import TickTable
from tests.reference.world import make_instrument

FEE = Fraction(3, 1000)
FEE_BPS = Decimal(10)


@dataclass(frozen=True)
class Place:
    """A leg in whole raw units, and its pieces in floats of raw units."""

    exact: ExactLeg
    pieces: Pieces


def pair(reserve_in_raw: int, reserve_out_raw: int) -> Place:
    state = ConstantProductState.of(
        reserve0_raw=reserve_in_raw, reserve1_raw=reserve_out_raw, fee0=FEE
    )
    pieces = pieces_of_pair(
        reserve_in=reserve_in_raw, reserve_out=reserve_out_raw, keep_ratio=1 - float(FEE)
    )
    return Place(leg_of(state, token_in=0, token_out=1), pieces)


def book(
    side: Side,
    levels: Sequence[tuple[str, str]],
    *,
    base: int = 18,
    quote: int = 18,
    size_min: str = "0",
) -> Place:
    """Make a book of prices with 2 decimals and sizes with 8, in raw units of so many decimals."""
    steps = [(int(Decimal(price) * 100), int(Decimal(lots) * 10**8)) for price, lots in levels]
    instrument = make_instrument("here", lot="0.00000001", size_min=size_min)
    exact = leg_of_book(
        instrument, side, steps, fee_bps=FEE_BPS, base_decimals=base, quote_decimals=quote
    )
    in_raw = [
        (float(price) * 10.0 ** (quote - base), float(lots) * 10.0**base) for price, lots in levels
    ]
    pieces_of = pieces_of_asks if side is Side.BUY else pieces_of_bids
    return Place(exact, pieces_of(in_raw, fee_ratio=float(FEE_BPS) / 10_000))


def one_range(
    liquidity: int, *, rate: float, token_in: int, known: tuple[int, int] | None = None
) -> Place:
    """Make a pool with one range of 60 ticks around its price; `known` ends what was read of it."""
    sqrt_x96 = int((rate if token_in == 0 else 1 / rate) ** 0.5 * Q96)
    tick = tick_at_sqrt_ratio(sqrt_x96)
    low = tick // 10 * 10 - 30
    ticks, nets = [low, low + 60], [liquidity, -liquidity]
    if known is None:
        table = TickTable.of(tick_spacing=10, ticks=ticks, liquidity_nets=nets)
    else:
        table = TickTable.of(
            tick_spacing=10,
            ticks=[],
            liquidity_nets=[],
            known_min=tick + known[0],
            known_max=tick + known[1],
        )
    state = ConcentratedState(
        sqrt_price_x96=sqrt_x96, tick=tick, liquidity=liquidity, fee_pips=500, table=table
    )
    if known is not None:  # the floats see a range that ends where the reading does
        ends = (tick + known[0], tick + known[1])
        ticks, nets = list(ends), [liquidity, -liquidity]
    packed_ticks = pack_ticks(ticks, nets, [sqrt_ratio_at_tick(one) for one in ticks])
    packed = pack_pool(
        sqrt_price_x96=sqrt_x96,
        liquidity=liquidity,
        tick=tick,
        fee_pips=500,
        known_x96=(sqrt_ratio_at_tick(TICK_MIN), sqrt_ratio_at_tick(TICK_MAX)),
    )
    rows = np.zeros((20, PIECE_COLUMNS))
    count = fill_side(packed, packed_ticks, token_in, 1.0, 1.0, rows)
    exact = leg_of(state, token_in=token_in, token_out=1 - token_in)
    return Place(exact, check_pieces(rows[:count], what="a range"))


def sized(places: Sequence[Place]) -> SizedRoute | None:
    tables = SideTables()
    return size(tables, [tables.add_pieces(place.pieces) for place in places], RouteTerms())


def confirmed(
    places: Sequence[Place], optimum: SizedRoute, *, rounding: float = 0.0
) -> ExactRoute | None:
    """Confirm an optimum that floats have rounded up or down by a ratio."""
    start = int(optimum.input * (1.0 + rounding))
    return confirm_exact([place.exact for place in places], start)


def test_one_cheap_ask_beside_a_deep_pair_is_confirmed_to_its_end() -> None:
    ask = book(Side.BUY, [("1500.00", "0.1")])
    deep = pair(10_000 * 10**18, 21_000_000 * 10**18)
    for places in ([ask, deep], [deep, ask]):
        optimum = sized(places)
        assert optimum is not None

        found = confirmed(places, optimum, rounding=1e-10)

        assert found is not None
        assert 10**17 in found.amounts_raw


def pair_then_ask(rng: random.Random) -> list[Place]:
    return ask_then_pair(rng)[::-1]


def ask_then_pair(rng: random.Random) -> list[Place]:
    price = Decimal(rng.randint(90_000, 205_000)) / 100
    levels = []
    for _ in range(rng.randint(1, 3)):
        levels.append((str(price), f"{rng.uniform(0.01, 3):.8f}"))
        price += Decimal(rng.randint(1, 300)) / 100
    return [book(Side.BUY, levels), pair(10_000 * 10**18, 21_000_000 * 10**18)]


def pair_then_bid(rng: random.Random) -> list[Place]:
    price = Decimal(rng.randint(220_000, 400_000)) / 100
    levels = []
    for _ in range(rng.randint(1, 3)):
        levels.append((str(price), f"{rng.uniform(0.01, 3):.8f}"))
        price -= Decimal(rng.randint(1, 300)) / 100
    return [pair(21_000_000 * 10**18, 10_000 * 10**18), book(Side.SELL, levels)]


def through_coarse_tokens(rng: random.Random) -> list[Place]:
    """DAI to USDC (6 decimals), to WBTC (8) at a book, to DAI at a deep pair."""
    price = rng.randint(30_000, 58_000)
    size_btc = f"{rng.uniform(0.0002, 0.5):.8f}"
    return [
        pair(10**9 * 10**18, 10**9 * 10**6),
        book(Side.BUY, [(str(price), size_btc)], base=8, quote=6),
        pair(10_000 * 10**8, 600_000_000 * 10**18),
    ]


def bought_at_a_book_and_through_a_range(rng: random.Random) -> list[Place]:
    """The end of the pool's liquidity comes before that of the book."""
    liquidity = int(rng.uniform(1, 50) * 10**21)
    token_in = rng.choice((0, 1))
    return [
        book(Side.BUY, [(f"{rng.randint(1_000, 1_800)}.00", "1000")]),
        one_range(liquidity, rate=2_000.0, token_in=token_in),
    ]


def through_two_ranges(rng: random.Random) -> list[Place]:
    liquidity = int(rng.uniform(1, 50) * 10**21)
    known = (-rng.randint(20, 80), rng.randint(20, 80)) if rng.random() < 0.5 else None
    first = one_range(liquidity, rate=0.0005, token_in=rng.choice((0, 1)), known=known)
    second = one_range(liquidity * 1_000, rate=2_100.0, token_in=rng.choice((0, 1)))
    return [first, second, pair(10**30, int(10**30 * rng.uniform(0.99, 1.1)))]


@pytest.mark.parametrize(
    "draw",
    [
        ask_then_pair,
        pair_then_ask,
        pair_then_bid,
        through_coarse_tokens,
        bought_at_a_book_and_through_a_range,
        through_two_ranges,
    ],
)
def test_no_route_that_ends_a_leg_fails_its_confirmation(
    draw: Callable[[random.Random], list[Place]],
) -> None:
    rng = random.Random(4)
    gained = failed = 0
    for _ in range(400):
        places = draw(rng)
        optimum = sized(places)
        if optimum is None or optimum.profit < 1e-9 * optimum.input:
            continue
        gained += 1
        found = confirmed(places, optimum, rounding=rng.uniform(-2e-10, 2e-10))
        bound = rounded_away(places, found) if found else 0
        if found is None or found.gain_raw < optimum.profit * (1 - 1e-9) - bound:
            failed += 1
    assert gained > 120
    assert failed == 0


def rounded_away(places: Sequence[Place], found: ExactRoute) -> int:
    """Return the bound that `sizing.exact` states: a unit of each leg, as it is worth at the end.

    Of a pool of ranges some units: one for each range crossed, one word of its bitmap being one.
    """
    bound = 1
    for stage in range(1, len(places) + 1):
        place = places[stage - 1]
        amount = found.amounts_raw[stage]
        units = lot_given(place.exact) if isinstance(place.exact, OrderBookLeg) else 4
        left = max(amount - units, 0)
        bound += worth(places[stage:], amount) - worth(places[stage:], left)
    return bound + len(places)


def lot_given(leg: OrderBookLeg) -> int:
    """Return what a lot gives at the book's best price."""
    if leg.side is Side.BUY:
        return leg.lot_raw
    return leg.amount_out(leg.lot_raw)


def worth(places: Sequence[Place], amount_raw: int) -> int:
    for place in places:
        try:
            amount_raw = place.exact.amount_out(amount_raw)
        except BadValueError:
            return 0
    return amount_raw


def test_an_optimum_just_below_a_books_least_order_is_tried_at_that_order() -> None:
    places = [
        book(Side.BUY, [("1500.00", "10")], size_min="0.1"),
        pair(10**19, 21_000 * 10**18),
    ]
    least = places[0].exact.amount_in(1)

    found = confirm_exact([place.exact for place in places], least - 10**9)

    assert found is not None
    assert found.amounts_raw[1] == 10**17


def test_no_stair_of_a_coarse_token_gains_more_than_a_unit_of_each_leg_more() -> None:
    rng = random.Random(12)
    gained = better = 0
    for _ in range(120):
        # One unit of the middle token is worth thousands of the first.
        coarse = rng.randint(2_000, 60_000)
        places = [
            pair(10**18, coarse),
            pair(int(coarse * rng.uniform(0.9, 1.1)), int(10**6 * rng.uniform(1.0, 1.1))),
            pair(10**6, int(10**18 * rng.uniform(1.0, 1.1))),
        ]
        optimum = sized(places)
        if optimum is None:
            continue
        found = confirmed(places, optimum)
        gain = found.gain_raw if found else 0
        best = best_of_all_stairs(places)
        if best <= 0:
            continue
        gained += 1
        better += best > gain
        bound = rounded_away_at(places, int(optimum.input))
        assert best - gain <= bound
    assert gained > 20
    assert better > 0, "the search of the neighbours is complete: say so in its docstring"


def best_of_all_stairs(places: Sequence[Place]) -> int:
    best = 0
    for middle in range(1, 6_000):
        try:
            paid = places[0].exact.amount_in(middle)
        except BadValueError:
            break
        best = max(best, worth(places, paid) - paid)
    return best


def rounded_away_at(places: Sequence[Place], input_raw: int) -> int:
    """Return what the floors of the legs took from an input, as it is worth at the end."""
    amount, bound = input_raw, 1
    for stage, place in enumerate(places):
        amount = place.exact.amount_out(amount)
        bound += worth(places[stage + 1 :], amount + 1) - worth(places[stage + 1 :], amount) + 1
    return bound
