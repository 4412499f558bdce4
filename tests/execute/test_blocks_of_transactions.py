"""A paper transaction lands in a block of its chain, and pays what gas costs then."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.core.inputs.gas_priced import GasPriced
from engine.domain.chains import BlockTerms
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders import OrderState, Receipt, Transaction
from engine.domain.plans import AtomicPlan
from engine.domain.stories import Cause
from engine.execute.atomic import TransactionLife
from engine.execute.atomic_finished import AtomicFinished
from engine.execute.finished import Found
from engine.execute.order_life import News, OrderEvent
from engine.pools.blocks import Block, PoolMoved
from engine.pools.moves import PairMove
from tests.execute.test_atomic import BLOCK_MS, ETH, GAS_ETH, USDT, holding, pair_of, plan_of
from tests.reference.world import Setup, World, make_instrument

READ_AT = 100
"""The block as of which the pools were read."""

FLASH_BPS = 5


def make_world(*, blocks_before: int = 5) -> World:
    """Two pools that do not move while blocks come; the second pays 3 % more for ETH."""
    world = World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDT"), make_instrument("a", "ETH-USD")],
            pools=(
                pair_of(1_000, 2_000_000, address="0xcheap", block=READ_AT),
                pair_of(1_000, 2_060_000, address="0xdear", block=READ_AT),
            ),
            chains={"ethereum": BlockTerms(stale_ms=1_000_000, undo_blocks=8)},
            gas_price_gwei="1",
            flash_fee_bps=str(FLASH_BPS),
            inventory=lambda _: holding(("ETH", "1")),
        )
    )
    for number in range(READ_AT + 1, READ_AT + 1 + blocks_before):
        show_block(world, number)
    world.show(1, [("1999.99", "5")], [("2000.01", "5")])
    world.show(0, [("1999.99", "5")], [("2000.01", "5")])
    world.wait(1_100)
    world.tick()
    return world


def show_block(world: World, number: int, *changes: PoolMoved) -> None:
    made = Block(
        chain="ethereum",
        number=number,
        hash=f"0x{number}",
        parent_hash=f"0x{number - 1}",
        made_at_ns=world.now_ns,
        changes=changes,
    )
    world.take(made)


def price_gas(world: World, gwei: str) -> None:
    priced = GasPriced(chain="ethereum", gwei=Decimal(gwei))
    world.pools.price_gas(priced.chain, priced.price, world.now_ns)


def wait_for_block(world: World) -> None:
    world.wait(BLOCK_MS)
    world.tick()


def receipt_of(finished: AtomicFinished) -> Receipt:
    transaction = finished.execution.transaction
    assert transaction is not None
    assert transaction.receipt is not None
    return transaction.receipt


def test_the_deadline_counts_from_the_newest_block_not_from_a_pools_last_change() -> None:
    plan = plan_of(make_world(blocks_before=5))

    assert plan.deadline_block == READ_AT + 5 + 2


def test_it_lands_in_the_block_after_the_newest_one() -> None:
    world = make_world(blocks_before=5)
    show_block(world, READ_AT + 6)

    wait_for_block(world)

    (finished,) = world.journal.atomic
    assert finished.execution.is_traded
    assert receipt_of(finished).block == READ_AT + 7


def test_blocks_that_came_too_fast_for_it_revert_it_though_no_pool_moved() -> None:
    world = make_world(blocks_before=5)
    for number in range(READ_AT + 6, READ_AT + 9):
        show_block(world, number)

    wait_for_block(world)

    (finished,) = world.journal.atomic
    assert finished.execution.why_reverted == (
        f"block {READ_AT + 9} is past its deadline block {READ_AT + 7}"
    )


def test_gas_that_became_cheaper_costs_what_it_costs_then() -> None:
    world = make_world()
    plan = plan_of(world)
    price_gas(world, "0.25")

    wait_for_block(world)

    (finished,) = world.journal.atomic
    receipt = receipt_of(finished)
    assert (receipt.gas, receipt.gas_quote) == (GAS_ETH / 4, plan.gas.quote / 4)
    assert world.inventory.held((plan.wallet, ETH)) == 1 - GAS_ETH / 4
    assert finished.execution.profit_quote == plan.profit_quote + plan.gas.quote * 3 / 4


@pytest.mark.parametrize("blocks", [0, 1])
def test_while_gas_is_dearer_than_planned_no_block_takes_it(blocks: int) -> None:
    world = make_world()
    price_gas(world, "1.01")
    wait_for_block(world)
    assert world.journal.atomic == []
    show_block(world, READ_AT + 5 + 1)
    if blocks:
        price_gas(world, "1")

    wait_for_block(world)

    (finished,) = world.journal.atomic
    transaction = finished.execution.transaction
    assert transaction is not None
    plan = finished.plan
    assert isinstance(plan, AtomicPlan)
    if blocks:
        assert receipt_of(finished).gas == GAS_ETH
        assert world.inventory.held((plan.wallet, USDT)) > 0
    else:
        assert (transaction.state, transaction.receipt) == (OrderState.REJECTED, None)
        assert finished.execution.profit_quote == 0
        assert world.inventory.held((plan.wallet, ETH)) == 1
        assert len(world.circumstances.under_way) == 0


def landed() -> Receipt:
    world = make_world()
    wait_for_block(world)
    (finished,) = world.journal.atomic
    return receipt_of(finished)


def test_another_receipt_than_the_first_is_told_and_changes_nothing_and_the_same_is_none() -> None:
    receipt = landed()
    transaction = Transaction(
        client_order_id="p-t",
        plan_id="p",
        chain="ethereum",
        wallet=VenueId("ethereum"),
        sent_at_ns=1,
        state=OrderState.SENT,
    )
    life = TransactionLife(transaction)
    first = News(client_order_id="p-t", event=OrderEvent.FILLED, receipt=receipt)
    life.take(first)
    life.take(first)
    assert life.alarms == []

    life.take(replace(first, receipt=replace(receipt, gas=receipt.gas + 1)))

    assert len(life.alarms) == 1
    assert life.order.receipt == receipt


def test_a_pool_that_moved_before_the_transaction_landed_is_traded_in_its_new_state() -> None:
    world = make_world()
    moves = [
        PoolMoved(address=address, move=PairMove(reserve0_raw=10**21, reserve1_raw=usdt * 10**6))
        for address, usdt in (("0xcheap", 1_999_000), ("0xdear", 2_061_000))
    ]
    show_block(world, READ_AT + 6, *moves)
    wait_for_block(world)
    (finished,) = world.journal.atomic
    assert finished.execution.is_traded
    world.show(1, [("1999.99", "6")], [("2000.01", "6")])
    world.show(0, [("1999.99", "6")], [("2000.01", "6")])

    again = world.decider.decide(finished.plan.opportunity, world.now_ns)

    assert isinstance(again, Refusal)
    assert again.reason is Reason.LIQUIDITY_TAKEN


def test_a_plan_says_what_it_is_worth_and_reverts_at_any_loss_before_gas() -> None:
    plan = plan_of(make_world())

    assert plan.notional_usd == plan.steps[0].amount_in * plan.usd_per_quote
    assert plan.profit_min_quote == 0


def test_gas_as_it_was_reckoned_is_about_what_the_plan_pays() -> None:
    world = make_world()
    wait_for_block(world)
    (finished,) = world.journal.atomic
    gas = finished.plan.gas.quote

    story = finished.story(Found(profit_quote=20.0, profit_usd=20.0))

    told = [one.worth.quote for one in story.to_sized if one.cause is Cause.GAS]
    assert abs(sum(told, Decimal(0))) < gas / 100
