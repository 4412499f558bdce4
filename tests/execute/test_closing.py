"""What closing a leftover would come to is what its order would fill now, and nothing is taken."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.assets import Amount
from engine.domain.instruments import VenueId
from engine.domain.residuals import Residual
from engine.execute.closing import Closing, reckon_closing
from engine.execute.unwinding import UnwindRules
from tests.effort import examples
from tests.reference.world import AGE_NS_MAX, Setup, World, make_instrument

BIDS = [("100.00", "1"), ("99.90", "2"), ("99.00", "50")]
ASKS = [("100.20", "1"), ("100.30", "2"), ("101.50", "50")]


def shown_world(**setup: object) -> World:
    instruments = [make_instrument("here"), make_instrument("there")]
    world = World(Setup(instruments=instruments, fee_bps=10, **setup))  # type: ignore[arg-type]
    world.show(0, BIDS, ASKS)
    return world


def left(held: str, carry: str, *, venue: str = "here") -> Residual:
    return Residual(
        venue=VenueId(venue), held=Amount.of(held, "BTC"), carry=Amount.of(carry, "USD")
    )


def reckon(world: World, residual: Residual, *, band_bps: int = 50) -> Closing | str:
    return reckon_closing(
        residual,
        world.board,
        costs=world.costs,
        rules=UnwindRules(band_bps=Decimal(band_bps)),
        age_ns_max=AGE_NS_MAX,
        at_ns=world.now_ns,
    )


def closing(world: World, residual: Residual, *, band_bps: int = 50) -> Closing:
    found = reckon(world, residual, band_bps=band_bps)
    assert isinstance(found, Closing)
    return found


def test_a_sale_walks_the_bids_and_pays_its_fee() -> None:
    found = closing(shown_world(), left("2", "210"))

    assert [(one.price, one.size_base) for one in found.order.fills] == [
        (Decimal("100.00"), Decimal(1)),
        (Decimal("99.90"), Decimal(1)),
    ]
    assert found.order.cash_quote == Decimal("199.90") * Decimal("0.999")
    assert found.realised == Decimal("199.90") * Decimal("0.999") - 210


def test_what_is_owed_is_bought_back_with_the_fee_on_top() -> None:
    found = closing(shown_world(), left("-1", "-99"))

    assert found.realised == 99 - Decimal("100.20") * Decimal("1.001")


def test_where_the_fee_of_a_purchase_is_base_as_much_more_is_bought() -> None:
    found = closing(shown_world(base_fee_venues=("here",)), left("-0.5", "-50"))

    assert found.order.size_base > Decimal("0.5")
    assert 0 < found.order.base_change <= Decimal("0.5")


def test_beyond_the_band_nothing_is_sold_and_the_rest_keeps_its_carry() -> None:
    found = closing(shown_world(), left("5", "500"), band_bps=20)

    assert found.order.size_base == 5
    assert found.order.filled_base == 3
    assert found.realised == Decimal("299.80") * Decimal("0.999") - 300


def test_asking_takes_nothing_from_the_book() -> None:
    world = shown_world()

    assert closing(world, left("2", "200")) == closing(world, left("2", "200"))
    assert not world.taken.has_any(0)


@pytest.mark.parametrize(
    ("residual", "why"),
    [
        (left("1", "100", venue="wallet"), "has no book of BTC-USD"),
        (left("1", "100", venue="there"), "not live"),
        (left("0.000000000001", "0.1"), "no order so small"),
    ],
)
def test_what_no_order_closes_says_why(residual: Residual, why: str) -> None:
    found = reckon(shown_world(), residual)

    assert isinstance(found, str)
    assert why in found


def test_a_book_that_is_too_old_closes_nothing() -> None:
    world = shown_world()
    world.now_ns += AGE_NS_MAX + 1

    assert reckon(world, left("1", "100")) == "its book is not live"


@settings(max_examples=examples(200), deadline=None)
@given(
    held=st.integers(-8_000, 8_000).filter(bool).map(lambda n: Decimal(n) / 1_000),
    band_bps=st.integers(0, 500),
)
def test_no_closing_trades_more_than_is_left_nor_beyond_its_band(
    held: Decimal, band_bps: int
) -> None:
    world = shown_world()
    found = closing(world, left(f"{held}", f"{held * 100}"), band_bps=band_bps)

    closed = -found.order.base_change
    assert 0 <= closed / held <= 1
    best = Decimal("100.00") if held > 0 else Decimal("100.20")
    for fill in found.order.fills:
        assert abs(fill.price - best) <= best * band_bps / 10_000
        assert (fill.price <= best) == (held > 0) or fill.price == best
    assert found.realised <= (best - 100) * closed
