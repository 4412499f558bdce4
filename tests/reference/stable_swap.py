"""Slow twin of StableSwap pools: both equations solved by halving, in eighty digits."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from math import prod

from tests.reference.solidly import DIGITS, root


def invariant(balances: Sequence[Decimal], ann: Decimal) -> Decimal:
    """Return D, for which ann*S + D = ann*D + D^(n+1) / (n^n * product)."""
    with localcontext() as context:
        context.prec = DIGITS
        n, total = len(balances), sum(balances, Decimal(0))
        product = n**n * prod(balances, start=Decimal(1))
        return root(lambda d: ann * d + d ** (n + 1) / product - ann * total - d, Decimal(0), total)


def swap_out(
    balances: Sequence[Decimal],
    ann: Decimal,
    net: Decimal,
    *,
    token_in: int,
    token_out: int,
) -> Decimal:
    """Return the output for an input, both in the common unit and without fees."""
    with localcontext() as context:
        context.prec = DIGITS
        d = invariant(balances, ann)
        n = len(balances)
        others = [
            balance + (net if index == token_in else 0)
            for index, balance in enumerate(balances)
            if index != token_out
        ]
        share = d ** (n + 1) / (n**n * prod(others, start=Decimal(1)))
        total = sum(others, Decimal(0))
        left = root(
            lambda y: ann * (total + y) + d - ann * d - share / y,
            d / Decimal(10) ** 60,
            balances[token_out],
        )
        return balances[token_out] - left


def fee_off_peg(
    before: tuple[Decimal, Decimal],
    net: Decimal,
    out: Decimal,
    *,
    fee: Decimal,
    multiple: Decimal,
) -> Decimal:
    """Return the fee of a swap where it rises off the peg, as the coins' mean balances have it.

    Args:
        before: balances of the coin that comes in and of the one that goes out.
        net, out: what comes in and what goes out, the fee not taken off.
        fee: at the peg.
        multiple: how many times it is that far off the peg.
    """
    with localcontext() as context:
        context.prec = DIGITS
        if multiple <= 1:
            return fee
        u, v = before[0] + net / 2, before[1] - out / 2
        return multiple * fee / ((multiple - 1) * 4 * u * v / (u + v) ** 2 + 1)


def float_invariant(balances: Sequence[float], ann: float) -> float:
    """Return D in floats: Newton's steps from the sum come down to it and never pass it."""
    n, total = len(balances), sum(balances)
    d = total
    for _ in range(255):
        product = d
        for balance in balances:
            product *= d / (n * balance)
        found = (ann * total + n * product) * d / ((ann - 1.0) * d + (n + 1.0) * product)
        step, d = d - found, found
        if not abs(step) > 2e-16 * d:
            break
    return d
