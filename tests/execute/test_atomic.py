"""Routes through pools of one chain trade on paper as one transaction: all or nothing, and gas."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from msgspec import structs

from engine.decide.limit_set import LimitSet
from engine.detect.graph.pool_sides import prepare_pool
from engine.domain.assets import AssetCode
from engine.domain.instruments import Instrument
from engine.domain.modes import Mode
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders import OrderState
from engine.domain.plans import AtomicPlan
from engine.domain.pools import Pool, Protocol
from engine.domain.stories import Cause
from engine.execute.finished import Found
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.portfolio.inventory import Inventory
from tests.execute.test_stories import check_sums
from tests.reference.world import Setup, World, limit_set, make_holding, make_instrument

ETH, USDT = AssetCode("ETH"), AssetCode("USDT")
GAS_UNITS = 90_000
GAS_ETH = Decimal(2 * GAS_UNITS) / 10**9
BLOCK_MS = 12_000


def pair_of(
    eth: float, usdt: float, *, address: str, chain: str = "ethereum", block: int | None = None
) -> PoolSnapshot:
    """A constant product pool of ETH and USDT."""
    pool = Pool(
        chain=chain,
        protocol=Protocol.UNISWAP_V2,
        address=address,
        tokens=((ETH, 18), (USDT, 6)),
        fee_ratio=Decimal("0.003"),
        gas_units=GAS_UNITS,
    )
    row = PairRow(reserve0_raw=str(int(eth * 10**18)), reserve1_raw=str(int(usdt * 10**6)))
    return PoolSnapshot(pool=pool, row=row, block=block)


def holding(*held: tuple[str, str]) -> "Inventory":
    return Inventory(holdings=[make_holding("ethereum", asset, amount) for asset, amount in held])


def make_world(
    *,
    dear: float = 2_060_000,
    chains: tuple[str, str] = ("ethereum", "ethereum"),
    held: Sequence[tuple[str, str]] = (("ETH", "1"),),
    values: LimitSet | None = None,
    block: int | None = None,
    gwei: str = "1",
    mode: Mode = Mode.PAPER,
    sends_approved: bool = False,
    coins: str = "",
) -> World:
    """Two pools of which the second pays 3 % more for ETH, ETH at 2,000 USD."""
    pools = (
        pair_of(1_000, 2_000_000, address="0xcheap", chain=chains[0], block=block),
        pair_of(1_000, dear, address="0xdear", chain=chains[1], block=block),
    )

    def inventory(of: Sequence[Instrument]) -> Inventory:
        del of
        return holding(*held)

    world = World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDT"), make_instrument("a", "ETH-USD")],
            pools=pools,
            gas_price_gwei=gwei,
            gas_elsewhere_gwei={"base": gwei},
            flash_fee_bps="5",
            inventory=inventory,
            values=values or limit_set(),
            mode=mode,
            sends_approved=sends_approved,
        )
    )
    if coins:
        world.decider.live.wallets.coins[chains[0]] = Decimal(coins)
    world.show(1, [("1999.99", "5")], [("2000.01", "5")])
    world.show(0, [("1999.99", "5")], [("2000.01", "5")])
    world.wait(1_100)
    world.tick()
    return world


def plan_of(world: World) -> AtomicPlan:
    return next(one for one in world.journal.atomic_plans if len(one.steps) == 2)


def plan_of_a_transaction() -> AtomicPlan:
    return plan_of(make_world())


def reasons(world: World) -> set[Reason]:
    """Why routes of pools alone were refused."""
    return {
        one.decision.reason
        for one in world.journal.decided
        if one.opportunity.is_on_one_chain and isinstance(one.decision, Refusal)
    }


def move(world: World, row: int, eth: float, usdt: float, *, address: str) -> None:
    world.detector.on_pools({row: prepare_pool(pair_of(eth, usdt, address=address))}, world.now_ns)


def land(world: World) -> None:
    world.wait(BLOCK_MS)
    world.tick()


def swapped(reserve_in: int, reserve_out: int, amount_in: int) -> int:
    """The pair's own formula, from its contract."""
    with_fee = amount_in * 997
    return with_fee * reserve_out // (reserve_in * 1_000 + with_fee)


def test_a_route_through_pools_of_one_chain_is_one_transaction_of_exact_amounts() -> None:
    plan = plan_of(make_world())

    first, second = plan.steps
    assert (first.venue, first.source, first.target) == ("uniswap_v2@ethereum", "USDT", "ETH")
    paid_raw = int(first.amount_in.scaleb(6))
    eth_raw = swapped(2_000_000 * 10**6, 1_000 * 10**18, paid_raw)
    got_raw = swapped(1_000 * 10**18, 2_060_000 * 10**6, eth_raw)
    assert first.amount_out.scaleb(18) == second.amount_in.scaleb(18) == eth_raw
    assert second.amount_out.scaleb(6) == got_raw
    flash = -(-Fraction(first.amount_in) * 5 // Fraction(1, 10_000)) * Fraction(1, 10**8)
    gas_usdt = Fraction(GAS_ETH) * 2_000
    gain = Fraction(got_raw - paid_raw, 10**6)
    assert plan.has_flash_loan
    assert abs(Fraction(plan.profit_quote) - (gain - flash - gas_usdt)) < Fraction(1, 10**6)
    assert plan.gas.amount == GAS_ETH
    assert second.amount_out_min >= first.amount_in + plan.flash_fee, "never at a loss before gas"
    assert first.amount_out_min < first.amount_out


def test_it_lands_with_its_block_on_the_pools_as_they_are_and_is_booked_to_the_last_unit() -> None:
    world = make_world()
    plan = plan_of(world)
    world.wait(BLOCK_MS - 1)
    world.tick()
    assert world.journal.atomic == []
    world.wait(1)
    world.tick()

    (finished,) = (one for one in world.journal.atomic if one.plan is plan)
    execution = finished.execution
    assert execution.transaction is not None
    assert execution.transaction.state is OrderState.FILLED
    assert execution.profit_quote == plan.profit_quote
    assert execution.is_traded
    assert world.inventory.held((plan.wallet, ETH)) == 1 - GAS_ETH
    assert world.inventory.held((plan.wallet, USDT)) == plan.profit_quote + plan.gas.quote
    assert world.positions.residuals == ()
    assert world.positions.realised_usd(world.now_ns) == execution.profit_usd
    assert len(world.circumstances.under_way) == 0
    story = finished.story()
    check_sums(story)
    assert story.gas.quote == plan.gas.quote
    assert story.realised.quote == story.gross.quote - story.fee.quote - story.gas.quote


def test_one_that_would_gain_nothing_any_more_reverts_and_costs_its_gas_alone() -> None:
    world = make_world()
    plan = plan_of(world)
    move(world, 1, 1_000, 2_000_000, address="0xdear")
    land(world)

    (finished,) = world.journal.atomic
    execution = finished.execution
    assert execution.transaction is not None
    assert execution.transaction.state is OrderState.CANCELLED
    assert "gives" in execution.why_reverted
    assert not execution.is_traded
    assert execution.profit_quote == -plan.gas.quote
    assert world.inventory.held((plan.wallet, ETH)) == 1 - GAS_ETH
    assert world.inventory.held((plan.wallet, USDT)) == 0
    assert world.positions.realised_usd(world.now_ns) == execution.profit_usd < 0
    story = finished.story(Found(profit_quote=20.0, profit_usd=20.0))
    check_sums(story)
    assert [one.cause for one in story.to_realised] == [Cause.REVERTED]
    assert story.gas.quote == plan.gas.quote


def test_a_pool_that_is_gone_reverts_it() -> None:
    world = make_world()
    plan_of(world)
    world.graph.remove_pool(1)
    land(world)

    (finished,) = world.journal.atomic
    assert "is gone" in finished.execution.why_reverted


def test_past_its_deadline_block_it_reverts() -> None:
    world = make_world(block=100)
    plan = plan_of(world)
    assert plan.deadline_block == 102
    late = pair_of(1_000, 2_060_000, address="0xdear", block=102)
    world.detector.on_pools({1: prepare_pool(late)}, world.now_ns)
    world.graph.pools[1]
    land(world)

    (finished,) = world.journal.atomic
    assert finished.execution.why_reverted == "block 103 is past its deadline block 102"


def test_a_pool_is_traded_once_in_one_state() -> None:
    world = make_world()
    land(world)
    assert len(world.journal.atomic_plans) == 1
    (finished,) = world.journal.atomic
    world.show(1, [("1999.99", "6")], [("2000.01", "6")])
    world.show(0, [("1999.99", "6")], [("2000.01", "6")])
    again = world.decider.decide(finished.plan.opportunity, world.now_ns)

    assert isinstance(again, Refusal)
    assert again.reason is Reason.LIQUIDITY_TAKEN
    move(world, 0, 1_000, 2_000_001, address="0xcheap")
    move(world, 1, 1_000, 2_060_001, address="0xdear")
    assert isinstance(world.decider.decide(finished.plan.opportunity, world.now_ns), AtomicPlan)


def test_money_that_is_held_is_not_borrowed() -> None:
    plan = plan_of(make_world(held=(("ETH", "1"), ("USDT", "1000000"))))

    assert not plan.has_flash_loan
    assert plan.flash_fee == 0
    assert dict(plan.needs) == {
        ("ethereum", "ETH"): GAS_ETH,
        ("ethereum", "USDT"): plan.steps[0].amount_in,
    }


def test_money_that_a_plan_under_way_has_reserved_is_borrowed() -> None:
    first = plan_of(make_world(held=(("ETH", "1"), ("USDT", "1000000"))))
    assert not first.has_flash_loan
    paid = first.steps[0].amount_in
    world = make_world(held=(("ETH", "1"), ("USDT", f"{paid * Decimal('1.5')}")), mode=Mode.OBSERVE)
    world.switches.mode = Mode.PAPER
    seen = structs.replace(first.opportunity, opportunity_id="one")

    plans = [
        world.decider.decide(structs.replace(seen, opportunity_id=name), world.now_ns)
        for name in ("one", "other")
    ]

    assert [isinstance(one, AtomicPlan) and one.has_flash_loan for one in plans] == [False, True]


def test_without_money_for_its_gas_nothing_is_sent() -> None:
    world = make_world(held=(("ETH", "0.0001"),))

    assert world.journal.atomic_plans == []
    assert reasons(world) == {Reason.BALANCE_TOO_LOW}


def test_gas_of_plans_under_way_counts_against_the_daily_loss() -> None:
    gas_usd = GAS_ETH * 2_000
    just = make_world(values=limit_set(daily_loss_usd=gas_usd + Decimal("0.01")))
    less = make_world(values=limit_set(daily_loss_usd=gas_usd - Decimal("0.01")))

    assert len(just.journal.atomic_plans) == 1
    assert less.journal.atomic_plans == []
    assert reasons(less) == {Reason.DAILY_LOSS_LIMIT}


def test_a_route_over_two_chains_has_no_executor() -> None:
    world = make_world(chains=("ethereum", "base"))

    assert world.journal.atomic_plans == []
    (why,) = {
        one.decision.detail
        for one in world.journal.decided
        if isinstance(one.decision, Refusal) and one.decision.reason is Reason.NO_EXECUTOR
    }
    assert why == (
        "a route of 2 legs is watched, not traded: its pools are on 2 chains (base, ethereum)"
    )


def test_a_set_latch_lets_no_transaction_leave() -> None:
    plan = plan_of_a_transaction()
    world = make_world(dear=2_000_000)
    world.is_killed = True

    world.executors.start(plan, plan.decided_at_ns)
    (finished,) = world.executors.advance(plan.decided_at_ns + BLOCK_MS * 1_000_000)

    transaction = finished.execution.transaction
    assert transaction is not None
    assert (transaction.state, transaction.receipt) == (OrderState.CANCELLED, None)
    assert finished.execution.profit_quote == 0


@pytest.mark.parametrize("late_ns", [0, 1])
def test_a_transaction_leaves_until_its_deadline_and_not_after(late_ns: int) -> None:
    plan = plan_of_a_transaction()
    world = make_world(dear=2_000_000)
    world.executors.start(plan, plan.deadline_ns + late_ns)

    finished = world.executors.advance(plan.deadline_ns + BLOCK_MS * 1_000_000 + 1)

    (one,) = finished
    assert (one.execution.transaction is None) == bool(late_ns)
