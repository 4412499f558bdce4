"""Kills runs, the fork server and the role over and over; counts what was completed and kept.

`python -m tests.background.interrupt_campaign --kills 1000 --seed 1`. A role runs tasks one after
another, acknowledges each outcome in a file, as the ledger would, and settles it. Each run begins
with what the one before learned, so one that was lost would show in all later ones. Prints one JSON
object; exits 1 if an outcome differs from that of an undisturbed run, or is missing. Outcomes are
kept while it runs, so that one that differs is told by what is different in it. The program must
not be changed meanwhile: what is begun later would be another program, and is told as that.
"""

import argparse
import contextlib
import hashlib
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
from typing import Final

import msgspec
import psutil

from tests.background.interrupted import TASKS
from tests.background.interrupted_role import LEDGER, LIMIT, OUTCOMES, STOP, Line, read_lines
from tests.patience import PATIENCE_S

VICTIMS = {"run": 0.80, "server": 0.12, "role": 0.08}
PAUSE_MEAN_S = 0.1
PROGRESS = 50
ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = ("engine", "tests/agents", "tests/background")
SHOWN_MAX: Final = 300


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
    begun_s, program = time.monotonic(), program_digest()
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
    if program_digest() != program:
        figures.faults.append("the program was changed meanwhile: run it again")
    figures.seconds = round(time.monotonic() - begun_s, 1)
    return figures


def program_digest(root: Path = ROOT) -> str:
    """Return a digest of all code that the campaign's processes load."""
    digest = hashlib.sha256()
    for name in PROGRAM:
        for path in sorted((root / name).rglob("*.py")):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


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
    calm_lines = read_lines(calm / LEDGER)
    expected = {(one.task, one.number): one.digest for one in calm_lines}
    for one in lines:
        if expected.get((one.task, one.number)) == one.digest:
            figures.kept += 1
        else:
            other = next((of for of in calm_lines if of[:2] == one[:2]), None)
            said = difference(folder, one, calm, other)
            figures.faults.append(f"{one.task} run {one.number} ended otherwise: {said}")


def difference(folder: Path, one: Line, calm: Path, other: Line | None) -> str:
    """Say where two outcomes differ first."""
    if other is None:
        return "the undisturbed role has no such run"
    contents = [
        (where / OUTCOMES / line.digest).read_bytes()
        for where, line in ((folder, one), (calm, other))
    ]
    here, there = (_leaves(msgspec.msgpack.decode(content)) for content in contents)
    for name in sorted(here.keys() | there.keys()):
        if repr(here.get(name)) != repr(there.get(name)):
            said = f"{name} is {here.get(name)!r}, undisturbed {there.get(name)!r}"
            return said[:SHOWN_MAX]
    return "in its bytes only"


def _leaves(value: object, name: str = "") -> dict[str, object]:
    """Return all plain values within one, by where they are."""
    match value:
        case dict():
            inner = [(str(key), one) for key, one in value.items()]
        case list():
            inner = [(str(at), one) for at, one in enumerate(value)]
        case _:
            return {name: value}
    return {at: leaf for key, one in inner for at, leaf in _leaves(one, f"{name}.{key}").items()}


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
