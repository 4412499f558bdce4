"""A peer asked in its own interpreter: tasks go there as a file and come back answered."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.peers.worker import Answer, Task

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venv-bench"
DEADLINE_S = 120.0


def ask(environment: str, module: str, tasks: list[Task]) -> list[Answer] | None:
    """Return a peer's answers; `None` if its environment was not made on this machine.

    Raises:
        subprocess.CalledProcessError: the peer failed; its own words are on stderr.
        subprocess.TimeoutExpired: it took longer than `DEADLINE_S`.
    """
    folder = ENVIRONMENTS / environment
    if not (folder / ".ready").exists():
        return None
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        asked, answered = Path(directory) / "tasks.json", Path(directory) / "answers.json"
        asked.write_text(json.dumps(tasks))
        subprocess.run(
            [folder / "bin" / "python", "-m", f"benchmarks.peers.{module}", asked, answered],
            cwd=ROOT,
            check=True,
            timeout=DEADLINE_S,
            stdout=sys.stderr,
        )
        answers: list[Answer] = json.loads(answered.read_text())
    if len(answers) != len(tasks):
        raise RuntimeError(f"{module} answered {len(answers)} of {len(tasks)} tasks")
    return answers
