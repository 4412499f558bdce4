"""Trials by chain and shape, as agents learn from them."""

from collections.abc import Iterator

from engine.background.wants import TrialsGiven
from engine.domain.trials import Trial


def trials_in(given: TrialsGiven) -> Iterator[Trial]:
    """Return trials in a settled order."""
    yield from sorted(given.trials, key=lambda one: (one.chain, one.shape, one.block, one.lender))


def key_of(trial: Trial) -> str:
    """Return what is learned about: a chain and a shape."""
    return f"{trial.chain} {trial.shape}"
