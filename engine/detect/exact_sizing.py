"""The optimum in whole numbers: what floats found, confirmed as the contracts round.

Rounding makes the gain a staircase, whose steps have the size of the coarsest amount on the way (a
unit of a token with 6 decimals is 10**12 of one with 18). So at each stage of the route the amount
and its neighbours are carried back to the least input that reaches them, and forward to the output.
"""

from collections.abc import Callable, Iterator, Sequence
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
from engine.pools.snapshot_rows import PoolState

REACH = 2
"""Units to either side that are tried at each stage."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLeg:
    """One direction of a pool."""

    amount_out: Callable[[int], int]
    amount_in: Callable[[int], int]


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
    for tried in _neighbours(legs, start, reach):
        if tried < 1 or (input_raw_max is not None and tried > input_raw_max):
            continue
        amounts = _carried(legs, tried)
        if amounts is None:
            continue
        gain = amounts[-1] - tried - -(-tried * flash_fee_pips // 1_000_000)
        if gain > best_gain:
            best, best_gain = ExactRoute(amounts_raw=tuple(amounts)), gain
    return best


def _neighbours(legs: Sequence[ExactLeg], input_raw: int, reach: int) -> Iterator[int]:
    """Yield the inputs near one, and the least inputs for the amounts near its later stages."""
    reached = _carried(legs, input_raw, is_partial_kept=True) or []
    seen: set[int] = set()
    for stage, amount in enumerate(reached):
        for beside in range(amount - reach, amount + reach + 1):
            tried = _asked(legs[:stage], beside)
            if tried is not None and tried not in seen:
                seen.add(tried)
                yield tried


def _carried(
    legs: Sequence[ExactLeg], input_raw: int, *, is_partial_kept: bool = False
) -> list[int] | None:
    amounts = [input_raw]
    for leg in legs:
        try:
            amounts.append(leg.amount_out(amounts[-1]))
        except BadValueError:
            return amounts if is_partial_kept else None
    return amounts


def _asked(legs: Sequence[ExactLeg], amount_raw: int) -> int | None:
    for leg in reversed(legs):
        try:
            amount_raw = leg.amount_in(amount_raw)
        except BadValueError:
            return None
    return amount_raw
