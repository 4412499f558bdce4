"""Runs an appending process, ends it the hard way, and checks what it left behind."""

import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_S

REPOSITORY = Path(__file__).resolve().parents[2]
FILLS_PER_EXECUTION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended.

    Attributes:
        acknowledged: numbers it printed as durable.
        was_ready: it had opened the ledger.
        code: exit code, negative for a signal.
        complaint: what it wrote to standard error.
    """

    acknowledged: list[int]
    was_ready: bool
    code: int
    complaint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is in a database after a crash: ids of each kind, and what is wrong with it."""

    executions: set[int]
    states: set[int]
    notices: set[int]
    updates: set[int]
    problems: list[str]


def start_child(
    data_dir: Path, *, first: int, count: int, options: Sequence[str] = (), wrap: Sequence[str] = ()
) -> "subprocess.Popen[bytes]":
    command = [
        *wrap,
        *(sys.executable, "-m", "tests.storage.appending_child"),
        *(str(data_dir), str(first), str(count), *options),
    ]
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )


def wait_for_line(child: "subprocess.Popen[bytes]", text: bytes) -> bytes:
    """Read until a line appears; return all that was read."""
    assert child.stdout is not None
    seen = b""
    deadline = time.monotonic() + PATIENCE_S
    while text not in seen:
        left_s = deadline - time.monotonic()
        readable, _, _ = select.select([child.stdout], [], [], max(left_s, 0))
        chunk = os.read(child.stdout.fileno(), 4096) if readable else b""
        if not chunk:
            raise AssertionError(f"the child ended or hung before {text!r}: {seen!r}")
        seen += chunk
    return seen


def end(child: "subprocess.Popen[bytes]", *, seen: bytes = b"", kill: bool = True) -> Ended:
    """Kill the child if asked, collect it and what it said."""
    if kill:
        child.send_signal(signal.SIGKILL)
    said, complaint = child.communicate(timeout=PATIENCE_S)
    lines = (seen + said).split(b"\n")[:-1]
    return Ended(
        acknowledged=[int(line.split()[1]) for line in lines if line.startswith(b"ack ")],
        was_ready=b"ready" in lines,
        code=child.returncode,
        complaint=complaint.decode(errors="replace"),
    )


def find(database_path: Path) -> Found:
    """Look at a database after a crash: its ids, its soundness, and no half execution.

    Looks at a copy, so that the recovery of the database itself is left to the ledger.
    """
    with tempfile.TemporaryDirectory(prefix="ledger-look-") as directory:
        for suffix in ("", "-wal"):
            file = database_path.with_name(database_path.name + suffix)
            if file.exists():
                shutil.copy(file, directory)
        return _look(Path(directory) / database_path.name)


def losses(found: Found, acknowledged: Sequence[int]) -> list[str]:
    """Name every acknowledged record that is not there."""
    kinds = {
        "execution": found.executions,
        "state": found.states,
        "notice": found.notices,
        "update": found.updates,
    }
    return [
        f"{kind} {number}"
        for number in acknowledged
        for kind, present in kinds.items()
        if number not in present
    ]


def _look(database_path: Path) -> Found:
    with closing(sqlite3.connect(database_path)) as database:
        problems = [row[0] for row in database.execute("PRAGMA quick_check")]
        if problems == ["ok"]:
            problems = []
        problems += [
            f"broken reference {row}" for row in database.execute("PRAGMA foreign_key_check")
        ]
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        if "inbox" not in names:
            # Killed before the schema was there: then there is nothing to find.
            return Found(
                executions=set(), states=set(), notices=set(), updates=set(), problems=problems
            )
        halves = database.execute(
            "SELECT execution_id, (SELECT count(*) FROM orders JOIN fills USING (client_order_id)"
            " WHERE orders.execution_id = executions.execution_id) AS parts"
            " FROM executions WHERE parts <> ?",
            (FILLS_PER_EXECUTION,),
        )
        problems += [f"half an execution: {row}" for row in halves]
        return Found(
            executions=_numbers(database, "SELECT execution_id FROM executions"),
            states=_numbers(database, "SELECT record_id FROM operator_state"),
            notices=_numbers(database, "SELECT record_id FROM notices"),
            updates={row[0] for row in database.execute("SELECT update_id FROM inbox")},
            problems=problems,
        )


def _numbers(database: sqlite3.Connection, query: str) -> set[int]:
    return {int(row[0].rpartition("-")[2]) for row in database.execute(query)}
