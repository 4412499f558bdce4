"""All that a core holds, said in values: two cores are in the same state if this is the same."""

import types
from array import array
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zlib import crc32

import msgspec
import numpy as np

from engine.market.board import Board

SCRATCH = {
    ("Board", "_scratch"),
    ("RecentOpportunities", "newest"),
    ("RecentOpportunities", "watched"),
    ("CycleScan", "found"),
}
"""What nothing reads that an earlier input left there, or reports alone."""

SCRATCH_PATH = "/screens/_fixed/5/0"
"""What a scan found, as the screens hand it to its kernels."""

LARGE = 1 << 27


def state_of(root: object) -> dict[str, object]:
    """Return what everything holds that is reachable, by where it was reached first.

    What is reached again is told by that place: two that share a list are not as two with a list
    each.
    """
    told: dict[str, object] = {}
    seen: dict[int, str] = {}
    keep: list[object] = []
    waiting: deque[tuple[str, Any]] = deque([("core", root)])
    while waiting:
        path, value = waiting.popleft()
        if path.endswith(SCRATCH_PATH):
            continue
        if isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)):
            continue
        if id(value) in seen and not _is_value(value):
            told[path] = f"is {seen[id(value)]}"
            continue
        seen[id(value)] = path
        keep.append(value)
        told[path] = _value(value)
        waiting.extend((f"{path}/{name}", one) for name, one in _parts(value))
    return told


def differences(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Return where two states differ."""
    return [path for path in {**one, **other} if one.get(path) != other.get(path)]


def _is_value(value: Any) -> bool:
    """Tell what never changes: two of it are as good as one."""
    values = (str, int, float, bytes, tuple, frozenset, type(None), type, Decimal, msgspec.Struct)
    parameters = getattr(value, "__dataclass_params__", None)
    return isinstance(value, values) or (parameters is not None and parameters.frozen)


def _value(value: Any) -> object:
    if isinstance(value, np.ndarray):
        is_large = value.nbytes > LARGE  # the levels of the board, read by `_parts`
        return str(value.dtype), value.shape, 0 if is_large else crc32(_bytes_of(value))
    if isinstance(value, (array, bytearray)):
        return bytes(value)
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, (dict, list, tuple, deque)):
        return type(value).__name__, len(value)
    kind = type(value)
    if isinstance(value, msgspec.Struct) or "__dataclass_params__" in kind.__dict__:
        return kind.__qualname__
    is_plain = isinstance(value, (str, int, float, bytes, Decimal, type(None), np.generic))
    return kind.__qualname__, repr(value) if is_plain else ""


def _bytes_of(value: np.ndarray[Any, Any]) -> bytes | memoryview:
    """Return an array's bytes, of a large one without a copy."""
    is_plain = value.flags.c_contiguous and value.size
    return value.reshape(-1).view(np.uint8).data if is_plain else value.tobytes()


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Board):
        for book in range(len(value.instruments)):
            for side in (0, 1):
                count = int(value.state[book, 3 + side])
                yield f"levels {book} {side}", value.top_levels(book, count)[side]
    if isinstance(value, dict):
        for place, (key, one) in enumerate(value.items()):
            yield f"key {place}", key
            yield f"{key}", one
    elif isinstance(value, (list, tuple, deque)):
        yield from ((str(place), one) for place, one in enumerate(value))
    elif type(value).__module__.startswith(("engine", "tests")):
        kind = type(value).__name__
        for name, one in _attributes(value):
            if (kind, name) not in SCRATCH and not callable(one):
                yield name, one


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, msgspec.Struct):
        yield from ((name, getattr(value, name)) for name in value.__struct_fields__)
        return
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                yield name, getattr(value, name)
    yield from getattr(value, "__dict__", {}).items()
