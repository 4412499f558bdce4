"""Kills runs, the fork server and the role over and over; counts what was completed and kept.

`python -m tests.background.interrupt_campaign --kills 1000 --seed 1`. A role runs tasks one after
another, acknowledges each outcome in a file, as the ledger would, and settles it. Each run begins
with what the one before learned, so one that was lost would show in all later ones. Prints one JSON
object; exits 1 if an outcome differs from that of an undisturbed run, or is missing.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from tests.background.interrupted import TASKS
from tests.background.interrupted_role import LEDGER, LIMIT, STOP, read_lines
from tests.patience import PATIENCE_S

VICTIMS = {"run": 0.80, "server": 0.12, "role": 0.08}
PAUSE_MEAN_S = 0.1
PROGRESS = 50


@dataclass(slots=True)
class Figures:
    """What a campaign found; anything in `faults` is a failure."""

    seed: int
    kills: int = 0
    killed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VICTIMS, 0))
    holds: int = 0
    begun: int = 0
    completed: int = 0
    acknowledged: int = 0
    kept: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def run(folder: Path, *, kills: int, seed: int, tasks: int) -> Figures:
    """Run a campaign in a folder."""
    chance = random.Random(seed)
    figures = Figures(seed=seed)
    begun_s = time.monotonic()
    role = _start(folder, tasks)
    try:
        while figures.kills < kills:
            time.sleep(chance.expovariate(1 / PAUSE_MEAN_S))
            if role.poll() is not None:
                if role.returncode >= 0:
                    figures.faults.append(f"the role ended with {role.returncode}")
                    break
                role = _start(folder, tasks)
            killed = _kill_one(role, chance, figures)
            figures.kills += killed
            if killed and figures.kills % PROGRESS == 0:
                print(f"{figures.kills} kills", file=sys.stderr)
        (folder / STOP).touch()
        if role.poll() is not None:
            role = _start(folder, tasks)
        if role.wait(PATIENCE_S) != 0:
            figures.faults.append(f"the role ended with {role.returncode}")
    finally:
        role.kill()
        role.wait()
    _compare(folder, tasks, figures)
    figures.seconds = round(time.monotonic() - begun_s, 1)
    return figures


def _start(folder: Path, tasks: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.background.interrupted_role", str(folder), str(tasks)]
    )


def _kill_one(role: "subprocess.Popen[bytes]", chance: random.Random, figures: Figures) -> int:
    """Kill one process, half of the times while all runs are held; return 1 if there was one."""
    (victim,) = chance.choices(list(VICTIMS), list(VICTIMS.values()))
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        servers = psutil.Process(role.pid).children()
        if not servers:
            return 0
        server = servers[0]
        runs = server.children()
        if not runs:
            return 0  # what only begins has nothing to lose
        is_held = chance.random() < 0.5 and os.getpgid(server.pid) == server.pid
        if is_held:
            os.killpg(server.pid, signal.SIGSTOP)
            time.sleep(chance.uniform(0.0, 0.005))
            figures.holds += 1
        try:
            process = {"role": lambda: psutil.Process(role.pid), "server": lambda: server}.get(
                victim, lambda: chance.choice(runs)
            )()
            os.kill(process.pid, signal.SIGKILL)
            figures.killed[victim] += 1
        finally:
            if is_held:
                os.killpg(server.pid, signal.SIGCONT)
        if victim == "role":
            role.wait()
        return 1
    return 0


def _compare(folder: Path, tasks: int, figures: Figures) -> None:
    """Compare what was acknowledged with what a role acknowledges that nobody disturbs."""
    lines = read_lines(folder / LEDGER)
    figures.acknowledged = len(lines)
    calm = folder / "undisturbed"
    calm.mkdir()
    for task in TASKS[:tasks]:
        of_task = [one for one in lines if one.task == task.name]
        figures.begun += len(list((folder / "begun").glob(f"{task.name}.*")))
        figures.completed += len(of_task)
        if len({one.run_id for one in of_task}) != len(of_task):
            figures.faults.append(f"{task.name}: a run was acknowledged twice")
        (calm / f"{task.name}.{LIMIT}").write_text(str(len(of_task)))
    if _start(calm, tasks).wait() != 0:
        figures.faults.append("the role that nobody disturbs failed")
    expected = {(one.task, one.number): one.digest for one in read_lines(calm / LEDGER)}
    for one in lines:
        if expected.get((one.task, one.number)) == one.digest:
            figures.kept += 1
        else:
            figures.faults.append(f"{one.task} run {one.number} ended otherwise")


def main() -> None:
    """Run it from the shell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(
            Path(folder), kills=arguments.kills, seed=arguments.seed, tasks=arguments.tasks
        )
    print(json.dumps(asdict(figures), indent=1))
    sys.exit(bool(figures.faults))


if __name__ == "__main__":
    main()
