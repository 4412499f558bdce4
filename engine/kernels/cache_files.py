# ruff: noqa: SLF001 - numba has no public way to load less
"""Numba's files of compiled functions: safe where several processes compile at once, quick to load.

Numba looks for a free file name, then writes: two processes that save one helper for different
types could give both files one name, and a call would run what was compiled for other types.

A file holds machine code, and the same once more in LLVM's form, so that it can be compiled into
functions that call it. Numba reads both; the second takes most of the time and of the memory, and
an engine, which compiles nothing, never needs it. Here it is read when it is asked for.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llvmlite import binding
from numba.core import caching
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen


class SharedCacheFiles(caching.IndexDataCacheFile):
    """The index and the files of one function; one process at a time reads or writes."""

    def save(self, key: object, data: object) -> None:
        """Save what was compiled for a signature."""
        with _held(Path(self._cache_path)):
            super().save(key, data)

    def load(self, key: object) -> object:
        """Return what was compiled for a signature, or nothing."""
        try:
            with _held(Path(self._cache_path)):
                return super().load(key)
        except FileNotFoundError:
            return None  # the folder comes with the first that is saved


class LoadedLibrary(JITCodeLibrary):
    """The code of one compiled function; what compiles it into others is read when they ask."""

    _bitcode: bytes = b""

    def serialize_using_object_code(self) -> tuple[str, str, tuple[bytes, bytes, frozenset[str]]]:
        """Return what a file holds, with the names that the code defines."""
        name, kind, (code, bitcode) = super().serialize_using_object_code()
        module = self._get_module_for_linking()
        defined = [*module.functions, *module.global_variables]
        names = frozenset(one.name for one in defined if not one.is_declaration)
        return name, kind, (code, bitcode, names)

    @classmethod
    def _unserialize(
        cls, codegen: Any, state: tuple[str, str, tuple[bytes, bytes, frozenset[str]]]
    ) -> Any:
        name, _, (code, bitcode, names) = state
        library = codegen.create_library(name)
        library._bitcode = bitcode
        library.enable_object_caching()
        library._set_compiled_object(code)
        library._finalize_final_module()
        codegen._engine._defined_symbols |= names
        return library

    def _get_module_for_linking(self) -> Any:
        if self._bitcode:
            bitcode, self._bitcode = self._bitcode, b""
            self._shared_module = binding.parse_bitcode(bitcode)
        return super()._get_module_for_linking()


def share_cache() -> None:
    """Let numba keep and load its files so from here on."""
    caching.IndexDataCacheFile = SharedCacheFiles  # type: ignore[misc]
    JITCPUCodegen._library_class = LoadedLibrary


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
