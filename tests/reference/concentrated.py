"""Slow twin of concentrated pools: real numbers of 120 digits, and no rounding at all.

The pool is its list of price ranges with the liquidity in each. A contract rounds every step in its
own favour, so that it never gives more, nor asks less, than this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

DIGITS = Context(prec=120)
Q96 = Decimal(2**96)


@dataclass(frozen=True)
class Pool:
    """Roots of prices times 2**96; `bounds` are the initialised ticks, in rising order."""

    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_pips: int
    bounds: Sequence[tuple[int, int, int]]
    """A tick, the root of its price, and the liquidity that enters there as the price rises."""


@dataclass(frozen=True)
class Trade:
    amount_in: Decimal
    amount_out: Decimal
    sqrt_price: Decimal


def sell(pool: Pool, amount_in: int, token_in: int) -> Trade:
    """Sell an amount, or as much of it as the ranges take."""
    with localcontext(DIGITS):
        keep = 1 - Decimal(pool.fee_pips) / 1_000_000
        left = Decimal(amount_in) * keep
        price = Decimal(pool.sqrt_price_x96) / Q96
        paid = gained = Decimal(0)
        for start, end, depth in _ranges(pool, token_in):
            price = start
            needed, gives = _amounts(start, end, depth, token_in)
            if needed >= left:
                price = _after(start, depth, left, token_in)
                part, gives = _amounts(start, price, depth, token_in)
                return Trade((paid + part) / keep, gained + gives, price)
            left -= needed
            paid += needed
            gained += gives
            price = end
        return Trade(paid / keep, gained, price)


def buy(pool: Pool, amount_out: int, token_in: int) -> Trade:
    """Buy an amount, or as much of it as the ranges give."""
    with localcontext(DIGITS):
        keep = 1 - Decimal(pool.fee_pips) / 1_000_000
        left = Decimal(amount_out)
        price = Decimal(pool.sqrt_price_x96) / Q96
        paid = gained = Decimal(0)
        for start, end, depth in _ranges(pool, token_in):
            needed, gives = _amounts(start, end, depth, token_in)
            if gives >= left:
                price = _before(start, depth, left, token_in)
                needed, _ = _amounts(start, price, depth, token_in)
                return Trade((paid + needed) / keep, gained + left, price)
            left -= gives
            paid += needed
            gained += gives
            price = end
        return Trade(paid / keep, gained, price)


def _ranges(pool: Pool, token_in: int) -> Iterator[tuple[Decimal, Decimal, Decimal]]:
    """Yield start, end and liquidity of the ranges that a falling or rising price passes."""
    at, depth = pool.sqrt_price_x96, pool.liquidity
    if token_in == 0:
        passed = [bound for bound in reversed(pool.bounds) if bound[0] <= pool.tick]
    else:
        passed = [bound for bound in pool.bounds if bound[0] > pool.tick]
    for _, bound, net in passed:
        if depth > 0 and bound != at:
            yield Decimal(at) / Q96, Decimal(bound) / Q96, Decimal(depth)
        depth += net if token_in == 1 else -net
        at = bound


def _amounts(
    start: Decimal, end: Decimal, depth: Decimal, token_in: int
) -> tuple[Decimal, Decimal]:
    amount0 = abs(depth / start - depth / end)
    amount1 = abs(depth * end - depth * start)
    return (amount0, amount1) if token_in == 0 else (amount1, amount0)


def _after(start: Decimal, depth: Decimal, kept: Decimal, token_in: int) -> Decimal:
    return depth / (depth / start + kept) if token_in == 0 else start + kept / depth


def _before(start: Decimal, depth: Decimal, gives: Decimal, token_in: int) -> Decimal:
    return start - gives / depth if token_in == 0 else depth / (depth / start - gives)
