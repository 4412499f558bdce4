"""Kills an appending ledger over and over, and counts what was lost.

`python -m tests.storage.kill_campaign --kills 200 --seed 1` kills at random moments, also while the
ledger opens, recovers, migrates and backs up; one database lives through all kills.
`--syscalls 50` instead ends a fresh ledger at one of its writing system calls each time, with
`--fault kill` or with `--fault EIO` or `--fault ENOSPC` as the call's answer (needs strace).
Prints one JSON object; exits 1 if anything acknowledged was lost.
"""

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.storage.appending_child import FAILED
from tests.storage.killing import Ended, end, find, losses, start_child, wait_for_line

MANY = 1_000_000
FEW = 20
CALLS = {"fdatasync": 48, "pwrite64": 1_150, "ftruncate": 2, "unlink": 2}
"""Writing system calls of the database's thread, and about how many a child of `FEW` makes."""

OPENING_SHARE = 0.25
OPENING_S = 1.2
APPENDING_S = 0.4
EARLY_SHARE = 0.25
"""So many are killed near the first record, the others after it, however slow the machine is."""


@dataclass(slots=True)
class Summary:
    """What a campaign found; anything in `lost` or `problems` is a failure."""

    seed: int
    kills: int = 0
    killed_while_opening: int = 0
    survived: int = 0
    acknowledged: int = 0
    stored_unacknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not self.lost and not self.problems


def kill_at_random(data_dir: Path, *, kills: int, seed: int) -> Summary:
    """Kill one ledger at random moments; check after each kill, as recovery would find it."""
    chance = random.Random(seed)
    summary = Summary(seed=seed)
    acknowledged: list[int] = []
    first = 1
    for _ in range(kills):
        child = start_child(data_dir, first=first, count=MANY)
        seen = b""
        if chance.random() < OPENING_SHARE:
            time.sleep(chance.uniform(0, OPENING_S))
        else:
            seen = wait_for_line(child, b"ready" if chance.random() < EARLY_SHARE else b"ack ")
            time.sleep(chance.uniform(0, APPENDING_S))
        ended = end(child, seen=seen)
        acknowledged += ended.acknowledged
        summary.kills += 1
        summary.killed_while_opening += not ended.was_ready
        summary.stored_unacknowledged = 0
        first = _check(data_dir, acknowledged, summary) + 1
        if not summary.is_clean:
            break
    summary.acknowledged = len(acknowledged)
    return summary


def end_at_system_calls(data_dir: Path, *, points: int, seed: int, fault: str) -> Summary:
    """End a fresh ledger at one writing system call of its database thread each time."""
    chance = random.Random(seed)
    summary = Summary(seed=seed)
    answer = "signal=KILL" if fault == "kill" else f"error={fault}"
    for _ in range(points):
        shutil.rmtree(data_dir, ignore_errors=True)
        # Half of the points are at a sync, where what is durable is decided.
        call = "fdatasync" if chance.random() < 1 / 2 else chance.choice(list(CALLS))
        number = chance.randint(1, CALLS[call])
        wrap = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
        wrap += ["-e", f"inject={call}:{answer}:when={number}"]
        child = start_child(data_dir, first=1, count=FEW, wrap=wrap)
        ended = end(child, kill=False)
        summary.kills += 1
        summary.survived += ended.code == 0
        summary.killed_while_opening += not ended.was_ready
        summary.acknowledged += len(ended.acknowledged)
        _check_complaint(ended, fault, summary)
        _check(data_dir, ended.acknowledged, summary)
        if not summary.is_clean:
            summary.problems.append(f"at {call} {number}")
            break
    return summary


def _check_complaint(ended: Ended, fault: str, summary: Summary) -> None:
    """A ledger whose disk fails ends with its one sentence, or did not need that call."""
    if fault == "kill" or ended.code == 0:
        return
    if ended.code != FAILED or "Traceback" in ended.complaint:
        summary.problems.append(f"exit {ended.code}: {ended.complaint[-400:]}")


def _check(data_dir: Path, acknowledged: list[int], summary: Summary) -> int:
    """Check the database of a dead ledger; return the newest number in it."""
    database = data_dir / "ledger.sqlite3"
    if not database.exists():
        summary.lost += [f"everything of {number}" for number in acknowledged]
        return 0
    try:
        found = find(database)
    except sqlite3.Error as error:
        summary.problems.append(str(error))
        return 0
    summary.problems += found.problems
    summary.lost += losses(found, acknowledged)
    summary.stored_unacknowledged += len(found.executions - set(acknowledged))
    return max(found.updates, default=0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--syscalls", type=int, default=0, help="end at that many system calls")
    parser.add_argument("--fault", default="kill", help="kill, EIO or ENOSPC")
    chosen = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ledger-kills-") as directory:
        data_dir = Path(directory) / "var"
        if chosen.syscalls:
            summary = end_at_system_calls(
                data_dir, points=chosen.syscalls, seed=chosen.seed, fault=chosen.fault
            )
        else:
            summary = kill_at_random(data_dir, kills=chosen.kills, seed=chosen.seed)
    summary.seconds = round(time.monotonic() - started, 1)
    print(json.dumps(asdict(summary)))
    return 0 if summary.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
