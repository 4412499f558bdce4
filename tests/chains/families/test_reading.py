"""Reading pools: each for itself, and what is no answer of a pool is refused by name."""

import asyncio
import random
from collections.abc import Callable, Sequence
from fractions import Fraction

import msgspec
import pytest

from engine.chains.families.biswap_v2 import BiswapV2
from engine.chains.families.camelot_v2 import CamelotV2
from engine.chains.families.family_list import FAMILY_OF, families_of
from engine.chains.families.solidly import Solidly
from engine.chains.families.ticks import WORDS_MAX
from engine.chains.families.uniswap_v2 import UniswapV2
from engine.chains.families.uniswap_v3 import UniswapV3
from engine.chains.ports import Family, PoolNow, Unreadable
from engine.detect.graph.pool_sides import share_kept
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import ConcentratedRow, PairRow, SolidlyRow
from engine.pools.solidly import SolidlyForm
from engine.pools.tick_math import TICK_MAX, TICK_MIN, sqrt_ratio_at_tick
from tests.chains.families.answers import AT, Answers
from tests.chains.families.logs import make_pool

FACTORY = "0x" + "fa" * 20
OTHER = "0x" + "cd" * 20


def read(family: Family, pools: Sequence[Pool], reader: Answers) -> list[PoolNow | Unreadable]:
    return asyncio.run(family.read(pools, reader, AT))


def say_pair(reader: Answers, address: str) -> None:
    reader.say(address, "getReserves()", words=(10**20, 3 * 10**11, 1_700_000_000))


def say_camelot(reader: Answers, address: str, fees: tuple[int, int] = (50, 300)) -> None:
    reader.say(address, "getReserves()", words=(10**20, 3 * 10**11, *fees))
    reader.say(address, "stableSwap()", words=(0,))


def say_biswap(reader: Answers, address: str) -> None:
    say_pair(reader, address)
    reader.say(address, "swapFee()", words=(2,))


def say_solidly(reader: Answers, address: str, *, fee: int = 5) -> None:
    reader.say(address, "getReserves()", words=(10**20, 3 * 10**11, 1_700_000_000))
    reader.say(address, "stable()", words=(0,))
    reader.say(address, "factory()", words=(int(FACTORY, 16),))
    reader.say(FACTORY, "getFee(address,bool)", (address, False), words=(fee,))
    reader.say(FACTORY, "isPaused()", words=(0,))


def say_concentrated(
    reader: Answers, address: str, *, spacing: int = 60, fee: int = 3_000, tick: int = 5
) -> ConcentratedRow:
    """Answer for a pool with two positions; return what its row has to be."""
    liquidity, above = 10**18, 3 * 10**18
    low, high, top = -10 * spacing, 7 * spacing, 9 * spacing
    low_word, high_word = TICK_MIN // spacing // 256, TICK_MAX // spacing // 256
    for word in range(low_word, high_word + 1):
        bits = sum(
            1 << one // spacing % 256 for one in (low, high, top) if one // spacing // 256 == word
        )
        reader.say(address, "tickBitmap(int16)", (word,), words=(bits,))
    price = sqrt_ratio_at_tick(tick)
    reader.say(address, "slot0()", words=(price, tick, 0, 1, 1, 0, 1))
    reader.say(address, "liquidity()", words=(liquidity,))
    reader.say(address, "tickSpacing()", words=(spacing,))
    reader.say(address, "fee()", words=(fee,))
    ticks = (
        (low, liquidity, liquidity),
        (high, above - liquidity, above + liquidity),  # where one position ends and one begins
        (top, -above, above),
    )
    for at, net, gross in ticks:
        reader.say(address, "ticks(int24)", (at,), words=(gross, net, 0, 0, 0, 0, 0, 1))
    return ConcentratedRow(
        sqrt_price_x96=str(price),
        tick=tick,
        liquidity=str(liquidity),
        tick_spacing=spacing,
        ticks=tuple((at, str(net)) for at, net, _ in ticks),
        grosses=tuple(str(gross) for _, _, gross in ticks),
    )


def test_a_pair_is_its_reserves() -> None:
    reader, pool = Answers(), make_pool()
    say_pair(reader, pool.address)

    assert read(UniswapV2(), [pool], reader) == [
        PoolNow(pool=pool, row=PairRow(reserve0_raw=str(10**20), reserve1_raw=str(3 * 10**11)))
    ]


def test_a_concentrated_pool_is_read_with_all_its_ticks() -> None:
    reader, pool = Answers(), make_pool(Protocol.UNISWAP_V3)
    row = say_concentrated(reader, pool.address)

    assert read(UniswapV3(), [pool], reader) == [PoolNow(pool=pool, row=row)]


def test_a_pool_of_narrow_ticks_is_known_about_its_price_alone() -> None:
    reader, pool = Answers(), make_pool(Protocol.UNISWAP_V3)
    say_concentrated(reader, pool.address, spacing=1)

    (now,) = read(UniswapV3(), [pool], reader)

    assert isinstance(now, PoolNow)
    assert isinstance(now.row, ConcentratedRow)
    assert (now.row.known_min, now.row.known_max) == (-350 * 256, 350 * 256 - 1)
    assert len([call for call in reader.asked if len(call.data) == 36]) == WORDS_MAX + 3
    state = now.row.state(pool)
    assert isinstance(state, ConcentratedState)
    state.with_price(sqrt_price_x96=sqrt_ratio_at_tick(6), tick=6, liquidity=10**18)


def test_a_fee_that_was_changed_is_read() -> None:
    reader, pool = Answers(), make_pool(Protocol.AERODROME_V2, fee="0.003")
    say_solidly(reader, pool.address, fee=5)

    (now,) = read(Solidly(), [pool], reader)
    (named,) = asyncio.run(Solidly().terms([pool], reader, AT))

    assert isinstance(now, PoolNow)
    assert str(now.pool.fee_ratio) == "0.0005"
    assert named == now.pool
    assert now.row == SolidlyRow(
        reserves_raw=(str(10**20), str(3 * 10**11)), curve=SolidlyForm.VOLATILE
    )


def test_a_pair_of_camelot_has_a_fee_for_each_token() -> None:
    reader, pool = Answers(), make_pool(Protocol.CAMELOT_V2)
    say_camelot(reader, pool.address, (50, 300))

    (now,) = read(CamelotV2(), [pool], reader)

    assert isinstance(now, PoolNow)
    assert now.pool == pool
    state = now.row.state(pool)
    assert isinstance(state, ConstantProductState)
    assert Fraction(state.fee0_numerator, state.fee_denominator) == Fraction(50, 100_000)
    assert Fraction(state.fee1_numerator, state.fee_denominator) == Fraction(300, 100_000)
    assert (share_kept(pool, state, 0), share_kept(pool, state, 1)) == (0.9995, 0.997)
    for bad in ((1,), (1, 2, 3), (-1, 3_000_000), (10**9, 10**9), (1, 2)):
        with pytest.raises(BadValueError):
            msgspec.structs.replace(now.row, fees_e9=bad).state(pool)


def test_a_pair_whose_fees_are_one_is_written_as_it_always_was() -> None:
    reader, pool = Answers(), make_pool(Protocol.CAMELOT_V2)
    say_camelot(reader, pool.address, (300, 300))

    (now,) = read(CamelotV2(), [pool], reader)

    assert isinstance(now, PoolNow)
    assert msgspec.json.encode(now.row) == (
        b'{"form":"pair","reserve0_raw":"100000000000000000000","reserve1_raw":"300000000000"}'
    )


def test_a_stable_pair_of_camelot_is_out() -> None:
    reader, pool = Answers(), make_pool(Protocol.CAMELOT_V2)
    say_camelot(reader, pool.address)
    reader.say(pool.address, "stableSwap()", words=(1,))

    (now,) = read(CamelotV2(), [pool], reader)

    assert isinstance(now, Unreadable)


def test_a_fee_of_biswap_is_read_and_polled() -> None:
    reader, pool = Answers(), make_pool(Protocol.BISWAP_V2)
    say_biswap(reader, pool.address)

    (now,) = read(BiswapV2(), [pool], reader)
    (named,) = asyncio.run(BiswapV2().terms([pool], reader, AT))

    assert isinstance(now, PoolNow)
    assert str(now.pool.fee_ratio) == "0.002"
    assert named == now.pool


def test_pools_whose_factory_has_paused_them_are_out() -> None:
    reader, pool = Answers(), make_pool(Protocol.AERODROME_V2)
    say_solidly(reader, pool.address)
    reader.say(FACTORY, "isPaused()", words=(1,))

    assert read(Solidly(), [pool], reader) == [Unreadable(why="its factory has paused all swaps")]


Say = Callable[[Answers, str], object]
SAID: list[tuple[Protocol, Say]] = [
    (Protocol.UNISWAP_V2, say_pair),
    (Protocol.CAMELOT_V2, say_camelot),
    (Protocol.BISWAP_V2, say_biswap),
    (Protocol.UNISWAP_V3, say_concentrated),
    (Protocol.AERODROME_V2, say_solidly),
]

ABSURD = (
    None,
    b"",
    b"\0" * 31,
    b"\xff" * 32,
    b"\xff" * 256,
    b"\0" * 256,
    b"\x08\xc3\x79\xa0" + b"\0" * 64,
    b"\x80" + b"\0" * 255,
    b"\x7f" * 100_000,
)


@pytest.mark.parametrize(("protocol", "say"), SAID, ids=[one for one, _ in SAID])
def test_an_absurd_answer_of_one_pool_harms_no_other(protocol: Protocol, say: Say) -> None:
    reader = Answers()
    pool, other = make_pool(protocol), make_pool(protocol, OTHER)
    say(reader, other.address)
    shared = set(reader.table)
    say(reader, pool.address)
    own = sorted(set(reader.table) - shared)
    family = FAMILY_OF[protocol](frozenset((FACTORY,)))
    good = read(family, [other], reader)
    seed = random.Random(11)
    if len(own) > 40:  # words of a bitmap: some are like all
        own = seed.sample(own, 40)
    for call in own:
        right = reader.table[call]
        for absurd in ABSURD:
            reader.table[call] = absurd

            now, beside = read(family, [pool, other], reader)

            assert [beside] == good
            if isinstance(now, PoolNow):
                now.row.state(now.pool)
        reader.table[call] = right


def test_each_protocol_of_a_chain_gets_its_family() -> None:
    dexes = [
        Dex(name=protocol, chain="ethereum", protocol=protocol, factory=FACTORY)
        for protocol in Protocol
    ]

    assert families_of(dexes).keys() == FAMILY_OF.keys()
