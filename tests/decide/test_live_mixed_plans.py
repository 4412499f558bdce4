"""A route of orders and a transaction goes live where both halves do: by gas, money and limits."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest

from engine.decide.bounds.venue_exposure import EXPOSURE_USD
from engine.decide.terms import cut_to_terms, worst_quote
from engine.decide.under_way import exposure_quote
from engine.domain.assets import AssetCode
from engine.domain.gas import with_margin
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders_told import HeldAtVenue, VenueSeen
from engine.domain.plans import MixedPlan, Part, is_live
from engine.domain.told import HeldOnChain, WalletSeen
from engine.portfolio import come_through
from engine.quote.live_gas import ALLOWANCE_GAS, SWAP_GAS
from tests.execute.live_books import Desk
from tests.execute.live_mixed import ChainDesk
from tests.execute.mixed_worlds import (
    AROUND,
    BETWEEN,
    CHEAP,
    DEAR,
    GAS_UNITS,
    make_mixed_world,
    open_plan,
    play_out,
)
from tests.reference.world import World, limit_set

VENUE, WALLET = VenueId("a"), VenueId("ethereum")
HELD = ("ETH", "USDT", "BTC", "USD")
HELD_THERE = (("ETH", "500"), ("USDT", "1000000"), ("BTC", "100"), ("USDC", "1000000"))
WIDE = {"position_usd": 200_000, "net_edge_bps_min": 1, "venue_exposure_usd": 200_000}


def seen(world: World, *, why_not: str = "", **held: str) -> VenueSeen:
    amounts = dict.fromkeys(HELD, "1000000") | held
    return VenueSeen(
        venue=VENUE,
        told=0,
        at_ns=world.now_ns,
        held=tuple(
            HeldAtVenue(asset=AssetCode(asset), free=Decimal(amount), held=Decimal(0))
            for asset, amount in amounts.items()
        ),
        why_not=why_not,
    )


def told_open(world: World) -> None:
    world.see_venue(seen(world))


def live_world(pool: Any = CHEAP, *, values: dict[str, int] = WIDE, **changes: Any) -> World:
    given: dict[str, Any] = {
        "mode": Mode.LIVE,
        "trades": ("a",),
        "mixed_shut": "",
        "prepare": told_open,
        "values": limit_set(**values),
    }
    return make_mixed_world(pool, **(given | changes))


def details(world: World, reason: Reason) -> list[str]:
    decided = [one.decision for one in world.journal.decided]
    return [one.detail for one in decided if isinstance(one, Refusal) and one.reason is reason]


def only_plan(world: World) -> MixedPlan:
    (plan,) = {one.plan_id: one for one in world.journal.mixed_plans}.values()
    return plan


@pytest.mark.parametrize("pool", [DEAR, CHEAP, BETWEEN])
def test_where_both_halves_go_live_so_does_the_plan_and_it_is_in_the_live_books(pool: Any) -> None:
    world = live_world(pool)

    plan = open_plan(world)

    assert is_live(plan)
    live = world.decider.live
    assert live.under_way.usd_at(VENUE) > 0
    assert live.under_way.venues == {VENUE}
    assert live.under_way.total_usd > 0
    assert not world.circumstances.under_way.total_usd


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PAPER])
def test_in_a_lower_mode_nothing_of_it_is_live(mode: Mode) -> None:
    world = live_world(mode=mode)

    assert not any(is_live(one) for one in world.journal.mixed_plans)
    assert bool(world.journal.mixed_plans) is (mode is Mode.PAPER)


def test_each_thing_that_keeps_the_gate_shut_is_named_and_nothing_is_planned() -> None:
    for changes, words in (
        ({"mixed_shut": "main networks come later"}, "main networks come later"),
        ({"trades": ("b",)}, "orders at a are on paper"),
    ):
        world = live_world(prepare=lambda _world: None, **changes)

        assert world.journal.mixed_plans == []
        assert any(words in one for one in details(world, Reason.NO_EXECUTOR))


def test_live_that_is_for_orders_alone_takes_none_with_a_transaction() -> None:
    def sends_nothing(world: World) -> None:
        world.switches.sends_live = False
        told_open(world)

    world = live_world(prepare=sends_nothing)

    assert world.journal.mixed_plans == []
    assert "this engine sends no transactions" in details(world, Reason.NO_EXECUTOR)[0]


def test_where_a_person_is_asked_it_is_live_if_transactions_are_sent_then_and_else_on_paper() -> (
    None
):
    for sends in (True, False):
        world = live_world(mode=Mode.APPROVE, sends_approved=sends)

        (asked, *_) = world.journal.asked
        assert isinstance(asked.plan, MixedPlan)
        assert is_live(asked.plan) is sends


def test_a_venue_that_takes_no_orders_stops_it_and_no_pool_is_asked_for_its_word() -> None:
    halted = live_world(
        prepare=lambda world: world.see_venue(seen(world, why_not="halted: 1 BTC is missing"))
    )
    unheard = live_world(prepare=lambda _world: None)

    assert "1 BTC is missing" in details(halted, Reason.VENUE_UNREADY)[0]
    assert "nothing was heard of a" in details(unheard, Reason.VENUE_UNREADY)[0]
    assert not halted.journal.mixed_plans + unheard.journal.mixed_plans


# ---- gas of both transactions ------------------------------------------------------------------


def test_its_gas_is_bound_for_the_swap_and_for_what_allows_it_until_the_last_block() -> None:
    paper = open_plan(live_world(mode=Mode.PAPER))
    plan = open_plan(live_world())

    assert plan.gas.units == GAS_UNITS + SWAP_GAS + ALLOWANCE_GAS
    assert plan.gas.limit_units == with_margin(plan.gas.units)
    assert plan.gas.amount > plan.gas.expected > paper.gas.amount
    gross = plan.profit_quote + plan.gas.usual_quote
    assert abs(gross - (paper.profit_quote + paper.gas.quote)) < Decimal("0.01")
    assert worst_quote(plan) < plan.profit_quote - (plan.gas.quote - plan.gas.usual_quote)
    assert world_gas_usd(live_world()) == plan.gas.quote


def world_gas_usd(world: World) -> Decimal:
    open_plan(world)
    return world.decider.live.under_way.gas_usd


def test_what_gains_less_than_its_gas_may_cost_in_the_last_block_is_not_planned() -> None:
    values = WIDE | {"gas_day_usd": 100_000, "daily_loss_usd": 100_000, "drawdown_usd": 100_000}
    dear = live_world(gwei="300", values=values)
    paper = live_world(gwei="300", mode=Mode.PAPER, values=values)

    assert paper.journal.mixed_plans
    assert dear.journal.mixed_plans == []
    assert details(dear, Reason.GAS_TOO_DEAR)


def test_terms_bind_what_it_may_pay_for_gas_and_a_dearer_base_fee_within_them_is_fine() -> None:
    terms, dearer = (open_plan(live_world(gwei=gwei)) for gwei in ("1", "1.1"))
    cut = cut_to_terms(dearer, terms, worst=Decimal(-10_000))
    far = cut_to_terms(open_plan(live_world(gwei="10")), terms, worst=Decimal(-10_000))

    assert isinstance(cut, MixedPlan)
    assert cut.gas.amount == terms.gas.amount
    assert isinstance(far, str)
    assert far.startswith("gas is")


# ---- money at both places ----------------------------------------------------------------------


def test_what_is_swapped_of_the_chains_own_asset_is_wrapped_and_coins_are_kept_for_gas() -> None:
    held = (("ETH", "12"), ("USDT", "1000000"))
    plan = open_plan(live_world(DEAR, held=held, coins="5"))
    all_wrapped = open_plan(live_world(DEAR, held=held, coins="0.01"))

    assert plan.steps[0].source == plan.gas.asset
    assert plan.sizing is not None
    assert "Ethereum holds" in plan.sizing.limit
    assert Decimal("6.99") < plan.steps[0].amount_in <= 7
    assert all_wrapped.steps[0].amount_in > plan.steps[0].amount_in


@pytest.mark.parametrize(
    ("coins", "words"),
    [("", "nobody read yet what coins"), ("0.0001", "0.000100 ETH in coins of the")],
)
@pytest.mark.parametrize("pool", [CHEAP, DEAR])
def test_without_coins_for_gas_nothing_is_planned_however_much_is_wrapped(
    pool: Any, coins: str, words: str
) -> None:
    world = live_world(pool, coins=coins)

    assert world.journal.mixed_plans == []
    assert any(words in one for one in details(world, Reason.BALANCE_TOO_LOW))


def test_coins_that_a_plan_under_way_may_pay_with_are_no_gas_for_another_one() -> None:
    earlier = msgspec.structs.replace(open_plan(live_world()), plan_id="earlier")
    coins = str(earlier.gas.amount * Decimal("1.5"))

    def one_is_under_way(world: World) -> None:
        told_open(world)
        world.decider.live.under_way.add(earlier)

    alone = live_world(coins=coins)
    beside = live_world(coins=coins, prepare=one_is_under_way)

    assert alone.journal.mixed_plans
    assert beside.journal.mixed_plans == []
    assert any("for plans under way" in one for one in details(beside, Reason.BALANCE_TOO_LOW))
    beside.decider.live.under_way.remove(earlier.plan_id)
    assert beside.decider.live.under_way.gas_at(WALLET) == 0


def test_a_venue_that_holds_less_makes_it_smaller() -> None:
    world = live_world(DEAR, prepare=lambda world: world.see_venue(seen(world, USDT="5000")))

    plan = open_plan(world)

    assert plan.sizing is not None
    assert "A holds" in plan.sizing.limit
    assert plan.legs[0].notional_quote + plan.legs[0].fee_quote <= 5_000


def test_while_it_is_under_way_both_places_hold_what_it_may_draw_on() -> None:
    world = live_world()
    plan = open_plan(world)
    (leg,) = plan.legs
    under_way = world.decider.live.under_way

    assert under_way.reserved((WALLET, plan.steps[0].source)) == plan.steps[0].amount_in
    assert under_way.reserved((WALLET, plan.gas.asset)) == plan.gas.amount
    assert under_way.reserved((VENUE, leg.source)) == leg.size_base


def test_the_exposure_of_its_venue_makes_it_smaller_and_of_the_wallet_is_none_of_it() -> None:
    most = 9_000
    plan = open_plan(live_world(values=WIDE | {EXPOSURE_USD.name: most}))
    whole = open_plan(live_world())

    assert plan.sizing is not None
    assert f"limit {most} USD" in plan.sizing.limit
    assert Decimal("0.97") * most < plan.notional_usd <= most < whole.notional_usd


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.PAPER])
@pytest.mark.parametrize("pools", [(DEAR,), (CHEAP,), (BETWEEN,), AROUND, AROUND[::-1]])
def test_a_limit_makes_it_smaller_however_the_pools_curve_and_uses_what_there_is(
    pools: Sequence[Any], mode: Mode
) -> None:
    first, *more = pools
    values = WIDE | {"position_usd": 3_000}
    world = live_world(first, more=more, values=values, mode=mode, held=HELD_THERE)
    whole = open_plan(live_world(first, more=more, mode=mode, held=HELD_THERE))

    plan = open_plan(world)

    exposure_usd = exposure_quote(plan.parts) * plan.usd_per_quote
    assert exposure_quote(whole.parts) * whole.usd_per_quote > 3_000
    assert Decimal("0.95") * 3_000 < exposure_usd <= 3_000


def test_while_it_is_under_way_its_wallet_is_not_compared_but_for_coins() -> None:
    world = live_world()
    plan = open_plan(world)
    live = world.decider.live
    before = live.inventory.held((WALLET, AssetCode("USDT")))
    shown = WalletSeen(
        chain="ethereum",
        era=0,
        began="0xbegan",
        block=12,
        block_hash="0xhash",
        told=1,
        held=(HeldOnChain(venue=WALLET, asset=AssetCode("USDT"), amount=Decimal(5)),),
        coins=Decimal("0.3"),
    )

    world.pipeline.wallet_seen(shown, world.now_ns)
    under_way = live.inventory.held((WALLET, AssetCode("USDT")))
    live.under_way.remove(plan.plan_id)
    world.pipeline.wallet_seen(shown, world.now_ns)

    assert under_way == before, "what its transaction took is booked with its orders"
    assert live.wallets.coins == {"ethereum": Decimal("0.3")}
    assert live.inventory.held((WALLET, AssetCode("USDT"))) == 5


# ---- what goes first ---------------------------------------------------------------------------


def test_what_goes_first_is_by_what_came_through_for_real_and_not_on_paper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(come_through, "LEAST", 1)
    traded = make_mixed_world(CHEAP)
    open_plan(traded)
    execution = play_out(traded, by_ratio=-0.02).execution  # it landed, and no order filled

    def learned(of: Money) -> Callable[[World], None]:
        def learn(world: World) -> None:
            told_open(world)
            account = world.circumstances.account(of)
            account.come_through.add(execution)

        return learn

    by_live = open_plan(live_world(prepare=learned(Money.LIVE)))
    by_paper = open_plan(live_world(prepare=learned(Money.PAPER)))

    assert by_live.first is Part.ORDERS
    assert by_live.first_why == "100% of transactions come through, 0% of such orders"
    assert by_paper.first is Part.TRANSACTION
    assert by_paper.first_why.startswith("nothing is measured")


def test_what_came_of_it_is_learned_in_its_own_books() -> None:
    world = make_mixed_world(CHEAP)
    plan = open_plan(world)
    finished = play_out(world)
    world.decider.learn(plan, finished.execution)

    paper, live = (world.circumstances.account(one).come_through for one in Money)

    def noted(one: Any) -> Sequence[str]:
        return sorted(one._whole)

    assert (noted(paper), noted(live)) == (["a", "ethereum"], [])


# ---- all of it: from the decision to both ways out ---------------------------------------------


def test_a_decided_plan_goes_to_both_ways_out_and_never_to_paper() -> None:
    random = Random(7)
    trader, sender = Desk(random), ChainDesk(random)
    world = live_world(trader=trader, sender=sender)
    plan = open_plan(world)

    (transaction,) = sender.handed
    assert transaction.plan_id == plan.plan_id
    assert trader.sends == []
    assert world.journal.mixed == []
