"""The API of a whole installation, fuzzed from its own description: `python -m tests.api.fuzz`.

schemathesis makes requests that fit the description and such that do not, and looks whether each
answer is what the description says. It has a virtual environment of its own (make api-fuzz).
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from engine.domain.people import Rank
from tests.api.served import served

HOOKS: Final = Path(__file__).with_name("fuzz_hooks.py")
KEYS: Final = 250
"""Each may ask 100 times a minute."""

ENDLESS: Final = "stream"


async def fuzz(program: str, *, examples: int, seed: int) -> int:
    """Return the exit code of schemathesis, 0 for no finding."""
    with tempfile.TemporaryDirectory(prefix="syndicate-fuzz-") as folder:
        async with served(Path(folder), rank=Rank.ADMIN, keys=KEYS) as at:
            child = await asyncio.create_subprocess_exec(
                *(program, "run", f"{at.base}/openapi.json"),
                *("--checks", "all", "--seed", str(seed), "--max-examples", str(examples)),
                *("--exclude-operation-id", ENDLESS, "--request-timeout", "30"),
                *("--continue-on-failure", "--generation-database", "none", "--workers", "2"),
                cwd=folder,
                env={
                    **{name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ},
                    "SCHEMATHESIS_HOOKS": str(HOOKS),
                    "SYNDICATE_FUZZ_KEYS": ",".join(at.keys),
                },
            )
            code = await child.wait()
            pids = at.supervisor.pids()
            print(f"roles that run still: {', '.join(sorted(pids))}")
            return code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=".venv-api/bin/schemathesis")
    parser.add_argument("--examples", type=int, default=25, help="for each operation")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    program = str(Path(asked.program).resolve())
    sys.exit(asyncio.run(fuzz(program, examples=asked.examples, seed=asked.seed)))


if __name__ == "__main__":
    main()
