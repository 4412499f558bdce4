"""Going through what is given a step at a time, so that a run can be held between any two."""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Final, TypeVar

from engine.background.ports import Bounds
from engine.domain.block_facts import BlockFact

S = TypeVar("S")
T = TypeVar("T")

EVERY: Final = 16
UNDONE_MAX: Final = 64

OF_GIVEN: Final = Bounds(memory_mb=40)
"""What a run takes at most: what it is given is 2 MB of text, and eight times that once read.

One of these has room beside the run that plays recordings, so that none waits for that one.
"""


def through(
    state: S, things: Iterable[T], step: Callable[[S, T], S], *, every: int = EVERY
) -> Generator[S, None, S]:
    """Take a step with each thing, give the state after every so many, and return the last one.

    The state has to say by itself which things it has seen: a run that goes on is given all again.
    A step with one of these returns the very same state. It does not count: a run that is held at
    each state that it gives has to come further all the same.
    """
    taken = 0
    for thing in things:
        after = step(state, thing)
        if after is state:
            continue
        state, taken = after, taken + 1
        if taken % every == 0:
            yield state
    return state


def begins_anew(blocks: Sequence[BlockFact], upto: int) -> bool:
    """Say whether a chain is another than before: its newest block is one from long ago.

    A local chain that starts again is; a branch that takes the place of some blocks is none.
    """
    return bool(blocks) and blocks[-1].number < upto - UNDONE_MAX


def told(figure: float, digits: int = 3) -> float:
    """Return a figure with as many digits as mean anything: what stays the same is told once."""
    return float(f"{figure:.{digits}g}")
