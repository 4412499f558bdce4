"""StableSwap's equation as Curve's contracts solve it: the invariant D, and one balance from it.

`amp` is A*n^(n-1) times `amp_precision`: 1 in the first pools (3pool), 100 in later ones. With the
precision at 1, the later formula is the earlier one to the unit. Source: Curve `StableSwap` pools.
"""

import enum
from collections.abc import Sequence

from engine.domain.errors import BadValueError
from engine.pools.reverts import U256_MAX, overflow

STEPS_MAX = 255


class ProductForm(enum.Enum):
    """How a contract rounds D^(n+1) / (n^n * product of balances)."""

    LOOP = "coin by coin"
    LOOP_PLUS_ONE = "coin by coin, one added to each divisor"  # the lending pools
    PAIR = "both coins of a pair at once"  # later two-coin factories
    ONCE = "all coins, then n**n at once"  # StableSwap-NG; of a pair the same as PAIR


def invariant(
    balances: Sequence[int],
    *,
    amp: int,
    amp_precision: int,
    form: ProductForm = ProductForm.LOOP,
) -> int:
    """Return D of balances in one common unit; 0 for an empty pool.

    Raises:
        BadValueError: a balance of 0, a word too wide, or no convergence: the contract reverts.
    """
    total = d = sum(balances)
    if total == 0:
        return 0
    count = len(balances)
    ann = amp * count
    if 0 in balances and form is not ProductForm.LOOP_PLUS_ONE:
        raise BadValueError("one balance is 0 and another is not: the invariant divides by it")
    if ann < amp_precision:
        raise overflow("amplification below 1")
    weighted = ann * total // amp_precision
    for _ in range(STEPS_MAX):
        before = d
        product = _product(d, balances, form=form)
        top = (weighted + product * count) * d
        if top > U256_MAX or product * d > U256_MAX:
            raise overflow("invariant of the balances")
        d = top // ((ann - amp_precision) * d // amp_precision + (count + 1) * product)
        if -1 <= d - before <= 1:
            return d
    raise BadValueError(f"the invariant did not converge in {STEPS_MAX} steps")


def balance_after(
    balances: Sequence[int],
    *,
    token_in: int,
    token_out: int,
    balance_in: int,
    amp: int,
    amp_precision: int,
    d: int,
) -> int:
    """Return the balance of `token_out` once that of `token_in` is `balance_in` (`get_y`).

    Raises:
        BadValueError: the contract would revert.
    """
    others = [
        balance_in if index == token_in else balance
        for index, balance in enumerate(balances)
        if index != token_out
    ]
    return _solve(others, count=len(balances), amp=amp, amp_precision=amp_precision, d=d)


def balance_at(balances: Sequence[int], *, token: int, amp: int, amp_precision: int, d: int) -> int:
    """Return the balance of one token at another invariant (`get_y_D`).

    Raises:
        BadValueError: the contract would revert.
    """
    others = [balance for index, balance in enumerate(balances) if index != token]
    return _solve(others, count=len(balances), amp=amp, amp_precision=amp_precision, d=d)


def _product(d: int, balances: Sequence[int], *, form: ProductForm) -> int:
    count = len(balances)
    product = d
    power: int = count**count
    if form is ProductForm.PAIR:
        return d * d // balances[0] * d // balances[1] // power
    if form is ProductForm.ONCE:
        for balance in balances:
            if product * d > U256_MAX:
                raise overflow("invariant of the balances")
            product = product * d // balance
        return product // power
    if form is ProductForm.LOOP:
        for balance in balances:
            product = product * d // (balance * count)
    else:
        for balance in balances:
            product = product * d // (balance * count + 1)
    return product


def _solve(others: Sequence[int], *, count: int, amp: int, amp_precision: int, d: int) -> int:
    """Find the last balance from all others and D, rounding as the contract's Newton steps do."""
    if d == 0 or amp == 0 or 0 in others:
        raise BadValueError("a balance, the amplification or the invariant is 0: it divides by it")
    ann = amp * count
    c = d
    for balance in others:
        c = c * d // (balance * count)
    c *= d * amp_precision
    if c > U256_MAX:
        raise overflow("product of the balances")
    c //= ann * count
    b = sum(others) + d * amp_precision // ann
    y = d
    for _ in range(STEPS_MAX):
        before = y
        divisor = 2 * y + b - d
        top = y * y + c
        if divisor <= 0 or top > U256_MAX:
            raise overflow("balance after the swap")
        y = top // divisor
        if -1 <= y - before <= 1:
            return y
    raise BadValueError(f"the balance did not converge in {STEPS_MAX} steps")
