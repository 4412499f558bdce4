"""The base fee of the next block, by each chain's own numbers."""

from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.gas.base_fee import (
    BASE_FEE_MAX_WEI,
    BaseFee,
    FeeHeader,
    FeeRule,
    header_terms,
    is_possible,
    next_base_fee_wei,
)
from engine.chains.gas.rules import GAS_RULES, gas_rule_of
from engine.domain.chains import CHAINS, NETWORKS
from engine.domain.errors import BadValueError

ETHEREUM = GAS_RULES["ethereum"].base_fee
POLYGON = GAS_RULES["polygon"].base_fee
BASE = GAS_RULES["base"].base_fee


def header(base_fee_wei: int, used: int, limit: int = 100_000_000, **more: Any) -> FeeHeader:
    return FeeHeader(number=1, base_fee_wei=base_fee_wei, gas_used=used, gas_limit=limit, **more)


def holocene(denominator: int, elasticity: int) -> bytes:
    return b"\0" + denominator.to_bytes(4) + elasticity.to_bytes(4)


def jovian(denominator: int, elasticity: int, least_wei: int) -> bytes:
    return b"\1" + denominator.to_bytes(4) + elasticity.to_bytes(4) + least_wei.to_bytes(8)


def test_every_chain_that_we_know_has_a_rule_of_gas() -> None:
    assert set(GAS_RULES) == set(CHAINS)
    for network in NETWORKS:
        assert gas_rule_of(network) in GAS_RULES.values()


@pytest.mark.parametrize(
    ("base_fee_wei", "used", "after_wei"),
    [
        (0x3B9ACA00, 72_868, 0x342A385A),  # ethereum/execution-apis, eth_feeHistory (CC0)
        (1_000_000_000, 50_000_000, 1_000_000_000),
        (1_000_000_000, 100_000_000, 1_125_000_000),
        (1_000_000_000, 0, 875_000_000),
        (7, 50_000_001, 8),  # it rises by one at the least
        (7, 0, 7),  # an eighth of 7 is none
        (0, 0, 0),
    ],
)
def test_ethereum_moves_by_an_eighth_at_most(base_fee_wei: int, used: int, after_wei: int) -> None:
    assert next_base_fee_wei(header(base_fee_wei, used), ETHEREUM) == after_wei


@given(
    base_fee_wei=st.integers(0, 10**12),
    limit=st.integers(1_000, 10**9),
    share=st.integers(0, 10_000),
    denominator=st.integers(1, 1_000),
    elasticity=st.integers(1, 50),
)
def test_a_header_s_own_numbers_move_it_as_the_rule_says(
    base_fee_wei: int, limit: int, share: int, denominator: int, elasticity: int
) -> None:
    used = limit * share // 10_000
    target = limit // elasticity
    off = Fraction(abs(used - target), target)
    step = floor(floor(base_fee_wei * off) / Fraction(denominator))

    found = next_base_fee_wei(
        header(base_fee_wei, used, limit, extra=holocene(denominator, elasticity)), BASE
    )

    if used > target:
        assert found == base_fee_wei + max(step, 1)
    else:
        assert found == base_fee_wei - step


def test_jovian_counts_bytes_like_gas_and_knows_a_least_fee() -> None:
    extra = jovian(250, 6, 1_000_000)
    full_of_bytes = header(5_000_000, 1_000, 60_000_000, extra=extra, blob_gas_used=60_000_000)
    by_gas_alone = header(5_000_000, 1_000, 60_000_000, extra=extra)
    cheap = header(1_000_000, 0, 60_000_000, extra=extra)

    assert next_base_fee_wei(full_of_bytes, BASE) == 5_000_000 + 5_000_000 * 5 // 250
    assert next_base_fee_wei(by_gas_alone, BASE) < 5_000_000
    assert next_base_fee_wei(cheap, BASE) == 1_000_000


def test_blobs_of_a_chain_before_jovian_do_not_move_its_fee() -> None:
    extra = holocene(250, 6)
    without = header(5_000_000, 1_000, 60_000_000, extra=extra)
    with_blobs = header(5_000_000, 1_000, 60_000_000, extra=extra, blob_gas_used=60_000_000)

    assert next_base_fee_wei(with_blobs, BASE) == next_base_fee_wei(without, BASE)


@pytest.mark.parametrize(
    "extra",
    [
        b"",
        b"beaverbuild.org",
        holocene(0, 6),
        holocene(250, 0),
        holocene(2**32 - 1, 6),
        b"\1" + holocene(250, 6)[1:],
        b"\0" + jovian(250, 6, 1)[1:],
        jovian(250, 6, 2**64 - 1),
        jovian(250, 6, 1) + b"\0",
        b"\2" + jovian(250, 6, 1)[1:],
    ],
)
def test_extra_data_that_is_no_rule_is_refused(extra: bytes) -> None:
    with pytest.raises(BadValueError):
        header_terms(extra)


def test_polygon_goes_no_further_than_a_twentieth() -> None:
    at_most = next_base_fee_wei(
        header(10**9, 100_000_000),
        FeeRule(base_fee=BaseFee.BOUNDED, target_percent=1, denominator=1, change_percent_max=5),
    )

    assert at_most == 1_050_000_000
    assert next_base_fee_wei(header(10**9, 65_000_000), POLYGON) == 10**9
    assert next_base_fee_wei(header(10**9, 100_000_000), POLYGON) == 10**9 + 10**9 * 35 // 65 // 64


def test_a_producer_s_word_counts_within_its_bound_and_a_rule_to_the_unit() -> None:
    newest = header(10**9, 65_000_000)

    assert is_possible(1_050_000_000, newest, POLYGON)
    assert is_possible(950_000_000, newest, POLYGON)
    assert not is_possible(1_050_000_001, newest, POLYGON)
    assert not is_possible(949_999_999, newest, POLYGON)
    exact = next_base_fee_wei(newest, ETHEREUM)
    assert is_possible(exact, newest, ETHEREUM)
    assert not is_possible(exact + 1, newest, ETHEREUM)
    assert not is_possible(exact - 1, newest, ETHEREUM)


@pytest.mark.parametrize(
    "absurd",
    [
        {"base_fee_wei": -1},
        {"base_fee_wei": BASE_FEE_MAX_WEI + 1},
        {"gas_used": -1},
        {"gas_used": 2**63},
        {"gas_limit": 0},
        {"gas_limit": 2**255},
        {"blob_gas_used": -1},
    ],
)
def test_a_header_with_absurd_numbers_is_none(absurd: dict[str, int]) -> None:
    sane: dict[str, Any] = {"number": 1, "base_fee_wei": 1, "gas_used": 1, "gas_limit": 1}

    with pytest.raises(BadValueError):
        FeeHeader(**{**sane, **absurd})


def test_a_limit_too_small_for_a_target_is_refused() -> None:
    with pytest.raises(BadValueError, match="target"):
        next_base_fee_wei(header(10**9, 0, 1), ETHEREUM)
