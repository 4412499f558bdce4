"""What a rollup takes for a transaction's bytes is in the screen, the decision and the receipt."""

from decimal import Decimal

import msgspec
import pytest

from engine.core.inputs.gas_priced import GAS_PRICED, GasPriced
from engine.domain.chains import BlockTerms
from engine.domain.errors import BadValueError
from engine.domain.gas import GasPrice
from engine.domain.opportunities import Opportunity, Reason, Refusal
from engine.domain.plans import AtomicPlan, GasBound
from engine.domain.units import NS_PER_MS
from engine.kernels.screen_layout import LEG
from engine.quote.route_values import values_of_opportunity
from tests.execute.test_atomic import BLOCK_MS, ETH, GAS_ETH, GAS_UNITS, holding, pair_of, plan_of
from tests.execute.test_blocks_of_transactions import receipt_of
from tests.reference.world import Setup, World, make_instrument

FIXED_RAW, LEG_RAW = 300_000_000_000_000, 100_000_000_000_000
"""0.6 USD of any transaction and 0.2 USD of each swap, at 2,000 USD."""

BYTES_ETH = Decimal("0.0005")
STALE_MS = 1_500


def price(world: World, gwei: str = "1", *, fixed: int = FIXED_RAW, leg: int = LEG_RAW) -> None:
    """One input: what a transaction costs on Ethereum."""
    world.pipeline.before_input(world.now_ns)
    world.board.frame_seq += 1
    told = GasPriced(chain="ethereum", gwei=Decimal(gwei), data_fixed_raw=fixed, data_leg_raw=leg)
    world.pools.price_gas(told.chain, told.price, world.now_ns)
    world.pipeline.after_block(world.now_ns)


def make_world(*, is_told: bool = True, is_killed: bool = False) -> World:
    """Two pools of which the second pays 3 % more for ETH; the chain tells what gas costs."""
    world = World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDT"), make_instrument("a", "ETH-USD")],
            pools=(
                pair_of(1_000, 2_000_000, address="0xcheap", block=1),
                pair_of(1_000, 2_060_000, address="0xdear", block=1),
            ),
            chains={"ethereum": BlockTerms(stale_ms=10_000_000, undo_blocks=8)},
            gas_price_gwei="1",
            gas_stale_ms=STALE_MS,
            flash_fee_bps="5",
            inventory=lambda _: holding(("ETH", "1")),
        )
    )
    world.is_killed = is_killed
    if is_told:
        price(world)
    show(world)
    world.wait(1_100)
    world.tick()
    world.is_killed = False
    return world


def show(world: World, usd: str = "2000") -> None:
    bid, ask = Decimal(usd) - Decimal("0.01"), Decimal(usd) + Decimal("0.01")
    world.show(1, [(str(bid), "5")], [(str(ask), "5")])
    world.show(0, [(str(bid), "5")], [(str(ask), "5")])


def bytes_usd(world: World) -> list[float]:
    """What the screen has each swap of a pool cost for its bytes."""
    legs = world.graph.edge_arrays[1]
    return [float(usd) for usd in legs[legs[:, LEG.CHAIN] > 0, LEG.FIXED_USD]]


def seen_of(world: World) -> Opportunity:
    return next(one for one in world.journal.found if one.is_on_one_chain)


def open_routes(world: World) -> bool:
    """Say whether a route that would be one transaction is open."""
    return any(one.first.is_on_one_chain for one in world.detector.open_episodes)


def decide(world: World, at_ns: int) -> AtomicPlan | Refusal:
    decision = world.decider.decide(seen_of(world), at_ns)
    assert isinstance(decision, (AtomicPlan, Refusal))
    return decision


def reason(world: World, at_ns: int) -> Reason | None:
    decision = decide(world, at_ns)
    return decision.reason if isinstance(decision, Refusal) else None


def test_a_plan_pays_gas_and_bytes_to_the_unit() -> None:
    plan = plan_of(make_world())
    without = plan_of(make_world(is_told=False))

    assert plan.gas.units == 2 * GAS_UNITS
    assert plan.gas.amount == GAS_ETH + BYTES_ETH
    assert plan.gas.data_amount == BYTES_ETH
    assert plan.steps[0].amount_in == pytest.approx(without.steps[0].amount_in)
    dearer_quote = plan.gas.quote - without.gas.quote
    assert dearer_quote == pytest.approx(Decimal(1), rel=Decimal("0.001"))
    assert without.profit_quote - plan.profit_quote == dearer_quote


def test_the_screen_reckons_with_bytes() -> None:
    seen = seen_of(make_world())

    assert seen.gas_quote == pytest.approx((float(GAS_ETH) + float(BYTES_ETH)) * 2_000, rel=1e-3)


def test_a_route_that_only_bytes_make_too_dear_is_no_plan_and_no_opportunity() -> None:
    world = make_world()
    assert open_routes(world)

    price(world, fixed=10**18)

    assert not open_routes(world)
    assert reason(world, world.now_ns) is not None


def test_bytes_cost_what_the_chain_s_own_asset_is_worth_now() -> None:
    world = make_world()
    assert bytes_usd(world) == pytest.approx([0.5] * 4, rel=1e-4)

    show(world, "2100")
    world.wait(1_100)
    world.tick()

    assert bytes_usd(world) == pytest.approx([0.525] * 4, rel=1e-4)
    price(world, fixed=0, leg=0)
    assert bytes_usd(world) == [0.0] * 4


def test_bytes_that_got_dearer_are_paid_though_the_plan_had_less() -> None:
    world = make_world()
    plan = plan_of(world)
    price(world, fixed=3 * FIXED_RAW)

    world.wait(BLOCK_MS)
    world.tick()

    (finished,) = world.journal.atomic
    receipt = receipt_of(finished)
    assert receipt.gas == plan.gas.amount + Decimal(2 * FIXED_RAW).scaleb(-18)
    assert receipt.gas_quote > plan.gas.quote
    assert world.inventory.held((plan.wallet, ETH)) == 1 - receipt.gas


def test_a_price_that_is_too_old_is_none_until_the_chain_tells_again() -> None:
    world = make_world(is_killed=True)
    told_at_ns = world.now_ns - 1_100 * NS_PER_MS
    limit_ns = STALE_MS * NS_PER_MS

    assert reason(world, told_at_ns + limit_ns) is not Reason.STALE_GAS
    refusal = decide(world, told_at_ns + limit_ns + 1)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.STALE_GAS
    assert refusal.detail == "gas of ethereum was told 2 s ago; it counts for 2 s"

    world.wait(STALE_MS)
    show(world)
    assert reason(world, world.now_ns) is Reason.STALE_GAS
    price(world)
    assert reason(world, world.now_ns) is not Reason.STALE_GAS


def test_a_step_of_the_clock_makes_no_price_older() -> None:
    world = make_world()
    step_ns = 10 * STALE_MS * NS_PER_MS

    world.moving.step_clock(step_ns)

    assert world.graph.terms.gas.age_ms("ethereum", world.now_ns + step_ns) == 1_100


def test_an_assumed_price_has_no_age() -> None:
    world = make_world(is_told=False)

    assert reason(world, world.now_ns + 100 * STALE_MS * NS_PER_MS) is not Reason.STALE_GAS


def test_why_tells_bytes_from_gas() -> None:
    world = make_world()
    seen = seen_of(world)

    values = values_of_opportunity(
        seen,
        pools=world.graph.pools,
        slippage_bps=Decimal(0),
        transfer_bps=Decimal(0),
        flash_fee_bps=Decimal(5),
        gas=world.graph.terms.gas,
    )

    assert float(values.profit_expected) == pytest.approx(seen.profit_quote, rel=1e-9)
    assert values.data_fee == pytest.approx(Decimal(1), rel=Decimal("0.001"))
    # gas alone may cost what is left of the gain once bytes are paid
    left = float(values.profit_expected) + float(GAS_ETH) * 2_000
    assert values.gas_price_break_even_gwei is not None
    assert float(values.gas_price_break_even_gwei) == pytest.approx(
        left / (2 * GAS_UNITS * 1e-9 * 2_000), rel=1e-3
    )


def test_a_price_of_a_recording_of_an_earlier_version_is_read() -> None:
    told = GAS_PRICED.decode(b'{"chain":"ethereum","gwei":"0.25"}')

    assert told.price == GasPrice(gwei=Decimal("0.25"))


@pytest.mark.parametrize(
    "absurd",
    [
        '"gwei":"-1"',
        '"gwei":"NaN"',
        '"gwei":"1e10"',
        '"gwei":"1","data_leg_raw":-1',
        '"gwei":"1","data_fixed_raw":1000000000000000000001',
        '"gwei":"1","now_gwei":"Infinity"',
    ],
)
def test_an_absurd_price_is_no_input(absurd: str) -> None:
    with pytest.raises(BadValueError):
        GAS_PRICED.decode(f'{{"chain":"ethereum",{absurd}}}'.encode())


def test_a_plan_without_bytes_has_the_digest_of_earlier_versions() -> None:
    bound = GasBound(asset=ETH, units=1, price_gwei=Decimal(1), amount=Decimal(1), quote=Decimal(2))

    assert msgspec.json.encode(bound) == (
        b'{"asset":"ETH","units":1,"price_gwei":"1","amount":"1","quote":"2"}'
    )
