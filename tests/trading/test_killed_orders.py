"""Trader and signer are killed by SIGKILL at their system calls, and again while they recover.

What the next life finds on disk is enough: each order is placed once or not at all, and in the end
the books are the accounts to the last unit. `make crash-points KIND=orders` tries thousands, and
`KIND=books` with engine and ledger.
"""

import sys
from pathlib import Path

import pytest

from tests.sending.crashes.kills import KillTally
from tests.trading.killed.kills import kill_while_booking, kill_while_placing
from tests.trading.killed.venues import open_venues

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="ptrace as it is on Linux"),
]

TRIALS = 2


def test_killed_at_any_system_call_each_order_is_placed_once_and_booked_as_it_is(
    tmp_path: Path,
) -> None:
    tally = KillTally()
    with open_venues(tmp_path) as control:
        for seed in range(TRIALS):
            kill_while_placing(control, tmp_path, seed, tally)

    assert tally.kills.total() > TRIALS
    assert tally.depths[1] > 0


@pytest.mark.campaign
def test_killed_with_engine_and_ledger_the_ledger_is_the_accounts_to_the_last_unit(
    tmp_path: Path,
) -> None:
    tally = KillTally()
    with open_venues(tmp_path) as control:
        for seed in range(5 * TRIALS):
            kill_while_booking(control, tmp_path, seed, tally)

    assert tally.kills.total() > TRIALS
