"""Compile all kernels, in two processes, and say meanwhile how far it is."""

import importlib
import pkgutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

import engine.kernels

TOLD_S: Final = 5.0

LAST: Final = ("cycles", "sweep", "screen")
"""The longest chain: a second process compiles it while this one does all others."""


def warm_up_aloud(say: Callable[[str], None]) -> int:
    """Compile every kernel, or load it from the cache; returns how many there are."""
    names = [module.name for module in pkgutil.iter_modules(engine.kernels.__path__)]
    started_s = told_s = time.monotonic()
    chain = [sys.executable, "-c", f"import engine.kernels.{LAST[-1]}"]
    # Its complaints are ours too: what it could not compile is compiled here after all.
    with subprocess.Popen(chain, stderr=subprocess.DEVNULL) as second:  # noqa: S603 - ourselves
        for count, name in enumerate([*(one for one in names if one not in LAST), *LAST]):
            if name == LAST[-1]:
                second.wait()
            if time.monotonic() - told_s >= TOLD_S:
                told_s = time.monotonic()
                say(f"      {count} of {len(names)} parts after {told_s - started_s:.0f} s ...")
            importlib.import_module(f"engine.kernels.{name}")
    warm_up = importlib.import_module("engine.kernels.warm_up")
    return len(warm_up.warm_up_all())
