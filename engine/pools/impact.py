"""What a swap did to the price of its pool, exactly: from two states of it, or from its amounts.

A price here is token 1 per token 0 in raw units; in a pool of more tokens, the later of two in its
order per the earlier one.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from engine.domain.errors import BadValueError
from engine.domain.units import BPS_PER_UNIT
from engine.pools import constant_product
from engine.pools.concentrated import (
    ConcentratedState,
    state_after,
    swap_exact_in,
    swap_exact_out,
)
from engine.pools.constant_product import ConstantProductState
from engine.pools.integers import INT256_MAX, UINT112_MAX, check_whole
from engine.pools.marginal_price import marginal_price, token_count
from engine.pools.snapshot_rows import PoolState
from engine.pools.tick_math import Q96, check_sqrt_price


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceImpact:
    """Price of the first of two tokens in the second, raw units, before and after a swap."""

    price_before: Fraction
    price_after: Fraction
    tokens: tuple[int, int] = (0, 1)

    @property
    def change_ratio(self) -> Fraction:
        """Change of the price relative to the one before: negative if token 0 was sold."""
        return self.price_after / self.price_before - 1

    @property
    def change_bps_floor(self) -> int:
        """Size of the change in whole basis points, rounded down."""
        return int(abs(self.change_ratio) * BPS_PER_UNIT)

    def reaches(self, ratio_min: Fraction) -> bool:
        """Tell whether the price changed by so much of what it was, either way; exactly as much is.

        For a trigger at 0.5 %: ``reaches(Fraction(5, 1_000))``.
        """
        return abs(self.change_ratio) >= ratio_min


def impact_of_states(before: PoolState, after: PoolState) -> PriceImpact:
    """Return the impact from a pool's exact states; of several tokens, of the two it is largest on.

    Raises:
        BadValueError: they are no two states of one pool, or one that its contract cannot trade
            from.
    """
    count = token_count(before)
    if type(before) is not type(after) or token_count(after) != count:
        raise BadValueError(
            f"a {type(before).__name__} of {count} tokens and a {type(after).__name__} of"
            f" {token_count(after)} are no two states of one pool"
        )
    impacts = [
        PriceImpact(
            price_before=marginal_price(before, token_in=first, token_out=second),
            price_after=marginal_price(after, token_in=first, token_out=second),
            tokens=(first, second),
        )
        for first, second in combinations(range(count), 2)
    ]
    return max(impacts, key=lambda impact: abs(impact.change_ratio))


def impact_of_sqrt_prices(*, before_x96: int, after_x96: int) -> PriceImpact:
    """Return the impact from the root of the price before a swap event and the one it carries.

    Raises:
        BadValueError: a root that no pool can have.
    """
    check_sqrt_price(before_x96, what="before_x96")
    check_sqrt_price(after_x96, what="after_x96")
    return PriceImpact(
        price_before=Fraction(before_x96, Q96) ** 2, price_after=Fraction(after_x96, Q96) ** 2
    )


def impact_of_reserves(
    before: ConstantProductState, *, reserve0_after_raw: int, reserve1_after_raw: int
) -> PriceImpact:
    """Return the impact from the reserves before a swap and those of the event that follows it.

    Raises:
        BadValueError: reserves that no pair can have.
    """
    for reserve_raw in (reserve0_after_raw, reserve1_after_raw):
        check_whole(reserve_raw, what="reserve after", low=1, high=UINT112_MAX)
    return PriceImpact(
        price_before=Fraction(before.reserve1_raw, before.reserve0_raw),
        price_after=Fraction(reserve1_after_raw, reserve0_after_raw),
    )


def impact_of_pair_amounts(
    before: ConstantProductState, *, amount_in_raw: int, amount_out_raw: int, token_in: int
) -> PriceImpact:
    """Return the impact of a pair's swap from its amounts.

    Raises:
        BadValueError: a swap that the pair would refuse.
    """
    after = constant_product.after_swap(
        before, amount_in_raw=amount_in_raw, amount_out_raw=amount_out_raw, token_in=token_in
    )
    return impact_of_reserves(
        before, reserve0_after_raw=after.reserve0_raw, reserve1_after_raw=after.reserve1_raw
    )


def concentrated_after_amounts(
    before: ConcentratedState, *, amount0_raw: int, amount1_raw: int
) -> ConcentratedState:
    """Return the pool after a swap of these signed amounts: what came in is positive.

    Raises:
        BadValueError: the pool as it was would not have swapped these amounts, with an exact input
            or an exact output and no price limit.
    """
    for amount_raw in (amount0_raw, amount1_raw):
        check_whole(amount_raw, what="amount of a swap", low=-INT256_MAX, high=INT256_MAX)
    token_in = 0 if amount0_raw > 0 else 1
    paid_raw, got_raw = max(amount0_raw, amount1_raw), -min(amount0_raw, amount1_raw)
    if paid_raw > 0 and got_raw >= 0:
        swap = swap_exact_in(before, paid_raw, token_in=token_in)
        if (swap.amount_in_raw, swap.amount_out_raw) == (paid_raw, got_raw):
            return state_after(before, swap)
        if got_raw > 0:
            swap = swap_exact_out(before, got_raw, token_in=token_in)
            if (swap.amount_in_raw, swap.amount_out_raw) == (paid_raw, got_raw):
                return state_after(before, swap)
    raise BadValueError(
        f"amounts {amount0_raw} and {amount1_raw} do not belong to a pool at sqrt_price_x96"
        f" {before.sqrt_price_x96}"
    )


def impact_of_concentrated_amounts(
    before: ConcentratedState, *, amount0_raw: int, amount1_raw: int
) -> PriceImpact:
    """Return the impact of a concentrated pool's swap from its signed amounts.

    Raises:
        BadValueError: as `concentrated_after_amounts`.
    """
    after = concentrated_after_amounts(before, amount0_raw=amount0_raw, amount1_raw=amount1_raw)
    return impact_of_sqrt_prices(before_x96=before.sqrt_price_x96, after_x96=after.sqrt_price_x96)
