"""Ticks and square roots of prices, as Uniswap V3's and V4's TickMath has them.

Tick i stands for the price 1.0001**i of token 0 in token 1, in raw units. Its root is held times
2**96, rounded up. Both directions agree with the contract on every input (tests compare them).
"""

import math
from functools import lru_cache

from engine.domain.errors import BadValueError
from engine.pools.integers import UINT256_MAX, check_whole

TICK_MIN = -887_272
TICK_MAX = 887_272
SQRT_RATIO_MIN_X96 = 4_295_128_739
SQRT_RATIO_MAX_X96 = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342

Q96 = 2**96

# 2**128 / sqrt(1.0001 ** (2**i)) for i = 0..19, rounded to the nearest: the contract's constants.
FACTORS_X128 = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)

_HALF_LOG_OF_BASE = math.log(1.0001) / 2


def sqrt_ratio_at_tick(tick: int) -> int:
    """Return the root of a tick's price, times 2**96.

    Raises:
        BadValueError: the tick is beyond the range of a pool.
    """
    check_whole(tick, what="tick", low=TICK_MIN, high=TICK_MAX)
    return _sqrt_ratio(tick)


def tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """Return the greatest tick whose root of price is not above the given one.

    Raises:
        BadValueError: the root is beyond the range of a pool; its upper end is not part of it.
    """
    check_whole(
        sqrt_price_x96,
        what="sqrt_price_x96",
        low=SQRT_RATIO_MIN_X96,
        high=SQRT_RATIO_MAX_X96 - 1,
    )
    estimate = math.floor(math.log(sqrt_price_x96 / Q96) / _HALF_LOG_OF_BASE)
    tick = min(max(estimate, TICK_MIN), TICK_MAX - 1)
    while _sqrt_ratio(tick) > sqrt_price_x96:
        tick -= 1
    while _sqrt_ratio(tick + 1) <= sqrt_price_x96:
        tick += 1
    return tick


def check_sqrt_price(sqrt_price_x96: object, *, what: str) -> int:
    """Return a root of a price if a pool can have it.

    Raises:
        BadValueError: it is beyond the range of a pool.
    """
    if type(sqrt_price_x96) is int and sqrt_price_x96 == SQRT_RATIO_MAX_X96:
        raise BadValueError(f"{what} is {sqrt_price_x96}: a pool stays below it")
    return check_whole(
        sqrt_price_x96, what=what, low=SQRT_RATIO_MIN_X96, high=SQRT_RATIO_MAX_X96 - 1
    )


@lru_cache(maxsize=16_384)  # a pool that is read anew has its ticks of before
def _sqrt_ratio(tick: int) -> int:
    distance = abs(tick)
    ratio_x128 = 1 << 128
    for bit, factor_x128 in enumerate(FACTORS_X128):
        if distance >> bit & 1:
            ratio_x128 = ratio_x128 * factor_x128 >> 128
    if tick > 0:
        ratio_x128 = UINT256_MAX // ratio_x128
    return (ratio_x128 + 0xFFFFFFFF) >> 32
