"""The compiler's memory is given back, and the compiler still works."""

import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent("""
    from pathlib import Path
    import psutil
    from engine.kernels import screen
    from engine.operate.compiler_pages import release_compiler

    def code_mb():
        maps = psutil.Process().memory_maps(grouped=False)
        return sum(m.rss for m in maps if "libllvmlite" in m.path and "x" in m.perms) / 1e6

    before = code_mb()
    release_compiler()
    after = code_mb()

    from numba import njit
    assert njit(lambda x: 2 * x + 1)(3) == 7
    print(before, after)
""")


@pytest.mark.slow
def test_llvms_code_is_forgotten_and_read_again_when_it_is_needed() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=200
    )
    assert run.returncode == 0, run.stderr
    before_mb, after_mb = map(float, run.stdout.split())
    assert before_mb > 10
    assert after_mb < 1
