"""Compiles tests with their assertions once for all workers, where each would do so with all files.

Pytest keeps what it compiled; in a fresh checkout nothing is kept yet, and workers that begin
together go through the same files in the same order, each as late as the others.
"""

from pathlib import Path

import pytest
from _pytest.assertion import rewrite


def rewrite_share(config: pytest.Config, *, number: int, count: int) -> None:
    """Compile one worker's share of all tests that are not compiled yet.

    Args:
        config: of the worker.
        number: of the worker, from 0.
        count: of all workers.
    """
    state = config.stash[rewrite.assertstate_key]
    for path in sorted((config.rootpath / "tests").rglob("test_*.py"))[number::count]:
        kept = _kept_at(path)
        if rewrite._read_pyc(path, kept) is None and rewrite.try_makedirs(kept.parent):
            stat, code = rewrite._rewrite_test(path, config)
            rewrite._write_pyc(state, code, stat, kept)


def _kept_at(path: Path) -> Path:
    return rewrite.get_cache_dir(path) / (path.stem + rewrite.PYC_TAIL)
