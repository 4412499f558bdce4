"""A sample of `make simulate`; each run has its seed, so a failure here fails there too."""

import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulation.simulation import MEMORY, Outcome, make_empty_database, simulate

RUNS, RUNS_DEEP = 4, 20
TRADED = 3
"""A run in which much is traded."""


Play = Callable[[int], Outcome]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Play the run of a seed, each time anew."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        empty = Path(place) / "empty"
        empty.mkdir()
        empty_database = make_empty_database(empty)

        def of(seed: int) -> Outcome:
            with tempfile.TemporaryDirectory(dir=place) as directory:
                return simulate(seed, Path(directory), empty_database=empty_database)

        yield of


@pytest.fixture(scope="module")
def played(play: Play) -> Play:
    """What a run came to that some test played already, or that is played now."""
    return functools.cache(play)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=[] if seed <= RUNS else [pytest.mark.campaign])
        for seed in range(1, RUNS_DEEP + 1)
    ],
)
def test_no_invariant_fails_whatever_happens(seed: int, played: Play) -> None:
    assert not played(seed).failures


@pytest.mark.slow
def test_a_seed_gives_the_same_run_again(play: Play, played: Play) -> None:
    again = play(TRADED)

    assert again == played(TRADED)
    assert again.counts["executions"]
