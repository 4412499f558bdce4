"""What is owned where, folded from fills."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, OrderState, Purpose
from engine.portfolio.inventory import Inventory
from tests.reference.world import START_NS, make_instrument

BTC, USD = AssetCode("BTC"), AssetCode("USD")
HERE, THERE = VenueId("here"), VenueId("there")


def make_order(
    venue: str, side: Side, *, price: str, size: str, fee_quote: str = "0", fee_base: str = "0"
) -> Order:
    return Order(
        client_order_id="o",
        plan_id="p",
        purpose=Purpose.LEG,
        instrument=make_instrument(venue),
        side=side,
        size_base=Decimal(size),
        price_limit=Decimal(price),
        sent_at_ns=START_NS,
        arrives_at_ns=START_NS,
        state=OrderState.FILLED,
        fills=(
            Fill(
                fill_id="f",
                client_order_id="o",
                filled_at_ns=START_NS,
                price=Decimal(price),
                size_base=Decimal(size),
                fee_quote=Decimal(fee_quote),
                fee_base=Decimal(fee_base),
                frame_seq=1,
            ),
        ),
    )


def test_a_buy_draws_on_its_venues_quote_and_a_sell_on_its_base() -> None:
    inventory = Inventory({(HERE, USD): Decimal(1_000), (THERE, BTC): Decimal(2)})

    inventory.add(
        [
            make_order("here", Side.BUY, price="100", size="2", fee_quote="0.2"),
            make_order("there", Side.SELL, price="101", size="2", fee_quote="0.202"),
        ]
    )

    assert inventory.held(HERE, USD) == Decimal("799.8")
    assert inventory.held(HERE, BTC) == 2
    assert inventory.held(THERE, BTC) == 0
    assert inventory.held(THERE, USD) == Decimal("201.798")


def test_a_fee_taken_in_base_leaves_less_base_and_all_of_the_quote() -> None:
    inventory = Inventory()

    inventory.add([make_order("here", Side.BUY, price="100", size="2", fee_base="0.002")])

    assert inventory.held(HERE, BTC) == Decimal("1.998")
    assert inventory.held(HERE, USD) == -200


amounts = st.decimals(min_value=0, max_value=10**12, places=18, allow_nan=False)
orders = st.builds(
    lambda venue, side, price, size, fee: make_order(
        venue, side, price=str(price), size=str(size), fee_quote=str(fee)
    ),
    st.sampled_from(["here", "there"]),
    st.sampled_from(Side),
    amounts,
    amounts,
    amounts,
)


@given(made=st.lists(orders, max_size=12), cut=st.integers(0, 12))
def test_restoring_what_was_changed_and_going_on_equals_never_having_stopped(
    made: list[Order], cut: int
) -> None:
    whole, before, after = Inventory(), Inventory(), Inventory()
    whole.add(made)
    before.add(made[:cut])

    after.restore((one.venue, one.held.asset, one.held.value) for one in before.holdings)
    after.add(made[cut:])

    assert after.holdings == whole.holdings
    base = exact_sum(one.held.value for one in whole.holdings if one.held.asset == BTC)
    assert base == exact_sum(order.base_change for order in made)
