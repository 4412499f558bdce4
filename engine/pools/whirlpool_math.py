"""Orca Whirlpool's prices and amounts: Q64.64 roots of price, u64 amounts, roundings named.

Source: the Whirlpool program's `tick_math`, `token_math` and `swap_math`; the tables hold powers of
the square root of 1.0001 as deployed. A is the first token, B the second, price is B per A.
"""

import math

from engine.domain.errors import BadValueError
from engine.pools.reverts import U64_MAX, U256_MAX, overflow

TICK_MIN, TICK_MAX = -443_636, 443_636
SQRT_PRICE_X64_MIN = 4_295_048_016
SQRT_PRICE_X64_MAX = 79_226_673_515_401_279_992_447_579_055
FEE_ONE_E6 = 1_000_000
ONE_X64 = 1 << 64

_UP_X96 = (
    79232123823359799118286999567,
    79236085330515764027303304731,
    79244008939048815603706035061,
    79259858533276714757314932305,
    79291567232598584799939703904,
    79355022692464371645785046466,
    79482085999252804386437311141,
    79736823300114093921829183326,
    80248749790819932309965073892,
    81282483887344747381513967011,
    83390072131320151908154831281,
    87770609709833776024991924138,
    97234110755111693312479820773,
    119332217159966728226237229890,
    179736315981702064433883588727,
    407748233172238350107850275304,
    2098478828474011932436660412517,
    55581415166113811149459800483533,
    38992368544603139932233054999993551,
)
"""sqrt(1.0001) ** (2**k) for k = 0, 1, 2, ..."""

_DOWN_X64 = (
    18445821805675392311,
    18444899583751176498,
    18443055278223354162,
    18439367220385604838,
    18431993317065449817,
    18417254355718160513,
    18387811781193591352,
    18329067761203520168,
    18212142134806087854,
    17980523815641551639,
    17526086738831147013,
    16651378430235024244,
    15030750278693429944,
    12247334978882834399,
    8131365268884726200,
    3584323654723342297,
    696457651847595233,
    26294789957452057,
    37481735321082,
)
"""sqrt(1.0001) ** -(2**k)."""


def sqrt_price_at(tick: int) -> int:
    """Return the square root of price of a tick, as the program rounds."""
    if tick >= 0:
        ratio = 1 << 96
        for bit, factor in enumerate(_UP_X96):
            if tick >> bit & 1:
                ratio = ratio * factor >> 96
        return ratio >> 32
    ratio = ONE_X64
    for bit, factor in enumerate(_DOWN_X64):
        if -tick >> bit & 1:
            ratio = ratio * factor >> 64
    return ratio


def tick_at(sqrt_price_x64: int) -> int:
    """Return the greatest tick whose square root of price is not above the given one."""
    tick = math.floor(2 * math.log(sqrt_price_x64 / ONE_X64) / math.log(1.0001))
    while tick < TICK_MAX and sqrt_price_at(tick + 1) <= sqrt_price_x64:
        tick += 1
    while tick > TICK_MIN and sqrt_price_at(tick) > sqrt_price_x64:
        tick -= 1
    return tick


def amount_a(low_x64: int, high_x64: int, liquidity: int, *, is_up: bool) -> int | None:
    """Return the amount of A between two prices, rounded up or down; None beyond 64 bits.

    Raises:
        BadValueError: liquidity beyond what the program can multiply.
    """
    product = liquidity * (high_x64 - low_x64) << 64
    if product > U256_MAX:
        raise overflow("liquidity between two prices")
    amount = -(-product // (low_x64 * high_x64)) if is_up else product // (low_x64 * high_x64)
    return amount if amount <= U64_MAX else None


def amount_b(low_x64: int, high_x64: int, liquidity: int, *, is_up: bool) -> int | None:
    """Return the amount of B between two prices, rounded up or down; None beyond 64 bits."""
    product = liquidity * (high_x64 - low_x64)
    amount = -(-product >> 64) if is_up else product >> 64
    return amount if amount <= U64_MAX else None


def price_after_a(sqrt_price_x64: int, liquidity: int, amount: int, *, is_added: bool) -> int:
    """Return the price after A comes in (added) or goes out, rounded up.

    Raises:
        BadValueError: no liquidity for it, or a price outside the program's bounds.
    """
    if amount == 0:
        return sqrt_price_x64
    top = liquidity * sqrt_price_x64 << 64
    moved = sqrt_price_x64 * amount
    bottom = (liquidity << 64) + (moved if is_added else -moved)
    if top > U256_MAX:
        raise overflow("liquidity times price")
    if bottom <= 0:
        raise BadValueError(f"amount {amount} of A is more than the liquidity {liquidity} holds")
    return _bounded(-(-top // bottom))


def price_after_b(sqrt_price_x64: int, liquidity: int, amount: int, *, is_added: bool) -> int:
    """Return the price after B comes in (added) or goes out, rounded down.

    Raises:
        BadValueError: no liquidity for it, or a price outside the program's bounds.
    """
    if amount == 0:
        return sqrt_price_x64
    if liquidity == 0:
        raise BadValueError(f"amount {amount} of B where there is no liquidity")
    if is_added:
        return _bounded(sqrt_price_x64 + (amount << 64) // liquidity)
    return _bounded(sqrt_price_x64 + (-amount << 64) // liquidity)


def less_fee(amount: int, fee_e6: int) -> int:
    """Return what of an input trades after the fee, rounded down."""
    return amount * (FEE_ONE_E6 - fee_e6) // FEE_ONE_E6


def with_fee(amount: int, fee_e6: int) -> int:
    """Return the input of which `amount` trades after the fee, rounded up.

    Raises:
        BadValueError: it does not fit 64 bits.
    """
    gross = -(-amount * FEE_ONE_E6 // (FEE_ONE_E6 - fee_e6))
    if gross > U64_MAX:
        raise overflow("amount with fee")
    return gross


def _bounded(sqrt_price_x64: int) -> int:
    if not SQRT_PRICE_X64_MIN <= sqrt_price_x64 <= SQRT_PRICE_X64_MAX:
        raise BadValueError(
            f"square root of price {sqrt_price_x64} is outside {SQRT_PRICE_X64_MIN} to "
            f"{SQRT_PRICE_X64_MAX}"
        )
    return sqrt_price_x64
