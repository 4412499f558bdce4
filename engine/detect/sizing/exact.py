"""The optimum in whole numbers: what floats found, confirmed as the contracts round.

Rounding makes the gain a staircase, whose steps have the size of the coarsest amount on the way (a
unit of a token with 6 decimals is 10**12 of one with 18). So at each stage of the route the amount
and its neighbours are carried back to the least input that reaches them, and forward to the output.

An optimum that is the end of a book or of a pool's liquidity lies beyond it by the rounding of
floats: what the leg still takes is carried back first. And what lies below a book's least order is
tried at that order.

A stair further off may be higher, by no more than was rounded away at the optimum: a unit of what
each leg gives (a lot of a book; of a pool of ranges a unit for every one that is crossed), each
worth what it would bring at the end of the route.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from engine.domain.errors import BadValueError
from engine.pools import (
    balancer_stable,
    balancer_weighted,
    concentrated,
    constant_product,
    curve,
    solidly,
    whirlpool,
)
from engine.pools.search import most_amount_in
from engine.pools.snapshot_rows import PoolState

REACH = 2
"""Units to either side that are tried at each stage."""

ENDS_MAX = 16
"""Ends of legs that an input is cut to, one after the other."""


class ExactLeg(Protocol):
    """One direction of a pool or book in raw units; raises BadValueError for what it refuses."""

    @property
    def amount_out(self) -> Callable[[int], int]:
        """What the leg gives for an input, floored."""
        ...

    @property
    def amount_in(self) -> Callable[[int], int]:
        """What the leg asks for an output, rounded up."""
        ...

    @property
    def amount_taken(self) -> Callable[[int], int]:
        """The most of an input that the leg takes, whether or not that is too little for it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLeg:
    """One direction of a pool.

    Attributes:
        reached: how much of an input is spent about where the pool ends, if its form can say that.
    """

    amount_out: Callable[[int], int]
    amount_in: Callable[[int], int]
    reached: Callable[[int], int] | None = None

    def amount_taken(self, amount_in_raw: int) -> int:
        """Return the most of an input that the pool takes."""
        most_raw = amount_in_raw
        if self.reached is not None:
            with suppress(BadValueError):
                most_raw = self.reached(amount_in_raw)
        return most_amount_in(self.amount_out, most_raw)


def leg_of(state: PoolState, *, token_in: int, token_out: int) -> PoolLeg:
    """Return a direction of a pool in the exact form of its kind.

    Raises:
        BadValueError: the two tokens are one.
    """
    if token_in == token_out:
        raise BadValueError(f"a leg from token {token_in} of a pool to itself")
    if isinstance(state, constant_product.ConstantProductState):
        return PoolLeg(
            amount_out=partial(constant_product.amount_out, state, token_in=token_in),
            amount_in=partial(constant_product.amount_in, state, token_in=token_in),
        )
    if isinstance(state, concentrated.ConcentratedState):
        return PoolLeg(
            amount_out=partial(concentrated.amount_out, state, token_in=token_in),
            amount_in=partial(concentrated.amount_in, state, token_in=token_in),
            reached=partial(concentrated.amount_reached, state, token_in=token_in),
        )
    return _curved_leg(state, token_in, token_out)


def _curved_leg(
    state: solidly.SolidlyState
    | curve.CurveState
    | balancer_stable.StableState
    | balancer_weighted.WeightedState
    | whirlpool.WhirlpoolState,
    token_in: int,
    token_out: int,
) -> PoolLeg:
    match state:
        case solidly.SolidlyState():
            quote, charge = partial(solidly.amount_out, state), partial(solidly.amount_in, state)
        case curve.CurveState():
            quote, charge = partial(curve.amount_out, state), partial(curve.amount_in, state)
        case balancer_stable.StableState():
            quote = partial(balancer_stable.amount_out, state)
            charge = partial(balancer_stable.amount_in, state)
        case balancer_weighted.WeightedState():
            quote = partial(balancer_weighted.amount_out, state)
            charge = partial(balancer_weighted.amount_in, state)
        case whirlpool.WhirlpoolState():
            quote = partial(whirlpool.amount_out, state)
            charge = partial(whirlpool.amount_in, state)
    return PoolLeg(
        amount_out=partial(quote, token_in=token_in, token_out=token_out),
        amount_in=partial(charge, token_in=token_in, token_out=token_out),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactRoute:
    """Amounts at every stage of the route, the input first, and the gain before costs."""

    amounts_raw: tuple[int, ...]

    @property
    def input_raw(self) -> int:
        """What is paid."""
        return self.amounts_raw[0]

    @property
    def output_raw(self) -> int:
        """What is got."""
        return self.amounts_raw[-1]

    @property
    def gain_raw(self) -> int:
        """What is got less what is paid: gas and flash fee are still to be taken off."""
        return self.output_raw - self.input_raw


def confirm_exact(
    legs: Sequence[ExactLeg],
    input_raw: int,
    *,
    reach: int = REACH,
    input_raw_max: int | None = None,
    flash_fee_pips: int = 0,
) -> ExactRoute | None:
    """Return the best whole input near the given one; `None` if nothing is gained there.

    Args:
        legs: the route.
        input_raw: the optimum in floats, floored.
        reach: units to either side that are tried at each stage.
        input_raw_max: inventory or trade limit.
        flash_fee_pips: paid on the input in millionths, rounded up; counts in the gain compared.

    Raises:
        BadValueError: no legs, or numbers that are negative.
    """
    if not legs or reach < 0 or flash_fee_pips < 0:
        raise BadValueError(f"{len(legs)} legs, reach {reach}, flash_fee_pips {flash_fee_pips}")
    best: ExactRoute | None = None
    best_gain = 0
    start = input_raw if input_raw_max is None else min(input_raw, input_raw_max)
    start = _within(legs, start)
    for tried in _neighbours(legs, start, reach):
        if tried < 1 or (input_raw_max is not None and tried > input_raw_max):
            continue
        amounts = _carried(legs, tried)
        if len(amounts) <= len(legs):
            continue
        gain = amounts[-1] - tried - -(-tried * flash_fee_pips // 1_000_000)
        if gain > best_gain:
            best, best_gain = ExactRoute(amounts_raw=tuple(amounts)), gain
    return best


def _within(legs: Sequence[ExactLeg], input_raw: int) -> int:
    """Return the most of an input that all legs take, the less what a later one does not.

    An amount that is too little for a leg is left as it is.
    """
    for _ in range(ENDS_MAX):
        amounts = _carried(legs, input_raw)
        refusing = len(amounts) - 1
        if refusing == len(legs):
            break
        taken = legs[refusing].amount_taken(amounts[refusing])
        if not 0 < taken < amounts[refusing]:
            break
        input_raw = min(_giving_at_most(legs[:refusing], taken, amounts), input_raw - 1)
    return input_raw


def _giving_at_most(legs: Sequence[ExactLeg], amount_raw: int, amounts: Sequence[int]) -> int:
    """Return the greatest input for which legs give no more than an amount.

    Args:
        legs: the legs.
        amount_raw: what they may give.
        amounts: what each of them is known to take.
    """
    for leg, is_taken in zip(reversed(legs), reversed(amounts[: len(legs)]), strict=True):
        try:
            amount_raw = leg.amount_in(amount_raw + 1) - 1
        except BadValueError:  # the leg never gives more
            amount_raw = is_taken
    return amount_raw


def _neighbours(legs: Sequence[ExactLeg], input_raw: int, reach: int) -> Iterator[int]:
    """Yield the inputs near one, and the least inputs for the amounts near its later stages."""
    reached = _carried(legs, input_raw)
    seen: set[int] = set()
    for stage, amount in enumerate(reached):
        for beside in range(amount - reach, amount + reach + 1):
            tried = _asked(legs[:stage], beside)
            if tried is not None and tried not in seen:
                seen.add(tried)
                yield tried
    if len(reached) <= len(legs):
        least = _asked(legs[: len(reached)], 1)
        if least is not None and least not in seen:
            yield least


def _carried(legs: Sequence[ExactLeg], input_raw: int) -> list[int]:
    """Return the input and what each leg gives, as far as they take it."""
    amounts = [input_raw]
    for leg in legs:
        try:
            amounts.append(leg.amount_out(amounts[-1]))
        except BadValueError:
            break
    return amounts


def _asked(legs: Sequence[ExactLeg], amount_raw: int) -> int | None:
    for leg in reversed(legs):
        try:
            amount_raw = leg.amount_in(amount_raw)
        except BadValueError:
            return None
    return amount_raw
