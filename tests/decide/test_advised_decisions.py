"""By advice a decision refuses more, goes first or leaves sooner; no limit is looser for any."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.inputs.gas_priced import GasPriced
from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.limits import Finding
from engine.domain.advice import (
    AnyAdvice,
    BlockTimeAdvice,
    GasAdvice,
    InclusionAdvice,
    PathAdvice,
    PriorityAdvice,
    ShapeGasAdvice,
    ShapeOffAdvice,
    TipAdvice,
)
from engine.domain.assets import AssetCode
from engine.domain.chains import BlockTerms
from engine.domain.gas import Tips
from engine.domain.opportunities import Opportunity, Reason
from engine.domain.plans import AtomicPlan, Plan, Schedule, digest_of_plan
from engine.domain.pools import Pool, Protocol
from engine.domain.units import NS_PER_MS
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.execute.test_atomic import holding, pair_of
from tests.execute.test_blocks_of_transactions import READ_AT, show_block
from tests.reference.world import Setup, World, make_instrument

TIPS = Tips(now=Decimal("0.5"), least=Decimal("0.25"), most=Decimal(2))


def make_world() -> World:
    """Two pools of which the second pays 3 % more for ETH; nothing is traded, as all is killed."""
    world = World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDT"), make_instrument("a", "ETH-USD")],
            pools=(
                pair_of(1_000, 2_000_000, address="0xcheap", block=READ_AT),
                pair_of(1_000, 2_060_000, address="0xdear", block=READ_AT),
            ),
            chains={"ethereum": BlockTerms(stale_ms=1_000_000, undo_blocks=8, block_ms=12_000)},
            gas_price_gwei="1",
            flash_fee_bps="5",
            inventory=lambda _: holding(("ETH", "1")),
        )
    )
    world.is_killed = True
    for number in range(READ_AT + 1, READ_AT + 6):
        show_block(world, number)
    show_books(world)
    world.wait(1_100)
    world.tick()
    world.is_killed = False
    return world


def show_books(world: World) -> None:
    for book in (0, 1):
        world.show(book, [("1999.99", "5")], [("2000.01", "5")])


def price(world: World) -> None:
    """One input: what gas costs on Ethereum, half of it a tip."""
    world.pipeline.before_input(world.now_ns)
    told = GasPriced(chain="ethereum", gwei=Decimal(1), tips=TIPS)
    world.pools.price_gas(told.chain, told.price, world.now_ns)
    world.pipeline.after_block(world.now_ns)


def seen_of(world: World) -> Opportunity:
    return next(one for one in world.journal.found if one.is_on_one_chain)


def plan_now(world: World) -> Plan | Finding:
    """What would be planned now; nothing is counted as under way."""
    sized = world.decider._sized_plan(seen_of(world), Decimal(1), world.now_ns)
    return sized if isinstance(sized, Finding) else sized.plan


def atomic(world: World) -> AtomicPlan:
    plan = plan_now(world)
    assert isinstance(plan, AtomicPlan)
    return plan


def inclusion(*ratios: float) -> InclusionAdvice:
    return InclusionAdvice(chain="ethereum", edges_usd=(0.0,), ratios=(ratios,))


def test_what_others_are_likely_to_take_first_is_refused_and_says_why() -> None:
    world = make_world()
    assert isinstance(plan_now(world), AtomicPlan)
    world.advise(inclusion(0.01))

    refused = plan_now(world)

    assert isinstance(refused, Finding)
    assert refused.reason is Reason.LIKELY_TAKEN
    assert "it is still there with 1.0%; least" in refused.detail
    world.advise(inclusion(0.99))
    assert isinstance(plan_now(world), AtomicPlan)


def test_a_shape_that_fails_on_a_fork_is_not_planned_until_it_passes_again() -> None:
    world = make_world()
    shape = "uniswap_v2 > uniswap_v2"
    other = ShapeOffAdvice(chain="ethereum", shape="uniswap_v2 > curve", why="it reverts")
    world.advise(other)
    assert isinstance(plan_now(world), AtomicPlan)
    world.advise(other, ShapeOffAdvice(chain="ethereum", shape=shape, why="it reverts: Paused()"))

    refused = plan_now(world)

    assert isinstance(refused, Finding)
    assert refused.reason is Reason.ROUTE_FAILS
    assert refused.detail == f"{shape} fails on a fork: it reverts: Paused()"
    world.advise(other)
    assert isinstance(plan_now(world), AtomicPlan)


def test_a_shape_that_takes_more_gas_than_is_reckoned_with_has_to_pay_for_it() -> None:
    world = make_world()
    plan = atomic(world)
    assert plan.profit_quote > 0
    dearer = ShapeGasAdvice(chain="ethereum", shape="uniswap_v2 > uniswap_v2", ratio=1.0)
    world.advise(dearer)
    assert isinstance(plan_now(world), AtomicPlan)
    world.decider.take_limits({EDGE_BPS.name: plan.net_edge_bps})
    assert isinstance(plan_now(world), AtomicPlan)
    world.advise(msgspec.structs.replace(dearer, ratio=1.5))

    refused = plan_now(world)

    assert isinstance(refused, Finding)
    assert refused.reason is Reason.GAS_TOO_DEAR
    assert "takes 1.50 times the gas" in refused.detail


def test_a_later_block_is_reckoned_with_where_the_next_one_is_missed() -> None:
    world = make_world()
    times = BlockTimeAdvice(chain="ethereum", block_ms=12_000, heard_ms=100, jitter_ms=100)
    world.advise(inclusion(1.0, 0.0), times)
    assert isinstance(plan_now(world), AtomicPlan)

    world.wait(10_600)  # and 1,100 since the block: too late for the next one
    show_books(world)

    refused = plan_now(world)
    assert isinstance(refused, Finding)
    assert refused.reason is Reason.LIKELY_TAKEN


def test_a_plan_says_for_which_block_it_is_and_leaves_no_later() -> None:
    world = make_world()
    plain = atomic(world)
    newest_at_ns = world.moving.newest_at_ns("ethereum")
    assert newest_at_ns is not None
    within_ms = (world.now_ns - newest_at_ns) / NS_PER_MS + 300
    times = BlockTimeAdvice(chain="ethereum", block_ms=within_ms + 400, heard_ms=200, jitter_ms=0)
    world.advise(times)

    plan = atomic(world)

    assert plan.schedule == Schedule(
        block=READ_AT + 6, blocks=1, send_by_ns=world.now_ns + 300 * NS_PER_MS
    )
    assert plan.deadline_ns == world.now_ns + 300 * NS_PER_MS < plain.deadline_ns
    world.wait(300)
    later = atomic(world)
    assert isinstance(later.schedule, Schedule)
    assert (later.schedule.block, later.schedule.blocks) == (READ_AT + 7, 2)
    assert later.deadline_ns - world.now_ns == plain.deadline_ns - plain.decided_at_ns


def test_without_advice_a_plan_is_written_as_it_always_was() -> None:
    world = make_world()
    plain = atomic(world)
    assert b"advice" not in msgspec.json.encode(plain)
    assert b"schedule" not in msgspec.json.encode(plain)
    world.advise(inclusion(1.0))
    advised = atomic(world)
    assert advised.advice == ("inclusion of ethereum (discovery 1)",)
    world.advise()

    assert digest_of_plan(atomic(world)) == digest_of_plan(plain)


def test_a_tip_is_bid_and_paper_waits_where_blocks_ask_for_more() -> None:
    world = make_world()
    price(world)
    world.advise(TipAdvice(chain="ethereum", tip_gwei=1.0))
    assert atomic(world).gas.price_gwei == Decimal("1.5")
    world.advise(TipAdvice(chain="ethereum", tip_gwei=0.0))
    plan = atomic(world)
    told = world.graph.terms.gas.told("ethereum")
    assert told is not None
    assert plan.gas.price_gwei == Decimal("0.75") < told.gwei
    world.executors.start(plan, world.now_ns)
    world.wait(12_000)
    world.tick()
    assert not world.journal.atomic  # no block takes it at that price


def test_which_of_several_goes_first_is_as_advised() -> None:
    world = make_world()
    seen = seen_of(world)
    pair = f"{seen.hops[0].target}-{seen.hops[0].source}"
    world.advise(
        PriorityAdvice(pair=pair, ratio=0.25),
        PriorityAdvice(venues=("nowhere",), ratio=0.001),
        PriorityAdvice(hour=(world.now_ns // (3_600 * 10**9) + 1) % 24, ratio=0.001),
    )
    book = world.advice

    assert book.rank(seen.hops, 100.0, world.now_ns) == 25.0
    world.advise(inclusion(0.5))
    assert book.rank(seen.hops, 100.0, world.now_ns) == 50.0
    world.advise()
    assert book.rank(seen.hops, 100.0, world.now_ns) == 100.0
    assert not book.ranks


ADVICE = st.lists(
    st.one_of(
        st.builds(TipAdvice, chain=st.just("ethereum"), tip_gwei=st.floats(0, 10_000)),
        st.builds(GasAdvice, chain=st.just("ethereum"), ratio=st.floats(1, 5)),
        st.builds(
            BlockTimeAdvice,
            chain=st.just("ethereum"),
            block_ms=st.floats(1, 600_000),
            heard_ms=st.floats(0, 600_000),
            jitter_ms=st.floats(0, 600_000),
        ),
        st.builds(
            lambda ratios: inclusion(*sorted(ratios, reverse=True)),
            st.lists(st.floats(0, 1), min_size=1, max_size=4),
        ),
        st.builds(
            ShapeGasAdvice,
            chain=st.just("ethereum"),
            shape=st.just("uniswap_v2 > uniswap_v2"),
            ratio=st.floats(1, 5),
        ),
        st.builds(PriorityAdvice, ratio=st.floats(0.001, 1), hour=st.integers(-1, 23)),
        st.builds(
            PathAdvice,
            chain=st.just("ethereum"),
            tokens=st.just(("USDT", "ETH")),
            pools=st.permutations(["0xcheap", "0xdear"]).map(tuple),
        ),
    ),
    max_size=5,
    unique_by=type,
)


@settings(max_examples=40, deadline=None)
@given(advice=ADVICE, waited_ms=st.integers(0, 30_000))
def test_no_advice_makes_a_plan_that_would_not_be_made_at_its_price_without_it(
    advice: list[AnyAdvice], waited_ms: int
) -> None:
    world = WORLD
    world.advise()
    price(world)
    world.wait(waited_ms)
    show_block(world, (world.moving.head_of("ethereum") or READ_AT) + 1)
    show_books(world)
    world.advise(*advice)
    plan = plan_now(world)
    world.advise()
    plain = plan_now(world)

    if isinstance(plan, Finding):
        return
    assert isinstance(plan, AtomicPlan)
    assert isinstance(plain, AtomicPlan)
    # What it bids is what some block took; at that price it is within each limit by itself.
    assert plan.gas.price_gwei >= Decimal(1) - TIPS.now + TIPS.least
    assert plan.net_edge_bps >= world.setup.values[EDGE_BPS]
    assert plan.profit_quote > 0
    assert plan.deadline_ns <= plain.deadline_ns
    assert plan.deadline_block == plain.deadline_block
    assert plan.steps == plain.steps
    if isinstance(plan.schedule, Schedule):
        assert plan.schedule.block is not None
        assert plan.deadline_block is not None
        assert plan.schedule.block <= plan.deadline_block
        assert plan.schedule.send_by_ns > world.now_ns
    if plan.gas.amount >= plain.gas.amount:
        assert plan.profit_quote <= plain.profit_quote
        assert plan.net_edge_bps <= plain.net_edge_bps


WORLD = make_world()


CYCLE = ("USDT", "ETH", "BTC", "UNI", "LINK")


def pool_of(at: int) -> PoolSnapshot:
    """The pool of a cycle at a place; what goes round gains 3 % before fees of 0.05 % each."""
    ends = (CYCLE[at], CYCLE[(at + 1) % len(CYCLE)])
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{at}",
        tokens=tuple((AssetCode(code), 18) for code in ends),
        fee_ratio=Decimal("0.0005"),
        gas_units=100_000,
    )
    second = 1_030 if at == 0 else 1_000
    row = PairRow(reserve0_raw=str(1_000 * 10**18), reserve1_raw=str(second * 10**18))
    return PoolSnapshot(pool=pool, row=row)


def world_of_a_cycle() -> World:
    world = World(
        Setup(
            instruments=[make_instrument("a", "USDT-USD"), make_instrument("a", "ETH-USD")],
            pools=tuple(pool_of(at) for at in range(len(CYCLE))),
            gas_price_gwei="0",
        )
    )
    for _ in range(4):
        for book in (0, 1):
            world.show(book, [("0.99", "5")], [("1.01", "5")])
        world.wait(1_100)
        world.tick()
    return world


@pytest.mark.parametrize("first", range(len(CYCLE)))
def test_a_cycle_of_five_legs_is_found_only_where_it_is_advised(first: int) -> None:
    world = world_of_a_cycle()
    assert not [one for one in world.journal.found if len(one.hops) == len(CYCLE)]
    order = [(first + at) % len(CYCLE) for at in range(len(CYCLE))]

    world.advise(
        PathAdvice(
            chain="ethereum",
            tokens=tuple(CYCLE[at] for at in order),
            pools=tuple(f"0x{at}" for at in order),
        ),
    )
    for _ in range(3):
        world.wait(100)
        world.tick()

    (found,) = [one for one in world.journal.found if len(one.hops) == len(CYCLE)]
    assert [hop.source for hop in found.hops] == list(CYCLE)
    assert found.profit_quote > 0


def test_a_cycle_that_is_not_followed_or_gains_nothing_opens_nothing() -> None:
    world = make_world()
    count = len(world.journal.found)
    world.advise(
        PathAdvice(chain="ethereum", tokens=("USDT", "ETH"), pools=("0xdear", "0xcheap")),
        PathAdvice(chain="ethereum", tokens=("USDT", "ETH"), pools=("0xcheap", "0xgone")),
        PathAdvice(chain="base", tokens=("USDT", "ETH"), pools=("0xcheap", "0xother")),
        PathAdvice(chain="ethereum", tokens=("USDT", "UNI"), pools=("0xcheap", "0xdear2")),
    )
    for _ in range(3):
        world.wait(100)
        world.tick()

    assert len(world.journal.found) == count
