"""Every difference between what was predicted, simulated and realised has a cause, and adds up."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.orders import Receipt, Swap
from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate, TransactionNews
from engine.domain.truths import Foreseen, Step, Truth, TruthCause, sums_of
from engine.sending.truth import Behind, predicted_of, truth_of
from engine.sending.truth_table import TruthTable
from tests.storage.makers import NOW_NS, make_atomic_plan

ETH = AssetCode("ETH")
RAW = st.integers(0, 10**30)
GAS = st.integers(0, 10**16)


def eth_plan() -> AtomicPlan:
    """A route that starts and ends in the coin that pays for gas."""
    plan = make_atomic_plan()
    steps = (
        msgspec.structs.replace(plan.steps[0], source=ETH),
        msgspec.structs.replace(plan.steps[1], target=ETH),
    )
    return msgspec.structs.replace(plan, steps=steps)


def news(plan: AtomicPlan, fate: Fate, *, gain_raw: int = 0, gas_wei: int = 0) -> TransactionNews:
    first, last = plan.steps[0], plan.steps[-1]
    back = first.amount_in + Decimal(gain_raw).scaleb(-18)
    swaps = tuple(
        Swap(
            venue=step.venue,
            address=step.address,
            source=step.source,
            target=step.target,
            amount_in=first.amount_in,
            amount_out=back,
            frame_seq=1,
        )
        for step in (first, last)
    )
    landed = fate in {Fate.SUCCEEDED, Fate.REVERTED, Fate.CANCELLED}
    receipt = Receipt(
        why="" if fate is Fate.SUCCEEDED else "reverted",
        swaps=swaps if fate is Fate.SUCCEEDED else (),
        flash_fee=Decimal(0),
        gas_asset=ETH,
        gas=Decimal(gas_wei).scaleb(-18),
        gas_quote=Decimal(0),
        landed_at_ns=NOW_NS,
        block=7,
    )
    return TransactionNews(
        client_order_id="one-t",
        version=1,
        fate=fate,
        receipt=receipt if landed else None,
        why="" if landed else "it is gone",
    )


def foreseen(gain_raw: int, *, expected_raw: int | None = None, **more: object) -> Foreseen:
    return msgspec.convert(
        {
            "block": 6,
            "gain_raw": gain_raw,
            "expected_raw": gain_raw if expected_raw is None else expected_raw,
            "gas_used": 200_000,
            "gas_price_wei": 10**9,
            "is_simulated": True,
        }
        | more,
        Foreseen,
    )


def truth(told: TransactionNews, before: Foreseen | None, behind: Behind) -> Truth:
    return truth_of(eth_plan(), told, before, behind, engine="main")


def raws(found: Truth, step: Step) -> dict[TruthCause, int]:
    return {one.cause: one.raw for one in found.differences if one.step is step}


@given(
    fate=st.sampled_from(list(Fate)),
    simulated=st.none() | RAW,
    gain=RAW,
    gas=GAS,
    cause=st.none() | st.sampled_from(list(TruthCause)),
    behind=st.builds(
        Behind,
        at_parent=st.none() | RAW,
        is_late=st.booleans(),
        ahead_count=st.none() | st.integers(0, 3),
        tip_bps=st.integers(0, 9_999),
        was_touched=st.none() | st.booleans(),
    ),
)
def test_the_differences_of_any_trade_add_up_to_the_last_unit(
    *,
    fate: Fate,
    simulated: int | None,
    gain: int,
    gas: int,
    cause: TruthCause | None,
    behind: Behind,
) -> None:
    plan = eth_plan()
    gain %= 10**21
    before = None
    if simulated is not None:
        builder = simulated * behind.tip_bps // 10_000
        before = foreseen(simulated, expected_raw=gain, builder_raw=builder, cause=cause)

    found = truth_of(plan, news(plan, fate, gain_raw=gain, gas_wei=gas), before, behind, engine="a")

    sums = sums_of(found.differences)
    assert (found.simulated is None) == (before is None)
    middle = found.predicted.profit_raw if found.simulated is None else found.simulated.profit_raw
    assert found.predicted.profit_raw + sums[Step.SIMULATED] == middle
    assert middle + sums[Step.REALISED] == found.realised.profit_raw
    again = msgspec.json.decode(msgspec.json.encode(found), type=Truth)
    assert again == found


def test_what_is_predicted_is_the_profit_of_the_plan() -> None:
    plan = eth_plan()

    found = predicted_of(plan)

    assert found.gain_raw == 9_500_000_000_000_000_000
    assert found.profit_raw == found.gain_raw - 180_000_000_000_000


def test_what_is_captured_as_simulated_differs_by_its_gas_alone() -> None:
    gain = 9_500_000_000_000_000_000

    found = truth(
        news(eth_plan(), Fate.SUCCEEDED, gain_raw=gain, gas_wei=1),
        foreseen(gain),
        Behind(at_parent=gain, ahead_count=0),
    )

    assert {one.cause for one in found.differences} == {TruthCause.GAS}
    assert found.is_captured


def test_who_is_in_front_in_the_block_is_told_apart_from_blocks_between() -> None:
    told = news(eth_plan(), Fate.REVERTED, gas_wei=10)

    in_block = truth(told, foreseen(100), Behind(at_parent=100, ahead_count=1))
    between = truth(told, foreseen(100), Behind(at_parent=0, ahead_count=0))
    both = truth(told, foreseen(100), Behind(at_parent=30, ahead_count=2))

    assert raws(in_block, Step.REALISED)[TruthCause.ORDER] == -100
    assert raws(between, Step.REALISED)[TruthCause.STATE] == -100
    assert raws(both, Step.REALISED)[TruthCause.STATE] == -70
    assert raws(both, Step.REALISED)[TruthCause.ORDER] == -30


def test_what_differs_though_nobody_was_in_front_is_the_tokens_doing() -> None:
    told = news(eth_plan(), Fate.SUCCEEDED, gain_raw=90)

    found = truth(told, foreseen(100), Behind(at_parent=100, ahead_count=0))

    assert raws(found, Step.REALISED)[TruthCause.TOKEN] == -10


def test_what_no_node_says_is_called_unknown() -> None:
    told = news(eth_plan(), Fate.SUCCEEDED, gain_raw=90)

    found = truth(told, foreseen(100), Behind())

    assert raws(found, Step.REALISED)[TruthCause.UNKNOWN] == -10


def test_a_block_of_a_later_second_than_it_may_is_too_late_whoever_was_there() -> None:
    told = news(eth_plan(), Fate.REVERTED, gas_wei=10)

    found = truth(told, foreseen(100), Behind(at_parent=100, is_late=True, ahead_count=1))

    assert raws(found, Step.REALISED)[TruthCause.LATE] == -100


@pytest.mark.parametrize(
    ("why", "cause"),
    [
        ("cancelled: outbid in block 7 by 0xaa, who paid 1 in front", TruthCause.OUTBID),
        ("its nonce 3 was used by what we never signed", TruthCause.FOREIGN),
        ("cancelled: it was too late for it", TruthCause.LATE),
        ("killed: by hand", TruthCause.REFUSED),
    ],
)
def test_what_never_landed_is_put_down_to_what_was_told_of_it(why: str, cause: TruthCause) -> None:
    told = msgspec.structs.replace(news(eth_plan(), Fate.NEVER), why=why)

    found = truth(told, foreseen(100), Behind())

    assert raws(found, Step.REALISED)[cause] == -100


def test_what_is_realised_is_what_was_booked_a_builders_share_taken_once() -> None:
    told = news(eth_plan(), Fate.SUCCEEDED, gain_raw=10**18, gas_wei=10**17 + 7)

    found = truth(told, foreseen(10**18), Behind(at_parent=10**18, ahead_count=0, tip_bps=1_000))

    assert found.realised.builder_raw == 10**17
    assert found.realised.gas_wei == 7
    assert found.realised.profit_raw == 10**18 - (10**17 + 7)


def test_a_cheaper_or_dearer_lender_is_a_fee_and_a_share_of_the_builder_is_his() -> None:
    planned = predicted_of(eth_plan()).gain_raw

    found = truth(
        news(eth_plan(), Fate.SUCCEEDED, gain_raw=planned + 7),
        foreseen(planned + 7, builder_raw=3),
        Behind(at_parent=planned + 4, ahead_count=0),
    )

    assert raws(found, Step.SIMULATED)[TruthCause.FEE] == 7
    assert raws(found, Step.SIMULATED)[TruthCause.BUILDER] == -3


@pytest.mark.parametrize(
    ("touched", "cause"),
    [(True, TruthCause.STATE), (False, TruthCause.TOKEN), (None, TruthCause.UNKNOWN)],
)
def test_a_simulation_that_contradicts_is_the_states_doing_only_if_pools_were_touched(
    touched: object, cause: TruthCause
) -> None:
    found = truth(
        news(eth_plan(), Fate.NEVER),
        foreseen(90, expected_raw=100),
        msgspec.convert({"was_touched": touched}, Behind),
    )

    assert raws(found, Step.SIMULATED)[cause] == -10


def test_a_trade_that_was_undone_earned_nothing_and_says_so() -> None:
    found = truth(news(eth_plan(), Fate.UNDONE), foreseen(100), Behind())

    assert found.realised.profit_raw == 0
    assert raws(found, Step.REALISED)[TruthCause.REORGANISED] == -100


def test_gas_of_a_route_in_another_asset_is_reckoned_at_the_plans_rate_and_rounded_up() -> None:
    plan = make_atomic_plan()  # in USD, gas in ETH at 2,000 USD

    found = truth_of(plan, news(plan, Fate.REVERTED, gas_wei=1), None, Behind(), engine="main")

    assert found.realised.gas_raw == 2_000
    assert found.usd(found.realised.profit_raw) == Decimal("-2e-15")


def test_a_truth_is_given_until_the_ledger_has_it_and_is_worked_out_once(tmp_path: Path) -> None:
    path = tmp_path / "truths.sqlite3"
    found = truth(news(eth_plan(), Fate.UNDONE), foreseen(10**30), Behind())
    table = TruthTable(path)
    table.put(1, None)
    table.put(2, found)
    table.put(2, None)
    table.close()

    again = TruthTable(path)

    assert [again.has(number) for number in (1, 2, 3)] == [True, True, False]
    ((number, content),) = again.unkept()
    assert msgspec.json.decode(content, type=Truth) == found
    again.kept([number])
    assert again.unkept() == []
    again.close()
