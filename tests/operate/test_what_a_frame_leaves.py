"""No Python object that is made while a frame is taken is still there when it has been."""

import pytest

from benchmarks.outliving import gained, left_behind
from benchmarks.real_frames import LOADS, Load

FRAMES = 60


@pytest.mark.parametrize("load", LOADS)
def test_no_object_outlives_a_frame(load: Load) -> None:
    assert not left_behind(load(), FRAMES)


@pytest.mark.parametrize("load", LOADS[2:])
def test_nothing_piles_up_while_connections_come_and_go(load: Load) -> None:
    assert gained(load()) < 0.01
