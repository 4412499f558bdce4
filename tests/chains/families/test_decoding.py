"""What an event says of a pool: as a general decoder reads it, and nothing of what is no event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.families.family_list import FAMILY_OF
from engine.chains.families.solidly import Solidly
from engine.chains.families.uniswap_v2 import UniswapV2
from engine.chains.families.uniswap_v3 import UniswapV3
from engine.chains.ports import Family, ReadAgain
from engine.domain.errors import BadValueError
from engine.domain.pools import Protocol
from engine.pools.blocks import PoolMoved
from engine.pools.moves import BalancesMove, PairMove, PositionMove, PriceMove
from tests.chains.families.logs import POOL_ADDRESS, make_log, make_pool, raw_log

SWAP = "Swap(address,address,int256,int256,uint160,uint128,int24)"
PANCAKE_SWAP = "Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)"
MINT = "Mint(address,address,int24,int24,uint128,uint256,uint256)"
BURN = "Burn(address,int24,int24,uint128,uint256,uint256)"
SENDER = "0x" + "11" * 20

UINT112 = st.integers(0, 2**112 - 1)
UINT128 = st.integers(0, 2**128 - 1)
UINT160 = st.integers(0, 2**160 - 1)
UINT256 = st.integers(0, 2**256 - 1)
INT256 = st.integers(-(2**255), 2**255 - 1)
TICK = st.integers(-887_272, 887_272)


@given(UINT112, UINT112)
def test_a_sync_is_the_new_reserves_of_a_pair(reserve0: int, reserve1: int) -> None:
    log = make_log("Sync(uint112,uint112)", values=(reserve0, reserve1))

    change = UniswapV2().change_of(make_pool(), log)

    assert change == _moved(PairMove(reserve0_raw=reserve0, reserve1_raw=reserve1))


@given(UINT256, UINT256)
def test_a_sync_is_the_new_reserves_of_a_solidly_pool(reserve0: int, reserve1: int) -> None:
    log = make_log("Sync(uint256,uint256)", values=(reserve0, reserve1))

    change = Solidly().change_of(make_pool(Protocol.AERODROME_V2), log)

    assert change == _moved(BalancesMove(balances_raw=(reserve0, reserve1)))


@given(st.tuples(INT256, INT256, UINT160, UINT128, TICK), UINT128)
def test_a_swap_is_the_new_price_of_a_concentrated_pool(
    values: tuple[int, int, int, int, int], fee: int
) -> None:
    _, _, price, liquidity, tick = values
    expected = _moved(PriceMove(sqrt_price_x96=price, tick=tick, liquidity=liquidity))
    pool = make_pool(Protocol.UNISWAP_V3)
    plain_log, pancake_log = (
        make_log(signature, (SENDER, SENDER), (*values, *more), indexed_at=(0, 1))
        for signature, more in ((SWAP, ()), (PANCAKE_SWAP, (fee, fee)))
    )

    plain = UniswapV3().change_of(pool, plain_log)
    pancake = family(Protocol.PANCAKESWAP_V3).change_of(pool, pancake_log)

    assert plain == expected
    assert pancake == expected


@given(TICK, TICK, st.integers(1, 2**128 - 1))
def test_a_mint_adds_and_a_burn_takes_liquidity_of_a_range(low: int, high: int, size: int) -> None:
    pool = make_pool(Protocol.UNISWAP_V3)
    mint = make_log(MINT, (SENDER, low, high), (SENDER, size, 5, 6), indexed_at=(1, 2, 3))
    burn = make_log(BURN, (SENDER, low, high), (size, 5, 6), indexed_at=(0, 1, 2))

    added, taken = UniswapV3().change_of(pool, mint), UniswapV3().change_of(pool, burn)

    assert added == _moved(PositionMove(tick_low=low, tick_high=high, liquidity_delta=size))
    assert taken == _moved(PositionMove(tick_low=low, tick_high=high, liquidity_delta=-size))


def test_a_burn_of_nothing_changes_nothing() -> None:
    log = make_log(BURN, (SENDER, -60, 60), (0, 0, 0), indexed_at=(0, 1, 2))

    assert UniswapV3().change_of(make_pool(Protocol.UNISWAP_V3), log) is None


def test_a_first_price_takes_a_reading() -> None:
    log = make_log("Initialize(uint160,int24)", values=(2**96, 0))

    assert isinstance(UniswapV3().change_of(make_pool(Protocol.UNISWAP_V3), log), ReadAgain)


V4_SWAP = "Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)"
V4_MODIFY = "ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)"
INT128 = st.integers(-(2**127), 2**127 - 1)


@given(st.tuples(INT128, INT128, UINT160, UINT128, TICK), st.integers(0, 10**6))
def test_a_v4_swap_is_the_new_price_of_the_pool_whose_id_it_names(
    values: tuple[int, int, int, int, int], fee: int
) -> None:
    _, _, price, liquidity, tick = values
    number = bytes(range(32))
    log = make_log(V4_SWAP, (number, SENDER), (*values, fee), indexed_at=(0, 1))
    made, pool = family(Protocol.UNISWAP_V4), make_pool(Protocol.UNISWAP_V4, "0x" + number.hex())

    assert made.address_of(log) == pool.address
    assert made.change_of(pool, log) == PoolMoved(
        address=pool.address,
        move=PriceMove(sqrt_price_x96=price, tick=tick, liquidity=liquidity),
    )


@given(TICK, TICK, st.integers(-(2**128) + 1, 2**128 - 1))
def test_a_v4_position_is_added_or_taken(low: int, high: int, delta: int) -> None:
    log = make_log(V4_MODIFY, (bytes(32), SENDER), (low, high, delta, b"s" * 32), indexed_at=(0, 1))

    change = family(Protocol.UNISWAP_V4).change_of(make_pool(Protocol.UNISWAP_V4), log)

    position = PositionMove(tick_low=low, tick_high=high, liquidity_delta=delta)
    assert change == (_moved(position) if delta else None)


def test_another_contract_s_event_is_of_no_v4_pool() -> None:
    other = "0x" + "cd" * 20
    log = make_log(V4_MODIFY, (bytes(32), SENDER), (0, 1, 2, b""), indexed_at=(0, 1), address=other)

    assert family(Protocol.UNISWAP_V4).address_of(log) == other


def family(protocol: Protocol) -> Family:
    return FAMILY_OF[protocol](frozenset((POOL_ADDRESS,)))


@pytest.mark.parametrize("protocol", FAMILY_OF)
@given(
    chosen=st.integers(0, 30),
    topics=st.lists(st.binary(max_size=40), max_size=4),
    data=st.binary(max_size=400),
)
def test_what_is_no_event_of_a_pool_is_refused_by_name(
    protocol: Protocol, chosen: int, topics: list[bytes], data: bytes
) -> None:
    made = family(protocol)
    kinds = sorted(made.topics)
    log = raw_log(kinds[chosen % len(kinds)], *topics, data=data)

    try:
        made.address_of(log)
        change = made.change_of(make_pool(protocol), log)
    except BadValueError:
        return

    assert change is None or isinstance(change, PoolMoved | ReadAgain)


@pytest.mark.parametrize("size", [0, 31, 63, 65, 96, 100_000])
def test_a_sync_of_another_length_is_none(size: int) -> None:
    for make, protocol in ((UniswapV2(), Protocol.UNISWAP_V2), (Solidly(), Protocol.AERODROME_V2)):
        log = raw_log(*make.topics, data=b"\1" * size)

        with pytest.raises(BadValueError, match="bytes, not 2 words"):
            make.change_of(make_pool(protocol), log)


def _moved(move: PairMove | BalancesMove | PriceMove | PositionMove) -> PoolMoved:
    return PoolMoved(address=POOL_ADDRESS, move=move)
