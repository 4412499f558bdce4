"""No Python object that is made while a frame is taken is still there when it has been."""

import pytest

from benchmarks.outliving import gained, left_behind
from benchmarks.real_frames import Recorded, all_recorded

RECORDED = all_recorded()
FRAMES = 60


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded.venue)
def test_no_object_outlives_a_frame(recorded: Recorded) -> None:
    assert not left_behind(recorded, FRAMES)


@pytest.mark.parametrize("recorded", RECORDED[2:], ids=lambda recorded: recorded.venue)
def test_nothing_piles_up_while_connections_come_and_go(recorded: Recorded) -> None:
    assert gained(recorded) < 0.01
