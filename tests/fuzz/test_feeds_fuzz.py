"""A few thousand mutated frames per feed; the long run is ``python -m tests.fuzz.feeds``."""

import pytest

from tests.connectors.dialects import DIALECTS
from tests.fuzz.feeds import fuzz


# What is polled goes through the same code as what is streamed.
@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "ccxt-poll"])
def test_no_mutated_frame_crashes_a_feed_or_leaves_a_broken_live_book(name: str) -> None:
    summary = fuzz(name, frames=2_000, seed=7)

    assert summary.live_checks > 500
    assert summary.renewals > 10
    assert summary.faults["bad_json"] > 100
