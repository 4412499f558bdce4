"""What rollups take for bytes, to the unit; `test_real_oracle.py` asks the real contracts."""

from decimal import Decimal

import pytest

from engine.chains.gas.data_fee import (
    Fork,
    L1Terms,
    data_fee_wei,
    operator_fee_wei,
)
from engine.chains.gas.data_fee_calls import as_line
from engine.chains.gas.fastlz import fastlz_size
from engine.chains.gas.route_bytes import (
    ROUTE_LEGS,
    route_calldata,
    signed_route,
    unsigned_route,
)
from engine.domain.errors import BadValueError
from engine.domain.gas import DATA_RAW_MAX, GasPrice


def terms(fork: Fork, **more: int) -> L1Terms:
    numbers = {
        "base_fee_wei": 1_000_000_000,
        "blob_base_fee_wei": 10_000_000,
        "base_fee_scalar": 2,
        "blob_base_fee_scalar": 3,
        **more,
    }
    return L1Terms(fork=fork, **numbers)


PER_BYTE_E6 = 16 * 2 * 1_000_000_000 + 3 * 10_000_000


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", 0),
        (b"\0" * 12, 13),  # too short for a match: a byte says how many there are
        (b"\xff" * 1_000, 21),
        (b"\0" * 1_000, 21),
        (bytes(range(256)), 264),  # nothing repeats: a byte more for each 32
    ],
)
def test_fastlz_makes_what_the_reference_makes(data: bytes, size: int) -> None:
    assert fastlz_size(data) == size


def test_ecotone_counts_zeros_a_quarter() -> None:
    data = b"\0" * 100 + b"\1" * 100

    assert data_fee_wei(terms(Fork.ECOTONE), data) == (400 + 1_600) * PER_BYTE_E6 // 16_000_000


@pytest.mark.parametrize("fork", [Fork.FJORD, Fork.ISTHMUS, Fork.JOVIAN])
def test_fjord_takes_a_hundred_bytes_at_the_least(fork: Fork) -> None:
    least = 100 * 10**6 * PER_BYTE_E6 // 10**12

    assert data_fee_wei(terms(fork), b"") == least
    assert data_fee_wei(terms(fork), bytes(range(140))) == least
    size = fastlz_size(bytes(range(256)))
    assert (
        data_fee_wei(terms(fork), bytes(range(256)))
        == (836_500 * size - 42_585_600) * PER_BYTE_E6 // 10**12
        > least
    )


def test_the_operator_takes_by_gas_and_jovian_a_hundred_times_a_whole_scalar() -> None:
    more = {"operator_scalar": 1_500_000, "operator_constant": 77}

    assert operator_fee_wei(terms(Fork.FJORD, **more), 200_001) == 0
    assert operator_fee_wei(terms(Fork.ISTHMUS, **more), 200_001) == 300_001 + 77
    assert operator_fee_wei(terms(Fork.JOVIAN, **more), 200_001) == 200_001 * 150_000_000 + 77


@pytest.mark.parametrize(
    "absurd",
    [
        {"base_fee_wei": -1},
        {"base_fee_wei": 2**255},
        {"blob_base_fee_wei": 2**255},
        {"base_fee_scalar": 2**32},
        {"blob_base_fee_scalar": -1},
        {"operator_scalar": 2**32},
        {"operator_constant": 2**64},
    ],
)
def test_terms_that_cannot_be_are_refused(absurd: dict[str, int]) -> None:
    with pytest.raises(BadValueError):
        terms(Fork.FJORD, **absurd)


def test_a_route_s_bytes_grow_with_its_legs_and_hardly_compress() -> None:
    for legs in ROUTE_LEGS:
        assert len(route_calldata(legs)) == 4 + 32 * (4 + 3 * legs)
        signed = signed_route(10, legs)
        compressed = fastlz_size(signed)
        assert len(signed) * 0.6 < compressed < len(signed)
        # 68 bytes stand for the signature where there is none, which is about what it takes
        assert abs(compressed - fastlz_size(unsigned_route(10, legs)) - 68) <= 4


@pytest.mark.parametrize("fork", list(Fork))
def test_the_line_through_the_fees_is_below_none_of_them(fork: Fork) -> None:
    fees = [data_fee_wei(terms(fork), signed_route(8453, legs)) for legs in ROUTE_LEGS]

    fixed, leg = as_line(fees)
    price = GasPrice(gwei=Decimal(1), data_fixed_raw=fixed, data_leg_raw=leg)

    for legs, fee in zip(ROUTE_LEGS, fees, strict=True):
        assert fee <= price.data_raw(legs) <= fee * 1.03
    assert price.data_raw(0) == 0


def test_more_bytes_that_cost_less_are_refused() -> None:
    with pytest.raises(BadValueError):
        as_line([5, 4, 3, 2, 1])
    assert as_line([7, 7, 7, 7, 7]) == (7, 0)
    assert as_line([0, 0, 0, 0, 0]) == (0, 0)


@pytest.mark.parametrize("raw", [-1, DATA_RAW_MAX + 1])
def test_an_absurd_data_fee_is_no_price(raw: int) -> None:
    with pytest.raises(BadValueError):
        GasPrice(gwei=Decimal(1), data_leg_raw=raw)
    with pytest.raises(BadValueError):
        GasPrice(gwei=Decimal(1), data_fixed_raw=raw)
