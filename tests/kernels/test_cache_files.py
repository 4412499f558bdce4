"""Processes that compile at once lose nothing of each other; loading loads what runs, no more."""

import subprocess
import sys
import threading
from pathlib import Path

from engine.kernels.cache_files import SharedCacheFiles
from engine.kernels.jit import inlined

STAMP = (1.0, 1)


def files(folder: Path) -> SharedCacheFiles:
    return SharedCacheFiles(str(folder), "helper-1.py311", STAMP)  # type: ignore[no-untyped-call]


class Interrupted(SharedCacheFiles):
    """Files whose index another process writes just after it was read here."""

    other: threading.Thread

    def _load_index(self) -> object:
        found = super()._load_index()  # type: ignore[no-untyped-call]
        self.other.start()
        self.other.join(0.3)  # it is done by now, unless it must wait for us
        return found


def test_two_that_save_one_function_for_different_types_keep_both(tmp_path: Path) -> None:
    first = Interrupted(str(tmp_path), "helper-1.py311", STAMP)  # type: ignore[no-untyped-call]
    first.other = threading.Thread(target=files(tmp_path).save, args=("int64", "for int64"))

    first.save("float64", "for float64")
    first.other.join()

    assert files(tmp_path).load("float64") == "for float64"
    assert files(tmp_path).load("int64") == "for int64"


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path) -> None:
    assert files(tmp_path / "none").load("int64") is None


def test_kernels_keep_their_files_so() -> None:
    function = inlined(abs_of)

    assert isinstance(function._cache._cache_file, SharedCacheFiles)  # type: ignore[attr-defined]


LOADED = """
import engine.kernels.concentrated as kernels
from numba import njit
from engine.kernels.cache_files import LoadedLibrary

name, kernel = next(
    (name, one) for name, one in vars(kernels).items()
    if getattr(one, "overloads", None) and one._cache_hits
)
[loaded] = kernel.overloads.values()
assert isinstance(loaded.library, LoadedLibrary)
assert loaded.library._shared_module is None, "read, though nothing asked for it"

types = next(iter(kernel.overloads))
arguments = ", ".join(f"a{number}" for number in range(len(types)))
caller = eval(f"lambda {arguments}: kernel({arguments})", {"kernel": kernel})
njit(types, error_model="numpy")(caller)
assert loaded.library._shared_module is not None
"""


def test_what_compiles_a_kernel_into_others_is_read_once_they_ask() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def abs_of(value: float) -> float:
    return abs(value)
