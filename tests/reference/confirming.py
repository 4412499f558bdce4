"""Slow twin of confirming: every input of a window, one after the other."""

from collections.abc import Callable, Sequence

from engine.domain.errors import BadValueError

Swap = Callable[[int], int]


def gain_of(swaps: Sequence[Swap], input_raw: int) -> int | None:
    amount = input_raw
    for swap in swaps:
        try:
            amount = swap(amount)
        except BadValueError:
            return None
    return amount - input_raw


def best_in(swaps: Sequence[Swap], low_raw: int, high_raw: int) -> tuple[int, int]:
    """Return (input, gain) of the least best input in a window, both ends included."""
    best = (0, -(2**256))
    for tried in range(max(low_raw, 1), high_raw + 1):
        gain = gain_of(swaps, tried)
        if gain is not None and gain > best[1]:
            best = (tried, gain)
    return best
