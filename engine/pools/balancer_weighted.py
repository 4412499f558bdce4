"""Exact Balancer V2 weighted pools: exact input and output, as `WeightedMath` rounds."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.errors import BadValueError
from engine.pools.balancer_math import (
    ONE_E18,
    POWER_ERROR_E18,
    SHORTCUTS_E18,
    complement,
    div_down,
    div_up,
    mul_down,
    mul_up,
    pow_down,
    pow_up,
)
from engine.pools.reverts import (
    DECIMALS_MAX,
    DECIMALS_MIN,
    check_same_count,
    check_swap,
    check_tokens,
    check_whole,
)

TOKENS_MAX = 8
WEIGHT_E18_MIN = ONE_E18 // 100
TRADE_E18_MAX = 3 * ONE_E18 // 10
"""`MAX_IN_RATIO` and `MAX_OUT_RATIO`: no swap may move more of a balance."""
BALANCE_RAW_MAX = (1 << 112) - 1
"""The vault stores balances in as many bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedState:
    """A pool as vault and contract hold it; `make_weighted` checks one.

    `scales` are 10**(18 - decimals); `has_shortcuts` tells later pools, whose powers of 1, 2 and 4
    are products.
    """

    balances_raw: tuple[int, ...]
    scales: tuple[int, ...]
    weights_e18: tuple[int, ...]
    fee_e18: int
    has_shortcuts: bool


def make_weighted(
    *,
    pool: str,
    tokens: Sequence[str],
    balances_raw: Sequence[int],
    decimals: Sequence[int],
    weights_e18: Sequence[int],
    fee_e18: int,
    has_shortcuts: bool,
) -> WeightedState:
    """Check a pool's values and make its state.

    Raises:
        BadValueError: a value that no deployed pool can have; the text names it and the pool.
    """
    check_tokens(tokens, pool=pool, least=2, most=TOKENS_MAX)
    for what, values in (
        ("balances", balances_raw),
        ("decimals", decimals),
        ("weights", weights_e18),
    ):
        check_same_count(values, what=what, pool=pool, count=len(tokens))
    for token, balance_raw, places, weight_e18 in zip(
        tokens, balances_raw, decimals, weights_e18, strict=True
    ):
        what = f"balance of {token} in pool {pool}, in raw units,"
        check_whole(balance_raw, what=what, least=1, most=BALANCE_RAW_MAX)
        check_whole(places, what=f"decimals of {token}", least=DECIMALS_MIN, most=DECIMALS_MAX)
        what = f"weight of {token} in pool {pool} times 10**18"
        check_whole(weight_e18, what=what, least=WEIGHT_E18_MIN, most=ONE_E18)
    if sum(weights_e18) != ONE_E18:
        raise BadValueError(
            f"weights of pool {pool} add up to {sum(weights_e18)}, not to 10**18 (one)"
        )
    check_whole(fee_e18, what=f"fee of pool {pool} times 10**18", least=0, most=ONE_E18 - 1)
    return WeightedState(
        balances_raw=tuple(balances_raw),
        scales=tuple(10 ** (18 - places) for places in decimals),
        weights_e18=tuple(weights_e18),
        fee_e18=fee_e18,
        has_shortcuts=has_shortcuts,
    )


def amount_out(state: WeightedState, amount_in_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what a swap of exact input pays; 0 if that rounds to nothing.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    check_swap(amount_in_raw, token_in=token_in, token_out=token_out, count=len(state.balances_raw))
    net_raw = amount_in_raw - mul_up(amount_in_raw, state.fee_e18)
    out_e18 = out_given_in(
        balance_in=state.balances_raw[token_in] * state.scales[token_in],
        weight_in=state.weights_e18[token_in],
        balance_out=state.balances_raw[token_out] * state.scales[token_out],
        weight_out=state.weights_e18[token_out],
        amount_in_e18=net_raw * state.scales[token_in],
        has_shortcuts=state.has_shortcuts,
    )
    return out_e18 // state.scales[token_out]


def amount_in(state: WeightedState, amount_out_raw: int, *, token_in: int, token_out: int) -> int:
    """Return what a swap of exact output takes.

    Raises:
        BadValueError: arguments that no contract takes, or on which it would revert.
    """
    check_swap(
        amount_out_raw, token_in=token_in, token_out=token_out, count=len(state.balances_raw)
    )
    in_e18 = in_given_out(
        balance_in=state.balances_raw[token_in] * state.scales[token_in],
        weight_in=state.weights_e18[token_in],
        balance_out=state.balances_raw[token_out] * state.scales[token_out],
        weight_out=state.weights_e18[token_out],
        amount_out_e18=amount_out_raw * state.scales[token_out],
        has_shortcuts=state.has_shortcuts,
    )
    return div_up(-(-in_e18 // state.scales[token_in]), ONE_E18 - state.fee_e18)


def out_given_in(
    *,
    balance_in: int,
    weight_in: int,
    balance_out: int,
    weight_out: int,
    amount_in_e18: int,
    has_shortcuts: bool,
) -> int:
    """Return balance_out * (1 - (balance_in / (balance_in + amount)) ** (weights' ratio)).

    Raises:
        BadValueError: more than 30 % of the balance, or a word too wide.
    """
    if amount_in_e18 > mul_down(balance_in, TRADE_E18_MAX):
        raise BadValueError(f"input {amount_in_e18} is above 30 % of the balance {balance_in}")
    base = div_up(balance_in, balance_in + amount_in_e18)
    kept = pow_up(base, div_down(weight_in, weight_out), has_shortcuts=has_shortcuts)
    return mul_down(balance_out, complement(kept))


def in_given_out(
    *,
    balance_in: int,
    weight_in: int,
    balance_out: int,
    weight_out: int,
    amount_out_e18: int,
    has_shortcuts: bool,
) -> int:
    """Return balance_in * ((balance_out / (balance_out - amount)) ** (weights' ratio) - 1).

    Raises:
        BadValueError: more than 30 % of the balance, or a word too wide.
    """
    if amount_out_e18 > mul_down(balance_out, TRADE_E18_MAX):
        raise BadValueError(f"output {amount_out_e18} is above 30 % of the balance {balance_out}")
    base = div_up(balance_out, balance_out - amount_out_e18)
    grown = pow_up(base, div_up(weight_out, weight_in), has_shortcuts=has_shortcuts)
    return mul_up(balance_in, grown - ONE_E18)


def invariant_e18(
    weights_e18: Sequence[int], balances_e18: Sequence[int], *, has_shortcuts: bool
) -> int:
    """Return the product of balances to their weights, which no swap may lower.

    Raises:
        BadValueError: it rounds to 0, or a word is too wide.
    """
    product = ONE_E18
    for weight_e18, balance_e18 in zip(weights_e18, balances_e18, strict=True):
        raised = pow_down(balance_e18, weight_e18, has_shortcuts=has_shortcuts)
        product = mul_down(product, raised)
    if product == 0:
        raise BadValueError("the pool's invariant rounds to 0")
    return product


def as_row(state: WeightedState, *, token_in: int, token_out: int) -> tuple[float, ...]:
    """Give the numbers that the float kernel reads for one direction, in its columns' order."""
    exponent_e18 = div_down(state.weights_e18[token_in], state.weights_e18[token_out])
    is_short = state.has_shortcuts and exponent_e18 in SHORTCUTS_E18
    return (
        float(state.balances_raw[token_in]),
        float(state.balances_raw[token_out]),
        exponent_e18 / ONE_E18,
        state.fee_e18 / ONE_E18,
        0.0 if is_short else POWER_ERROR_E18 / ONE_E18,
    )
