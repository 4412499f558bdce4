"""Compile every kernel into the cache, or load it from there.

Kernels have explicit signatures, so importing their modules is all that it takes.
"""

import importlib
import pkgutil
import shutil

from numba.core.dispatcher import Dispatcher

import engine.kernels
from engine.kernels.jit import cache_directory


def warm_up_all() -> list[str]:
    """Import every kernel module; returns the names of the compiled kernels.

    Kernels compiled from earlier sources are removed.
    """
    current = cache_directory()
    for outdated in current.parent.glob("kernels-*"):
        if outdated != current:
            shutil.rmtree(outdated, ignore_errors=True)
    found = []
    for module in pkgutil.iter_modules(engine.kernels.__path__):
        imported = importlib.import_module(f"engine.kernels.{module.name}")
        for name, value in vars(imported).items():
            # An explicit signature closes a dispatcher for further ones: that is a kernel.
            if isinstance(value, Dispatcher) and not getattr(value, "_can_compile", True):
                found.append(f"{module.name}.{name}")
    return sorted(found)
