"""Compile every kernel into the cache, or load it from there.

Kernels have explicit signatures, so importing their modules is all that it takes.
"""

import importlib
import pkgutil

from numba.core.dispatcher import Dispatcher

import engine.kernels


def warm_up_all() -> list[str]:
    """Import every kernel module; returns the names of the compiled kernels."""
    found = []
    for module in pkgutil.iter_modules(engine.kernels.__path__):
        imported = importlib.import_module(f"engine.kernels.{module.name}")
        for name, value in vars(imported).items():
            if (
                isinstance(value, Dispatcher)
                and value.signatures
                and value.__module__ == imported.__name__
            ):
                found.append(f"{module.name}.{name}")
    return sorted(found)
