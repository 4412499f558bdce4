"""A sample of `make simulate`; each run has its seed, so a failure here fails there too."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.simulation import MEMORY, make_empty_database, simulate

RUNS, RUNS_DEEP = 4, 20


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        yield Path(place)


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_empty_database(tmp_path_factory.mktemp("empty"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=[] if seed <= RUNS else [pytest.mark.campaign])
        for seed in range(1, RUNS_DEEP + 1)
    ],
)
def test_no_invariant_fails_whatever_happens(
    seed: int, directory: Path, empty_database: Path
) -> None:
    outcome = simulate(seed, directory, empty_database=empty_database)

    assert not outcome.failures


def test_a_seed_gives_the_same_run_again(directory: Path, empty_database: Path) -> None:
    outcomes = []
    for name in ("one", "another"):
        (directory / name).mkdir()
        outcomes.append(simulate(3, directory / name, empty_database=empty_database))

    assert outcomes[0] == outcomes[1]
    assert outcomes[0].counts["executions"]
