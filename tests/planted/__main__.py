"""Plant each bug of the list and run its tests: ``python -m tests.planted``."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.planted.bug import Bug
from tests.planted.bug_list import BUGS

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 400
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def main() -> int:
    """Plant the bugs; the exit code is 1 if one is not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--only", default="", help="bugs whose words or path have this in them")
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    bugs = [bug for bug in BUGS if asked.only in f"{bug.what} {bug.path}"]
    missed = 0
    _say("| planted | kind | room | caught by |\n|---|---|---|---|")
    for bug, caught_by in _tried(bugs, asked.workers):
        missed += not caught_by
        _say(f"| {bug.what} | {bug.kind} | {bug.room} | {caught_by or '**nothing**'} |")
    _say(f"{len(bugs)} bugs, {missed} not caught")
    return 1 if missed else 0


def _tried(bugs: list[Bug], workers: int) -> Iterator[tuple[Bug, str]]:
    with ThreadPoolExecutor(workers) as threads:
        yield from zip(bugs, threads.map(plant, bugs), strict=True)


def plant(bug: Bug) -> str:
    """Run the tests with the bug, and return the one that failed, or nothing."""
    file = ROOT / bug.path
    if file.read_text().count(bug.old) != 1:
        raise SystemExit(f"{bug.path} has not once: {bug.old}")
    planted = {"file": str(file), "old": bug.old, "new": bug.new}
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parent / "site"),
        "SYNDICATE_TESTS_PLANTED": json.dumps(planted),
    }
    if bug.is_interpreted:
        environment["NUMBA_DISABLE_JIT"] = "1"
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-rfE", "--tb=no"]
    started_s = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *bug.tests],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end within {time.monotonic() - started_s:.0f} s"
    if done.returncode not in (0, 1):
        raise SystemExit(f"{bug.what}: {done.stdout}{done.stderr}")
    found = FAILED.search(done.stdout)
    return f"`{_short(found[1])}`" if found else ""


def _short(name: str) -> str:
    path, _, test = name.partition("::")
    return f"{Path(path).stem}::{test}" if test else path


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
