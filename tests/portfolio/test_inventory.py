"""What is owned where: a sum of deposits and fills."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_sum
from engine.domain.holdings import Capital, Deposit, Holding
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, OrderState, Purpose
from engine.portfolio.inventory import Inventory
from tests.reference.world import START_NS, make_holding, make_instrument

BTC, USD = AssetCode("BTC"), AssetCode("USD")
HERE, THERE = VenueId("here"), VenueId("there")
CAPITAL = [
    Capital(venue=venue, asset=asset, usd=Decimal(1_000))
    for venue in (HERE, THERE)
    for asset in (BTC, USD)
]


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


def at_price(btc_usd: str | None) -> dict[AssetCode, Decimal | None]:
    return {USD: Decimal(1), BTC: None if btc_usd is None else Decimal(btc_usd)}


def test_a_buy_draws_on_its_venues_quote_and_a_sell_on_its_base() -> None:
    inventory = Inventory(
        holdings=[make_holding("here", "USD", "1000"), make_holding("there", "BTC", "2")]
    )

    inventory.add(
        [
            make_order("here", Side.BUY, price="100", size="2", fee_quote="0.2"),
            make_order("there", Side.SELL, price="101", size="2", fee_quote="0.202"),
        ]
    )

    assert inventory.held((HERE, USD)) == Decimal("799.8")
    assert inventory.held((HERE, BTC)) == 2
    assert inventory.held((THERE, BTC)) == 0
    assert inventory.held((THERE, USD)) == Decimal("201.798")


def test_a_fee_taken_in_base_leaves_less_base_and_all_of_the_quote() -> None:
    inventory = Inventory()

    inventory.add([make_order("here", Side.BUY, price="100", size="2", fee_base="0.002")])

    assert inventory.held((HERE, BTC)) == Decimal("1.998")
    assert inventory.held((HERE, USD)) == -200


def test_each_place_gets_its_capital_at_the_first_price_of_its_asset() -> None:
    inventory = Inventory(CAPITAL)

    first = inventory.fund(at_price(None).get, most=9)
    assert [one.place for one in first] == [(HERE, USD), (THERE, USD)]
    assert inventory.waiting == 2

    (bitcoin, _) = inventory.fund(at_price("30000").get, most=9)
    assert bitcoin == Deposit(
        venue=HERE,
        added=Amount.of("0.03333333", "BTC"),
        started=Amount.of("0.03333333", "BTC"),
        started_usd=Decimal(1_000),
    )
    assert inventory.waiting == 0


def test_what_an_earlier_run_was_given_is_not_given_again() -> None:
    before = Inventory(CAPITAL)
    before.fund(at_price("100").get, most=9)
    before.add([make_order("here", Side.BUY, price="100", size="10")])

    after = Inventory(CAPITAL, before.holdings)

    assert after.waiting == 0
    assert after.held((HERE, USD)) == 0


def test_a_reset_sets_every_place_to_its_capital_at_the_prices_of_now() -> None:
    inventory = Inventory(CAPITAL)
    inventory.fund(at_price("100").get, most=9)
    inventory.add([make_order("here", Side.BUY, price="100", size="9", fee_quote="1")])

    inventory.reset()
    deposits = inventory.fund(at_price("200").get, most=inventory.waiting)

    assert inventory.held((HERE, USD)) == 1_000
    assert inventory.held((HERE, BTC)) == 5
    assert deposits[0].added == Amount.of("-14", "BTC")  # 10 at the start and 9 bought


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
def test_restoring_what_was_held_and_going_on_equals_never_having_stopped(
    made: list[Order], cut: int
) -> None:
    whole, before = Inventory(), Inventory()
    whole.add(made)
    before.add(made[:cut])

    after = Inventory(holdings=before.holdings)
    after.add(made[cut:])

    def totals(holdings: tuple[Holding, ...]) -> dict[object, Decimal]:
        return {one.place: one.held.value for one in holdings}

    assert totals(after.holdings) == totals(whole.holdings)
    base = exact_sum(one.held.value for one in whole.holdings if one.held.asset == BTC)
    assert base == exact_sum(order.base_change for order in made)


def test_capital_of_one_venue_that_changes_drops_no_place_of_another() -> None:
    inventory = Inventory(CAPITAL)

    inventory.set_capital(HERE, [Capital(venue=HERE, asset=USD, usd=Decimal(500))])
    deposits = inventory.fund(at_price("100").__getitem__, most=10)

    assert {(one.place, one.added.value) for one in deposits} == {
        ((HERE, USD), Decimal(500)),
        ((THERE, USD), Decimal(1_000)),
        ((THERE, BTC), Decimal(10)),
    }
