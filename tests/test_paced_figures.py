"""What the paced figures are made of, with a schedule of a second; how fast it was is no matter."""

import itertools
import shutil

import numpy as np
import pytest

from benchmarks import paced
from benchmarks.paced_sender import Pace

PACES = [Pace(interval_ns=300_000, frames=400), Pace(interval_ns=3_000_000, frames=100)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate"),
]


@pytest.mark.parametrize(
    ("which", "instants"),
    [
        pytest.param(
            *("engine", ("due", "sent", "bytes", "core", "decided")), marks=pytest.mark.campaign
        ),
        ("floor", ("due", "sent", "bytes")),
    ],
)
async def test_each_frame_of_a_schedule_is_followed_in_order_to_its_end(
    which: str, instants: tuple[str, ...]
) -> None:
    taken = await paced.run(which, PACES)

    for pace, of in zip(PACES, taken, strict=True):
        assert tuple(of) == instants
        assert all(one.shape == (pace.frames,) for one in of.values())
        assert np.all(np.diff(of["due"]) == pace.interval_ns)
        for earlier, later in itertools.pairwise(instants):
            assert np.all(of[earlier] <= of[later]), f"{later} before {earlier}"


def test_the_stages_of_a_frame_add_up_to_its_whole() -> None:
    instants = {
        name: np.full(10, at_ns)
        for name, at_ns in zip(
            ("due", "sent", "bytes", "core", "decided"),
            (0, 1_000, 3_000, 7_000, 15_000),
            strict=True,
        )
    }

    median = {row.name: row.median for row in paced.rows_of("p", instants)}

    assert median == {
        "p.schedule_to_socket": 1,
        "p.socket_to_process": 2,
        "p.process_to_core": 4,
        "p.core_to_decision": 8,
        "p.socket_to_decision": 14,
        "p.schedule_to_decision": 15,
    }
