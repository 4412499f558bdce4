"""A leftover without a live price holds back what adds to it, not all; dust holds nothing back."""

from decimal import Decimal

import pytest

from engine.domain.assets import Amount, AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Reason, Refusal
from engine.domain.residuals import LastPrice, Residual
from tests.reference.world import START_NS, Setup, World, limit_set, make_instrument

PLACES = (("a", "BTC-USD"), ("b", "BTC-USD"), ("a", "ETH-USD"), ("b", "ETH-USD"))
NEAR = ([("100.00", "3")], [("100.10", "3")])
HIGH = ([("101.00", "3")], [("101.20", "3")])


def make_world(held: str, *, position_usd: str = "1000", is_known: bool = True) -> World:
    """Two assets at two venues each, and something of one of them left over."""
    world = World(
        Setup(
            instruments=[make_instrument(*place) for place in PLACES],
            values=limit_set(position_usd=Decimal(position_usd)),
        )
    )
    eth, amount = AssetCode("ETH"), Decimal(held)
    world.positions.restore(
        residuals=[
            Residual(
                venue=VenueId("a"), held=Amount(amount, eth), carry=Amount.of(amount * 100, "USD")
            )
        ],
        realised_usd=Decimal(0),
        at_ns=START_NS,
        last_prices=[LastPrice(asset=eth, usd=Decimal(100), at_ns=START_NS)] if is_known else [],
    )
    return world


def open_btc(world: World) -> None:
    world.show(0, *NEAR)
    world.show(1, *HIGH)


def refusals(world: World) -> list[Refusal]:
    return [one.decision for one in world.journal.decided if isinstance(one.decision, Refusal)]


@pytest.mark.parametrize("held", ["0.0001", "-0.0001", "2", "-2"])
def test_a_leftover_without_a_live_price_holds_no_plan_of_other_assets_back(held: str) -> None:
    world = make_world(held)

    open_btc(world)

    assert len(world.journal.plans) == 1


def test_a_leftover_counts_against_the_position_limit_at_its_last_price_and_a_haircut() -> None:
    world = make_world("2", position_usd="250")

    open_btc(world)

    (plan,) = world.journal.plans
    assert plan.sizing is not None
    assert plan.sizing.limit == "used 220.00 USD, limit 250 USD"


def test_nothing_is_added_to_more_than_dust_that_has_no_live_price() -> None:
    # Three books away from the dollar, which is one too many to be valued by.
    far = (("a", "DAI-ETH"), ("b", "DAI-ETH"))
    world = World(
        Setup(
            instruments=[
                make_instrument(*place) for place in (("a", "BTC-USD"), ("a", "ETH-BTC"), *far)
            ]
        )
    )
    dai = AssetCode("DAI")
    world.positions.restore(
        residuals=[Residual(venue=VenueId("a"), held=Amount.of(3, dai), carry=Amount.of(3, "USD"))],
        realised_usd=Decimal(0),
        at_ns=START_NS,
        last_prices=[LastPrice(asset=dai, usd=Decimal(1), at_ns=START_NS)],
    )
    world.show(0, [("99.99", "50")], [("100.01", "50")])
    world.show(1, [("0.99", "50")], [("1.01", "50")])
    world.show(2, *NEAR)
    world.show(3, *HIGH)

    assert world.journal.plans == []
    (refusal,) = refusals(world)
    assert refusal.reason is Reason.NO_USD_PRICE
    assert refusal.detail == (
        "more than dust of DAI is left over and has no USD price now; nothing may be added to it"
    )


def test_a_leftover_of_which_no_price_was_ever_known_holds_all_plans_back() -> None:
    world = make_world("0.0001", is_known=False)

    open_btc(world)

    (refusal,) = refusals(world)
    assert refusal.reason is Reason.NO_USD_PRICE
    assert refusal.detail == "ETH is left over and no USD price of it is known"


def test_a_price_is_remembered_from_ticks_and_never_from_a_report() -> None:
    for notes in (True, False):
        world = make_world("2", is_known=False)
        world.show(2, *NEAR)
        if notes:
            world.tick()
        else:
            world.decider.limit_lines(world.now_ns)
        world.lose(2)
        open_btc(world)

        assert len(world.journal.plans) == notes


def test_dust_of_a_route_of_three_legs_does_not_stop_the_next_trade() -> None:
    world = make_world("0.00001")
    world.show(2, *NEAR)
    world.show(3, *HIGH)
    world.lose(2)
    world.lose(3)

    open_btc(world)

    assert [plan.opportunity.base for plan in world.journal.plans] == ["ETH", "BTC"]
