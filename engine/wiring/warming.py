"""Compile all kernels, which takes a minute or two, and say meanwhile how far it is."""

import importlib
import pkgutil
import time
from collections.abc import Callable
from typing import Final

import engine.kernels

TOLD_S: Final = 5.0


def warm_up_aloud(say: Callable[[str], None]) -> int:
    """Compile every kernel, or load it from the cache; returns how many there are."""
    names = [module.name for module in pkgutil.iter_modules(engine.kernels.__path__)]
    started_s = told_s = time.monotonic()
    for count, name in enumerate(names):
        if time.monotonic() - told_s >= TOLD_S:
            told_s = time.monotonic()
            say(f"      {count} of {len(names)} parts after {told_s - started_s:.0f} s ...")
        importlib.import_module(f"engine.kernels.{name}")
    warm_up = importlib.import_module("engine.kernels.warm_up")
    return len(warm_up.warm_up_all())
