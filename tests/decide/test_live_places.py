"""What is free at a venue is held against the least order that its rules let through."""

from decimal import Decimal
from random import Random

import pytest

from engine.decide.least_draws import GAS_UNITS_LEAST, LeastDraws
from engine.domain.assets import AssetCode
from engine.domain.gas import GasPrice
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.orders_told import HeldAtVenue, VenueSeen
from engine.domain.told import HeldOnChain, WalletSeen
from engine.portfolio.costs import gas_amounts
from engine.portfolio.inventory import Inventory
from tests.execute.live_books import Desk
from tests.reference.world import Setup, World, make_instrument
from tests.storage.makers import make_atomic_plan


def make_world(*, size_min: str = "0.01", notional_min: str = "0", **floors: str) -> World:
    world = World(
        Setup(
            mode=Mode.LIVE,
            trades=("here", "there"),
            trader=Desk(Random(1)),
            low_balance=floors,
            gas_price_gwei="10",
            instruments=[
                make_instrument(one, size_min=size_min, notional_min=notional_min)
                for one in ("here", "there")
            ],
            inventory=lambda _of: Inventory(),
        )
    )
    for book in (0, 1):
        world.show(book, [("100.00", "9")], [("100.10", "9")])
    return world


def see(world: World, *, usd: str, btc: str, held: str = "0", is_whole: bool = True) -> None:
    shown = tuple(
        HeldAtVenue(asset=AssetCode(asset), free=Decimal(free), held=Decimal(held))
        for asset, free in (("USD", usd), ("BTC", btc))
    )
    seen = VenueSeen(venue=VenueId("here"), told=0, at_ns=world.now_ns, held=shown)
    world.see_venue(seen, is_whole=is_whole)


def see_wallet(world: World, amount: Decimal) -> None:
    world.now_ns += 10**9
    world.pipeline.wallet_seen(
        WalletSeen(
            chain="ethereum",
            era=0,
            began="0x1",
            block=7,
            block_hash="0x7",
            told=0,
            held=tuple(
                HeldOnChain(venue=VenueId(one), asset=AssetCode("ETH"), amount=amount)
                for one in ("ethereum", "ethereum-recovery")
            ),
        ),
        world.now_ns,
    )


def needed(world: World, asset: str) -> Decimal:
    place: Place = (VenueId("here"), AssetCode(asset))
    draws = LeastDraws(world.board, world.costs, world.circumstances.gas)
    (one,) = draws.at(place)
    return one.needed


def test_the_least_sale_is_the_least_size_and_the_least_purchase_its_cost_with_the_fee() -> None:
    world = make_world()

    assert needed(world, "BTC") == Decimal("0.01")
    assert needed(world, "USD") == Decimal("0.01") * Decimal("100.10") * Decimal("1.001")


def test_a_least_notional_makes_the_least_order_larger_in_whole_lots() -> None:
    world = make_world(notional_min="5")

    assert needed(world, "BTC") == Decimal("0.05")
    # 0.04996 BTC at 100.10 USD, and a fee of 0.1 % in whole millionths.
    assert needed(world, "USD") == Decimal("5.000996") + Decimal("0.005001")


def test_a_book_whose_rules_are_not_in_force_any_more_draws_nothing() -> None:
    world = make_world()
    draws = LeastDraws(world.board, world.costs, world.circumstances.gas)
    place: Place = (VenueId("here"), AssetCode("USD"))
    assert len(draws.at(place)) == 1

    world.board.former.add(0)

    assert draws.at(place) == []


def test_a_book_without_a_price_counts_at_its_last_one() -> None:
    world = make_world()
    draws = LeastDraws(world.board, world.costs, world.circumstances.gas)
    place: Place = (VenueId("here"), AssetCode("USD"))
    before = draws.at(place)

    world.lose(0)

    assert draws.at(place) == before
    assert len(before) == 1


@pytest.mark.parametrize(
    ("asset", "usd", "btc", "stops"),
    [
        ("BTC", "1000", "0.009", "sell BTC-USD"),
        ("USD", "1.0019", "1", "buy BTC-USD"),
    ],
)
def test_a_place_that_covers_no_order_any_more_is_told_with_what_it_stops(
    asset: str, usd: str, btc: str, stops: str
) -> None:
    world = make_world()
    see(world, usd="1000", btc="1")

    see(world, usd=usd, btc=btc)
    see(world, usd=usd, btc=btc)

    (turn,) = world.journal.turns
    assert (turn.venue, turn.asset, turn.stops) == ("here", asset, (stops,))


def test_what_others_orders_hold_is_not_free() -> None:
    world = make_world()
    see(world, usd="1000", btc="1")

    see(world, usd="1000", btc="0", held="1")

    (turn,) = world.journal.turns
    assert turn.asset == "BTC"
    assert turn.free == 0


def test_a_place_is_not_judged_by_a_look_that_does_not_reckon_with_all_orders() -> None:
    world = make_world()
    see(world, usd="1000", btc="1")

    see(world, usd="1000", btc="0", is_whole=False)

    assert world.journal.turns == []


def test_a_floor_counts_at_each_place_with_its_asset() -> None:
    world = make_world(USD="50")

    see(world, usd="49", btc="1")

    (turn,) = world.journal.turns
    assert turn.is_below_floor
    assert turn.asset == "USD"


def test_a_wallet_that_pays_for_no_transaction_any_more_is_told_and_its_recovery_is_not() -> None:
    world = make_world()
    price = GasPrice(gwei=Decimal(10))
    least, _ = gas_amounts(price, GAS_UNITS_LEAST, 2)

    for amount in (Decimal(1), least, least / 2):
        see_wallet(world, amount)

    (turn,) = world.journal.turns
    assert (turn.venue, turn.asset) == ("ethereum", "ETH")
    assert turn.stops == ("send transactions on ethereum",)


def test_a_place_with_something_reserved_is_not_judged_until_that_is_over() -> None:
    world = make_world()
    under_way = world.circumstances.live.under_way
    plan = make_atomic_plan()
    assert (VenueId("ethereum"), AssetCode("ETH")) in [place for place, _ in plan.needs]
    see_wallet(world, Decimal(1))
    under_way.add(plan)

    see_wallet(world, Decimal(0))
    assert world.journal.turns == []
    under_way.remove(plan.plan_id)
    see_wallet(world, Decimal(0))

    assert len(world.journal.turns) == 1
