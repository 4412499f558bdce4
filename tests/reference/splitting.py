"""Slow twin of splitting: shares by trying, without a thought of marginal rates."""

from collections.abc import Sequence

from tests.reference.sizing import Leg

_HALVINGS = 90


def greedy(legs: Sequence[Leg], amount: float, *, parts: int) -> float:
    """Hand out an input part by part, each to the leg that gives most for it."""
    step = amount / parts
    shares = [0.0] * len(legs)
    given = [0.0] * len(legs)
    for _ in range(parts):
        gains = [
            leg(share + step) - had for leg, share, had in zip(legs, shares, given, strict=True)
        ]
        index = gains.index(max(gains))
        shares[index] += step
        given[index] += gains[index]
    return sum(given)


def best_of_two(first: Leg, second: Leg, amount: float) -> float:
    """Return the most that two legs give together, by thirds."""
    low, high = 0.0, amount

    def out(share: float) -> float:
        return first(share) + second(amount - share)

    for _ in range(_HALVINGS * 2):
        third = (high - low) / 3.0
        if out(low + third) < out(high - third):
            low += third
        else:
            high -= third
    return max(out(low), out(high), out(0.0), out(amount))
