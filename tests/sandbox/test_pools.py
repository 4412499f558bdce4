"""The sandbox's pools, moved to start prices: sound, at the price, and worth what they were."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.pools import concentrated, constant_product
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshots import PoolSnapshot, parse, state_of, to_json
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.pools import DOLLARS, POOLS_PATH, line_up, load_pools, price_usd
from tests.effort import examples
from tests.reference import concentrated as ranges_twin
from tests.reference import constant_product as pair_twin

START = {AssetCode("BTC"): Decimal(61838), AssetCode("ETH"): Decimal("2685.50")}
RECORDED = msgspec.json.decode(POOLS_PATH.read_bytes(), type=list[PoolSnapshot])
NAMES = [str(snapshot.pool) for snapshot in RECORDED]

prices = st.decimals(min_value="0.01", max_value="10000000", places=2)


def wanted_price_raw(snapshot: PoolSnapshot, start: dict[AssetCode, Decimal]) -> Fraction:
    (asset0, decimals0), (asset1, decimals1) = snapshot.pool.tokens
    human = Fraction(price_usd(asset0, start)) / Fraction(price_usd(asset1, start))
    return human * Fraction(10) ** (decimals1 - decimals0)


def test_the_recorded_pools_are_eleven_of_three_forms() -> None:
    found = load_pools(START)

    assert len(found) == len({snapshot.pool.pool_id for snapshot in found}) == 11
    assert len({type(snapshot.row) for snapshot in found}) == 3
    assert POOLS_PATH.stat().st_size < 200_000


def test_loading_twice_gives_the_same_bytes_and_the_way_back_is_exact() -> None:
    for one, other in zip(load_pools(START), load_pools(START), strict=True):
        assert to_json(one) == to_json(other)
        assert parse(to_json(one)) == one


@settings(max_examples=25)
@given(bitcoin=prices, ether=prices, tether=st.decimals("0.9", "1.1", places=3))
def test_a_moved_pool_is_sound_and_at_the_start_price(
    bitcoin: Decimal, ether: Decimal, tether: Decimal
) -> None:
    start = {
        AssetCode("BTC"): bitcoin,
        AssetCode("ETH"): ether,
        AssetCode("USDT"): tether,
    }
    for recorded in RECORDED:
        moved = line_up(recorded, start)
        state = state_of(moved)
        if isinstance(state, ConstantProductState):
            price = Fraction(state.reserve1_raw, state.reserve0_raw)
        elif isinstance(state, ConcentratedState):
            price = Fraction(state.sqrt_price_x96**2, 2**192)
        else:
            assert moved == recorded
            continue
        assert abs(price / wanted_price_raw(moved, start) - 1) < Fraction(1, 10**6)


@pytest.mark.parametrize("index", range(len(RECORDED)), ids=NAMES)
def test_a_moved_pool_keeps_its_dollars_or_its_product(index: int) -> None:
    recorded, moved = RECORDED[index], load_pools(START)[index]
    before, after = state_of(recorded), state_of(moved)
    dollars = [k for k, asset in enumerate(recorded.pool.assets) if asset in DOLLARS]

    if isinstance(before, ConstantProductState) and isinstance(after, ConstantProductState):
        if dollars:
            name = f"reserve{dollars[0]}_raw"
            assert getattr(after, name) == getattr(before, name)
        else:
            product = Fraction(after.reserve0_raw * after.reserve1_raw)
            ratio = product / (before.reserve0_raw * before.reserve1_raw)
            assert abs(ratio - 1) < Fraction(1, 10**6)
    elif isinstance(before, ConcentratedState) and isinstance(after, ConcentratedState):
        sums = [max(state.table.liquidity_sums) for state in (before, after)]
        roots = [state.sqrt_price_x96 for state in (before, after)]
        ratio = Fraction(sums[1], sums[0])
        if dollars:
            # A range of liquidity L holds L sqrt(p) of token 1, and L / sqrt(p) of token 0.
            change = Fraction(roots[1], roots[0])
            ratio *= change if dollars[0] == 1 else 1 / change
        assert abs(ratio - 1) < Fraction(1, 10**6)
        shifts = {b - a for a, b in zip(before.table.ticks, after.table.ticks, strict=False)}
        assert all(shift % before.table.tick_spacing == 0 for shift in shifts)


@settings(max_examples=examples(40))
@given(
    index=st.integers(0, len(RECORDED) - 2),
    digits=st.integers(3, 24),
    token_in=st.integers(0, 1),
)
def test_quotes_of_moved_pools_equal_the_twins(index: int, digits: int, token_in: int) -> None:
    state = state_of(line_up(RECORDED[index], START))
    amount = 10**digits
    if isinstance(state, ConstantProductState):
        reserves = (state.reserve0_raw, state.reserve1_raw)
        reserve_in, reserve_out = reserves if token_in == 0 else reserves[::-1]
        expected = pair_twin.most_out(reserve_in, reserve_out, Fraction(3, 1000), amount)
        assert constant_product.amount_out(state, amount, token_in=token_in) == expected
        return
    assert isinstance(state, ConcentratedState)
    try:
        found = concentrated.swap_exact_in(state, amount, token_in=token_in)
    except BadValueError:
        return
    table = state.table
    twin = ranges_twin.Pool(
        sqrt_price_x96=state.sqrt_price_x96,
        tick=state.tick,
        liquidity=state.liquidity,
        fee_pips=state.fee_pips,
        bounds=tuple(zip(table.ticks, table.sqrt_ratios_x96, table.liquidity_nets, strict=True)),
    )
    # The contract rounds a unit of input and one of output, in its own favour, at every step.
    units = 2 * found.step_count
    most = ranges_twin.sell(twin, found.amount_in_raw, token_in).amount_out
    least = ranges_twin.sell(twin, max(found.amount_in_raw - units, 0), token_in).amount_out
    assert least - units <= found.amount_out_raw <= most


def test_a_missing_start_price_is_named() -> None:
    with pytest.raises(SandboxStartError, match="no start price for ETH"):
        load_pools({AssetCode("BTC"): Decimal(61838)})


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_a_start_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(SandboxStartError, match=r"start price of ETH is .* must be positive"):
        load_pools({AssetCode("BTC"): Decimal(61838), AssetCode("ETH"): Decimal(price)})


def test_a_file_that_is_no_list_of_pools_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pools.json"
    with pytest.raises(SandboxStartError, match="cannot be used"):
        load_pools(START, path)
    path.write_text("[{}]")
    with pytest.raises(SandboxStartError, match="cannot be used"):
        load_pools(START, path)
