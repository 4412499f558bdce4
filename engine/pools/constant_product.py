"""Constant product pools: Uniswap V2 and its forks, in whole numbers as pair and library round.

A fee is a ratio of the input. Forks write it as 3/1000, 25/10000 or 3000/1000000: only the ratio
counts, because numerator and denominator scale alike in every formula here. A fork that first takes
the fee and rounds, as Solidly does, is not of this form.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

from engine.domain.errors import BadValueError
from engine.pools.integers import UINT112_MAX, check_token, check_whole

FEE_DENOMINATOR_MAX = 10**9
"""Beyond any fork's; keeps every product of the contracts within 256 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantProductState:
    """Reserves of a pair and the fee for each input token: numerator over one denominator."""

    reserve0_raw: int
    reserve1_raw: int
    fee0_numerator: int
    fee1_numerator: int
    fee_denominator: int

    @classmethod
    def of(
        cls,
        *,
        reserve0_raw: int,
        reserve1_raw: int,
        fee0: Fraction,
        fee1: Fraction | None = None,
    ) -> "ConstantProductState":
        """Make a state from fees as fractions of the input; `fee1` is as `fee0` if left out.

        Raises:
            BadValueError: a reserve or a fee that no pair can have.
        """
        fee1 = fee0 if fee1 is None else fee1
        denominator = lcm(fee0.denominator, fee1.denominator)
        return cls(
            reserve0_raw=reserve0_raw,
            reserve1_raw=reserve1_raw,
            fee0_numerator=fee0.numerator * (denominator // fee0.denominator),
            fee1_numerator=fee1.numerator * (denominator // fee1.denominator),
            fee_denominator=denominator,
        )

    def __post_init__(self) -> None:
        # Each block moves hundreds of pairs: only what is wrong is looked at one by one.
        first, second, top = self.reserve0_raw, self.reserve1_raw, self.fee_denominator
        fee0, fee1 = self.fee0_numerator, self.fee1_numerator
        if not (
            type(first) is type(second) is type(top) is type(fee0) is type(fee1) is int
            and 1 <= first <= UINT112_MAX
            and 1 <= second <= UINT112_MAX
            and 0 <= fee0 < top <= FEE_DENOMINATOR_MAX
            and 0 <= fee1 < top
        ):
            self._refuse()

    def _refuse(self) -> None:
        check_whole(self.reserve0_raw, what="reserve0_raw", low=1, high=UINT112_MAX)
        check_whole(self.reserve1_raw, what="reserve1_raw", low=1, high=UINT112_MAX)
        top = check_whole(
            self.fee_denominator, what="fee_denominator", low=1, high=FEE_DENOMINATOR_MAX
        )
        check_whole(self.fee0_numerator, what="fee0_numerator", low=0, high=top - 1)
        check_whole(self.fee1_numerator, what="fee1_numerator", low=0, high=top - 1)


def amount_out(state: ConstantProductState, amount_in_raw: int, *, token_in: int) -> int:
    """Return what the pair gives for an input, floored; 0 if the input is too small for one unit.

    Raises:
        BadValueError: an input of nothing, or one that overflows the pair's 112-bit reserve.
    """
    reserve_in, reserve_out, keep_numerator = _sides(state, token_in)
    check_whole(amount_in_raw, what="amount_in_raw", low=1, high=UINT112_MAX - reserve_in)
    kept = amount_in_raw * keep_numerator
    return kept * reserve_out // (reserve_in * state.fee_denominator + kept)


def amount_in(state: ConstantProductState, amount_out_raw: int, *, token_in: int) -> int:
    """Return what the library asks for an output: floored and one unit more, even if exact.

    Raises:
        BadValueError: an output of nothing or of the whole reserve, or an input that overflows the
            pair's 112-bit reserve.
    """
    reserve_in, reserve_out, keep_numerator = _sides(state, token_in)
    check_whole(amount_out_raw, what="amount_out_raw", low=1, high=reserve_out - 1)
    numerator = reserve_in * amount_out_raw * state.fee_denominator
    found = numerator // ((reserve_out - amount_out_raw) * keep_numerator) + 1
    return check_whole(found, what="amount_in_raw", low=1, high=UINT112_MAX - reserve_in)


def after_swap(
    state: ConstantProductState, *, amount_in_raw: int, amount_out_raw: int, token_in: int
) -> ConstantProductState:
    """Return the state after a swap that the pair accepts.

    Raises:
        BadValueError: the pair would refuse it, since the product of its reserves after the fee
            would fall.
    """
    reserve_in, reserve_out, keep_numerator = _sides(state, token_in)
    check_whole(amount_in_raw, what="amount_in_raw", low=1, high=UINT112_MAX - reserve_in)
    check_whole(amount_out_raw, what="amount_out_raw", low=1, high=reserve_out - 1)
    scale = state.fee_denominator
    adjusted_in = reserve_in * scale + amount_in_raw * keep_numerator
    if adjusted_in * (reserve_out - amount_out_raw) < reserve_in * reserve_out * scale:
        raise BadValueError(
            f"a pair with reserves {reserve_in} and {reserve_out} gives no {amount_out_raw} "
            f"for {amount_in_raw}: the product would fall"
        )
    new_in, new_out = reserve_in + amount_in_raw, reserve_out - amount_out_raw
    if token_in == 0:
        return replace(state, reserve0_raw=new_in, reserve1_raw=new_out)
    return replace(state, reserve0_raw=new_out, reserve1_raw=new_in)


def _sides(state: ConstantProductState, token_in: int) -> tuple[int, int, int]:
    """Return the reserves of input and output, and what is left of the denominator by the fee."""
    if check_token(token_in) == 0:
        keep = state.fee_denominator - state.fee0_numerator
        return state.reserve0_raw, state.reserve1_raw, keep
    keep = state.fee_denominator - state.fee1_numerator
    return state.reserve1_raw, state.reserve0_raw, keep
