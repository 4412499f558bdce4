"""Compiled kernels and the same source run by the interpreter agree bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_S
from tests.reference.digest import digest

ROOT = Path(__file__).parents[2]


def test_kernels_give_the_same_bits_compiled_and_interpreted() -> None:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}

    interpreted = subprocess.run(
        [sys.executable, "-m", "tests.reference.digest"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )

    assert interpreted.stdout.strip() == digest()
