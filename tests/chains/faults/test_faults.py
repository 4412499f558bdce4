"""A sample of the campaign: the whole role on a real node, and each kind of trouble once."""

import pytest

from tests.chains.faults.campaign import KILLED, run
from tests.chains.faults.fault_list import OF_ALL, OF_ONE

pytestmark = pytest.mark.slow

SAMPLE = ("wrong events", "blocks of a day later", "malformed JSON", "sockets cut")


async def test_nothing_wrong_is_believed_all_that_is_lost_is_counted_and_all_comes_back() -> None:
    trials = [one for one in (*OF_ONE, *OF_ALL) if one.name in SAMPLE]

    tally = await run([*trials, KILLED], seed=3)

    assert tally.wrong == []
    assert sum(tally.rounds.values()) == len(SAMPLE) + 1
    assert all(tally.spoilt[name] > 0 for name in SAMPLE if name != "sockets cut")
    assert tally.compared > 100
    assert tally.counted["disagreed"]
    assert tally.counted["lies"]
    assert tally.caught
