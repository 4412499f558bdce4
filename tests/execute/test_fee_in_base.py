"""A venue that takes a buy's fee out of the base received: what is left is all that there is."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.connectors.specs import all_specs
from engine.domain.instruments import BuyFee
from engine.domain.opportunities import Side
from engine.domain.orders import OrderState
from engine.portfolio.inventory import Inventory
from engine.quote.gap import LimitRules
from tests.effort import examples
from tests.reference.world import Setup, World, left_over, limit_set, make_instrument

VENUES = all_specs()


def test_only_binance_takes_the_fee_of_a_buy_in_base() -> None:
    assert {venue for venue, spec in VENUES.items() if spec.buy_fee is BuyFee.BASE} == {"binance"}


def test_what_the_fee_took_is_neither_sold_nor_held() -> None:
    world = World(Setup(base_fee_venues=["here"]))
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.20", "1")])
    (plan,) = world.journal.plans

    world.wait(50)
    world.tick()

    execution = world.journal.finished[0].execution
    bought, sold = sorted(execution.orders, key=lambda order: order.side is Side.SELL)
    assert (bought.filled_base, bought.base_change) == (Decimal(1), Decimal("0.999"))
    assert [fill.fee_quote for fill in bought.fills] == [0]
    assert sold.filled_base == sold.size_base == Decimal("0.999")
    assert execution.residuals == ()
    # 0.999 x 101 less 10 bps, less 100.1 for a whole one
    assert execution.profit_quote == Decimal("0.999") * 101 - Decimal("0.100899") - Decimal("100.1")
    assert execution.profit_quote == plan.profit_quote
    inventory = Inventory()
    inventory.add(execution.orders)
    assert inventory.held((bought.instrument.venue, bought.instrument.pair.base)) == Decimal(
        "0.999"
    )


lots = st.sampled_from(["0.00000001", "0.00001", "0.0003", "0.001", "0.01", "0.07"])
levels = st.lists(st.integers(1, 400_000), min_size=1, max_size=4)


@settings(max_examples=examples(200), deadline=None)
@given(
    lots=st.tuples(lots, lots),
    asks=levels,
    bids=levels,
    fee=st.integers(0, 400).map(lambda n: str(Decimal(n) / 10)),
    transfer=st.sampled_from(["0", "3.7"]),
)
def test_an_unchanged_market_realises_exactly_what_was_planned(
    lots: tuple[str, str], asks: list[int], bids: list[int], fee: str, transfer: str
) -> None:
    buy, sell = (
        make_instrument(v, lot=lot) for v, lot in zip(("here", "there"), lots, strict=True)
    )
    world = World(
        Setup(
            instruments=[buy, sell],
            base_fee_venues=["here"],
            fee_bps=fee,
            transfer_bps=transfer,
            values=limit_set(position_usd=Decimal(10**9), net_edge_bps_min=Decimal(0)),
            rules=LimitRules(slippage_bps=Decimal(0)),
            edge_bps_min="0.001",
        )
    )
    sizes = [Decimal(n).scaleb(-5) for n in asks]
    world.show(0, [("99", "1")], [(f"{100 + n}.37", str(size)) for n, size in enumerate(sizes)])
    sizes = [Decimal(n).scaleb(-5) for n in bids]
    world.show(1, [(f"{110 - n}.91", str(size)) for n, size in enumerate(sizes)], [("130", "1")])

    world.wait(60)
    world.tick()

    for finished in world.journal.finished:
        plan, execution = finished.plan, finished.execution
        assert [order.state for order in execution.orders] == [OrderState.FILLED] * 2
        assert execution.profit_quote == plan.profit_quote
        assert 0 <= left_over(execution) < min(buy.lot_base, sell.lot_base)
        assert plan.legs[1].size_base <= plan.legs[0].size_base - plan.legs[0].fee_base


def test_an_unwinding_purchase_covers_its_own_fee() -> None:
    world = World(Setup(base_fee_venues=["there"]))
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.01", "2")])

    world.wait(10)
    world.lose(0)  # only the sale is filled
    for _ in range(3):
        world.wait(30)
        world.tick()

    execution = world.journal.finished[0].execution
    assert [order.filled_base for order in execution.orders] == [0, 1, Decimal("1.00100")]
    assert left_over(execution) == -Decimal("0.000001")
