from decimal import Decimal

import pytest

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, PoolId, Protocol


def pool_of(
    *,
    tokens: tuple[tuple[str, int], ...] = (("ETH", 18), ("USDT", 6)),
    fee: str = "0.0005",
    chain: str = "ethereum",
    address: str = "0xabc",
    gas_units: int = 130_000,
) -> Pool:
    return Pool(
        chain=chain,
        protocol=Protocol.UNISWAP_V3,
        address=address,
        tokens=tuple((AssetCode(asset), decimals) for asset, decimals in tokens),
        fee_ratio=Decimal(fee),
        gas_units=gas_units,
    )


@pytest.mark.parametrize(
    ("fee", "shown"),
    [("0.0005", "0.05 %"), ("0.003", "0.3 %"), ("0.01", "1 %"), ("0", "0 %"), ("0.10", "10 %")],
)
def test_a_pool_shows_its_assets_venue_and_fee(fee: str, shown: str) -> None:
    assert str(pool_of(fee=fee)) == f"ETH-USDT at uniswap_v3@ethereum {shown}"


def test_a_pool_is_the_same_whatever_its_terms() -> None:
    assert pool_of(fee="0.01").pool_id == PoolId(chain="ethereum", address="0xabc")
    assert pool_of().venue == "uniswap_v3@ethereum"


def test_a_token_has_its_place_in_the_pool() -> None:
    assert pool_of().token_index(AssetCode("USDT")) == 1
    with pytest.raises(BadValueError, match="holds no BTC"):
        pool_of().token_index(AssetCode("BTC"))


@pytest.mark.parametrize("decimals", [1, 6, 18, 24])
def test_decimals_from_1_to_24_are_taken(decimals: int) -> None:
    assert pool_of(tokens=(("ETH", decimals), ("USDT", 6))).tokens[0][1] == decimals


@pytest.mark.parametrize("decimals", [-1, 0, 25, 30, 31, 255])
def test_other_decimals_are_refused_by_name(decimals: int) -> None:
    with pytest.raises(BadValueError, match=f"ETH of pool 0xabc .* has {decimals} decimals"):
        pool_of(tokens=(("ETH", decimals), ("USDT", 6)))


@pytest.mark.parametrize("fee", ["1", "1.5", "-0.001", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_fee_of_all_or_none_that_is_a_number_is_refused(fee: str) -> None:
    with pytest.raises(BadValueError, match=r"fee_ratio of pool 0xabc .* (is|not finite)"):
        pool_of(fee=fee)


def test_a_fee_finer_than_any_contract_has_is_refused() -> None:
    with pytest.raises(BadValueError, match="more than 18 decimals"):
        pool_of(fee="1E-999999")


def test_a_token_twice_is_a_self_loop_and_refused() -> None:
    with pytest.raises(BadValueError, match=r"ETH twice in pool 0xabc .* from it to itself"):
        pool_of(tokens=(("ETH", 18), ("ETH", 18)))


@pytest.mark.parametrize("count", [0, 1, 9])
def test_a_pool_has_two_to_eight_tokens(count: int) -> None:
    with pytest.raises(BadValueError, match=f"{count} tokens in pool 0xabc"):
        pool_of(tokens=tuple((f"T{k}", 18) for k in range(count)))


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "é", "x" * 101])
def test_an_address_or_chain_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadValueError, match="address of a pool is no name"):
        pool_of(address=name)
    with pytest.raises(BadValueError, match="chain of a pool is no name"):
        pool_of(chain=name)


@pytest.mark.parametrize("gas_units", [0, -1, 30_000_001])
def test_gas_that_no_swap_takes_is_refused(gas_units: int) -> None:
    with pytest.raises(BadValueError, match=f"gas_units of pool 0xabc .* is {gas_units}"):
        pool_of(gas_units=gas_units)
