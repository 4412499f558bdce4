"""Pickles of state: only what a core holds can be written, and nothing else can be read.

A recording may be a stranger's. What is read makes objects of the classes named here, which keep
what they are given, and calls nothing else: no function, no class of another library, no import.
"""

import pickle
import sys
from array import _array_reconstructor, array  # type: ignore[attr-defined]
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from decimal import Decimal
from enum import Enum
from typing import IO, Any, Final

import msgspec
import numpy as np
from msgspec._utils import rebuild  # type: ignore[attr-defined]

_ROOMS: Final = (
    "engine.bus.",
    "engine.connectors.",
    "engine.core.",
    "engine.decide.",
    "engine.detect.",
    "engine.domain.",
    "engine.execute.",
    "engine.market.",
    "engine.operate.journal.recent",
    "engine.pools.",
    "engine.portfolio.",
    "engine.ports",
    "engine.quote.",
)
"""Where the classes are whose objects are state."""

_OTHERS: Final[dict[tuple[str, str], Any]] = {
    (one.__module__, one.__qualname__): one
    for one in (
        Counter, Decimal, OrderedDict, bytearray, defaultdict, deque, dict, frozenset, list,
        msgspec.Raw, rebuild, set, tuple, array, _array_reconstructor,
    )
}  # fmt: skip
_OTHERS["msgspec._core", "UNSET"] = msgspec.UNSET
"""What is read besides; msgspec makes its structs with `rebuild`."""


def restore_array(kind: str, shape: tuple[int, ...], data: bytes) -> Any:
    """Make an array, which may be changed."""
    return np.frombuffer(data, np.dtype(kind)).reshape(shape).copy()


def restore_number(kind: str, data: bytes) -> Any:
    """Make a number of numpy's."""
    return np.frombuffer(data, np.dtype(kind))[0]


class StatePickler(pickle.Pickler):
    """Writes state; parts of the frame are written as their numbers."""

    def __init__(self, file: IO[bytes], numbers: Mapping[int, int]) -> None:
        super().__init__(file, protocol=5)
        self._numbers = numbers

    def reducer_override(self, value: Any) -> Any:
        """Return how an object is written; see `pickle.Pickler.reducer_override`."""
        number = self._numbers.get(id(value))
        if number is not None:
            return part_of_frame, (number,)
        if isinstance(value, np.ndarray):
            return restore_array, (value.dtype.str, value.shape, value.tobytes())
        if isinstance(value, np.generic):
            return restore_number, (value.dtype.str, value.tobytes())
        return NotImplemented


class StateUnpickler(pickle.Unpickler):
    """Reads state into a frame of parts."""

    def __init__(self, file: IO[bytes], parts: Sequence[object]) -> None:
        super().__init__(file)
        self._parts = parts

    def find_class(self, module_name: str, name: str) -> Any:
        """Return what a name stands for; see `pickle.Unpickler.find_class`.

        Raises:
            UnpicklingError: it is nothing that state is made of.
        """
        if module_name == __name__:
            own = {
                "part_of_frame": self._parts.__getitem__,
                "restore_array": restore_array,
                "restore_number": restore_number,
            }
            if name in own:
                return own[name]
        other = _OTHERS.get((module_name, name))
        if other is not None:
            return other
        found = getattr(sys.modules.get(module_name), name, None)
        if module_name.startswith(_ROOMS) and isinstance(found, type) and _is_state(found):
            return found
        raise pickle.UnpicklingError(f"{module_name}.{name} is no part of a state")


def _is_state(found: type) -> bool:
    return (
        is_dataclass(found)
        or issubclass(found, (Enum, msgspec.Struct))
        or bool(getattr(found, "IS_STATE", False))
    )


class PartOfFrame:
    """Stands for a part of the frame when it is written."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> Any:
        """Be read as the part itself."""
        return part_of_frame, (self._number,)


def part_of_frame(number: int) -> object:
    """Stand for the lookup of a part; whoever reads a state has one of its own."""
    raise AssertionError(number)
