"""The sender is killed by SIGKILL at its system calls, and again while it recovers: what the next
one finds on disk is enough for each plan to end once.

`make crash-points KIND=kill` tries thousands.
"""

import sys
from pathlib import Path

import pytest

from tests.sending.crashes.kills import KillTally, try_kills
from tests.sending.crashes.served import served
from tests.sending.crashes.tracing import run_and_kill

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="ptrace as it is on Linux"),
]

TRIALS = 5


def test_killed_at_any_system_call_each_plan_ends_once_and_is_known(tmp_path: Path) -> None:
    tally = KillTally()
    with served(tmp_path) as control:
        for seed in range(TRIALS):
            try_kills(control, tmp_path, seed, tally)

    assert tally.kills.total() >= TRIALS
    assert tally.depths[1] > 0


def test_a_kill_at_the_beginning_of_a_call_leaves_it_undone_one_at_its_end_done(
    tmp_path: Path,
) -> None:
    def body() -> None:
        (tmp_path / "made").mkdir()

    undone = run_and_kill(body, 1, only_changing=True)
    was_made = (tmp_path / "made").exists()
    done = run_and_kill(body, 2, only_changing=True)

    assert (undone.call, undone.is_done, was_made) == ("mkdir", False, False)
    assert (done.call, done.is_done, (tmp_path / "made").exists()) == ("mkdir", True, True)


def test_a_body_that_fails_of_itself_is_no_kill() -> None:
    def body() -> None:
        raise SystemExit(3)

    with pytest.raises(ChildProcessError):
        run_and_kill(body, 0)
