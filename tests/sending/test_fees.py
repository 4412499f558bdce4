"""Bids are within what a plan allows, cover the base fee, and replace by an eighth or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.gas.data_fee import Fork, L1Terms, data_fee_wei, operator_fee_wei
from engine.chains.gas.rules import GAS_RULES, LOCAL_RULE, GasRule
from engine.domain.errors import BadValueError
from engine.sending.fees import (
    Bid,
    FeeTerms,
    NoBid,
    bumped,
    bytes_wei,
    cancel_bid,
    first_bid,
    raised_bid,
)

GWEI = 10**9
GAS = 200_000

RULES = st.sampled_from([LOCAL_RULE, *GAS_RULES.values()])
WEI = st.integers(0, 500 * GWEI)


def terms(base_fee_wei: int = 10 * GWEI, tip_wei: int = GWEI) -> FeeTerms:
    return FeeTerms(base_fee_wei=base_fee_wei, tip_wei=tip_wei)


@given(
    rule=RULES,
    base_fee_wei=WEI,
    tip_wei=WEI,
    bound_wei=st.integers(0, 10**18),
    place_wei=st.integers(0, 10**18),
)
def test_a_first_bid_is_within_the_plan_and_takes_the_next_block(
    *,
    rule: GasRule,
    base_fee_wei: int,
    tip_wei: int,
    bound_wei: int,
    place_wei: int,
) -> None:
    bid = first_bid(
        terms(base_fee_wei, tip_wei),
        rule,
        gas_limit=GAS,
        bound_wei=bound_wei,
        place_wei=place_wei,
    )

    if isinstance(bid, NoBid):
        assert bound_wei // GAS < max(base_fee_wei + rule.tip_wei_min, rule.price_wei_min, 1)
        return
    assert bid.most_wei <= bound_wei
    assert bid.fee_wei >= base_fee_wei + bid.tip_wei
    assert bid.tip_wei >= rule.tip_wei_min
    assert base_fee_wei + bid.tip_wei >= rule.price_wei_min
    assert rule.takes_tips or bid.tip_wei == 0


def test_where_gas_is_free_a_bid_is_of_one_wei_and_within_the_plan() -> None:
    rule = next(one for one in GAS_RULES.values() if not one.price_wei_min and not one.tip_wei_min)
    bid = first_bid(terms(0, 0), rule, gas_limit=GAS, bound_wei=GAS)

    assert isinstance(bid, Bid)
    assert (bid.fee_wei, bid.tip_wei, bid.most_wei) == (1, 1, GAS)


def test_a_first_bid_stands_in_front_of_those_who_tip_what_is_usual() -> None:
    usual = FeeTerms(base_fee_wei=GWEI, tip_wei=7 * GWEI)
    bid = first_bid(usual, LOCAL_RULE, gas_limit=GAS, bound_wei=10**17)

    assert isinstance(bid, Bid)
    assert bid.tip_wei == 7 * GWEI + 1


def test_what_a_place_in_front_is_worth_is_tipped_over_the_whole_limit() -> None:
    bid = first_bid(terms(), LOCAL_RULE, gas_limit=GAS, bound_wei=10**17, place_wei=8 * 10**15)

    assert isinstance(bid, Bid)
    assert bid.tip_wei == 8 * 10**15 // GAS


def test_a_bid_outlives_two_full_blocks_also_where_the_next_base_fee_is_not_foretold() -> None:
    fees = FeeTerms(base_fee_wei=8 * GWEI, tip_wei=0, head_base_fee_wei=10 * GWEI)
    bid = first_bid(fees, LOCAL_RULE, gas_limit=GAS, bound_wei=10**17)

    assert isinstance(bid, Bid)
    assert bid.fee_wei >= 10 * GWEI * 81 // 64


def test_a_bid_outlives_two_full_blocks_where_the_plan_allows_it() -> None:
    bid = first_bid(terms(), LOCAL_RULE, gas_limit=GAS, bound_wei=10**17)

    assert isinstance(bid, Bid)
    assert bid.fee_wei >= 10 * GWEI * 81 // 64 + bid.tip_wei


def test_a_plan_that_gas_outgrew_by_a_hundred_bids_nothing() -> None:
    bid = first_bid(terms(1_000 * GWEI), LOCAL_RULE, gas_limit=GAS, bound_wei=GAS * 12 * GWEI)

    assert isinstance(bid, NoBid)
    assert "the plan pays 12000000000 wei" in bid.why


@given(
    rule=RULES,
    fee_wei=st.integers(1, 500 * GWEI),
    tip_share=st.integers(0, 100),
    base_fee_wei=WEI,
    bound_wei=st.integers(0, 10**18),
)
def test_a_raised_bid_replaces_within_the_plan_or_there_is_none(
    rule: GasRule, fee_wei: int, tip_share: int, base_fee_wei: int, bound_wei: int
) -> None:
    before = Bid(gas_limit=GAS, fee_wei=fee_wei, tip_wei=fee_wei * tip_share // 100)

    raised = raised_bid(before, terms(base_fee_wei), rule, bound_wei=bound_wei)
    doubled = raised_bid(before, terms(base_fee_wei), rule, bound_wei=bound_wei, is_far=True)
    cancel = cancel_bid(before, terms(base_fee_wei), rule, gas_limit=21_000, bound_wei=bound_wei)

    assert isinstance(doubled, Bid) == isinstance(raised, Bid)
    for bid in (raised, doubled, cancel):
        if isinstance(bid, Bid):
            assert bid.outbids(before)
            assert bid.most_wei <= bound_wei
            assert bid.fee_wei >= base_fee_wei + bid.tip_wei
    if isinstance(raised, NoBid):
        least = max(bumped(fee_wei), base_fee_wei + max(bumped(before.tip_wei), rule.tip_wei_min))
        assert bound_wei // GAS < max(least, rule.price_wei_min)


@pytest.mark.parametrize(("wei", "least"), [(0, 1), (1, 2), (7, 8), (8, 9), (100, 113), (800, 900)])
def test_an_eighth_more_is_rounded_against_us(wei: int, least: int) -> None:
    assert bumped(wei) == least


def test_bytes_cost_what_the_rollup_takes_and_nothing_elsewhere() -> None:
    l1 = L1Terms(
        fork=Fork.JOVIAN,
        base_fee_wei=GWEI,
        blob_base_fee_wei=10**7,
        base_fee_scalar=2_000,
        blob_base_fee_scalar=300_000,
        operator_scalar=3,
        operator_constant=11,
    )
    raw = bytes(range(256)) * 3

    with_l1 = FeeTerms(base_fee_wei=1, tip_wei=1, l1=l1)

    assert bytes_wei(terms(), raw, gas_limit=GAS) == 0
    assert bytes_wei(with_l1, raw, gas_limit=GAS) == data_fee_wei(l1, raw) + operator_fee_wei(
        l1, GAS
    )


@pytest.mark.parametrize(("gas", "fee", "tip"), [(0, 1, 0), (1, 0, 0), (1, 5, 6), (1, 5, -1)])
def test_what_is_no_bid_is_refused(gas: int, fee: int, tip: int) -> None:
    with pytest.raises(BadValueError, match="is none"):
        Bid(gas_limit=gas, fee_wei=fee, tip_wei=tip)
