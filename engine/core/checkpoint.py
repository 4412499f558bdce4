"""The whole state of a core as bytes, and back into another core that was built of the same header.

A core is a fixed *frame* of parts (board, feeds, detector, executor ...), made by `build_core` and
the same whenever it is made of the same header. A checkpoint says how each part of the frame is not
as it was when made: so nothing that is built (arrays of kernels, callbacks, compiled functions) is
in it, and no part has to list what its state is. What a part needs to say is only what of its large
arrays is in use (`UsesArrays`), and what is no state (`NOT_STATE`).

What an attribute holds that can be called is wiring, and left as it is.
"""

import pickle
import struct
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from io import BytesIO
from typing import Any, Final, Protocol, runtime_checkable
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from engine.core.attributes import attributes_of
from engine.core.state_pickle import PartOfFrame, StatePickler, StateUnpickler
from engine.domain.errors import BadValueError

Array = npt.NDArray[Any]

ARRAY_BYTES_MAX: Final = 1 << 16
"""Larger arrays are not stored whole: their part must say what of them is in use."""

FORMAT: Final = 5
"""Of the values that parts keep. To be raised where a kind of them has other fields: what parts
there are says the rest."""

_LENGTH: Final = struct.Struct("<Q")
_PLAIN: Final = (type(None), int, float, str, bytes, msgspec.Raw, Decimal, Enum, np.generic)
_BUFFERS: Final = (np.ndarray, array, bytearray)
_ABSENT: Final = object()


@runtime_checkable
class UsesArrays(Protocol):
    """A part that has large arrays."""

    def used_arrays(self) -> Sequence[Array]:
        """Return what of its large arrays holds anything, as parts of them.

        The rest is as it was made. How much it is must follow from the part's other state.
        """
        ...


class CoreFrame:
    """The frame of one core, to be taken before its first input.

    Attributes:
        paths: where each part is, by its number.
    """

    def __init__(self, root: object) -> None:
        """Number all parts of a core that was just built.

        Raises:
            TypeError: a part is of a kind whose state nobody could store.
        """
        self.paths: list[str] = []
        self._parts: list[Any] = []
        self._first: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._with_arrays: list[int] = []
        waiting: deque[tuple[str, Any]] = deque([("core", root)])
        while waiting:
            path, part = waiting.popleft()
            if id(part) in self._numbers or _is_leaf(part):
                continue
            self._numbers[id(part)] = len(self._parts)
            self._parts.append(part)
            self.paths.append(path)
            self._first.append(_snapshot(part, path))
            if hasattr(type(part), "used_arrays"):  # `UsesArrays`, told apart in a 40th of the time
                self._with_arrays.append(len(self._parts) - 1)
            waiting.extend(_children(part, path))
        declared = {one for number in self._with_arrays for one in _large_of(self._parts[number])}
        for path, part in zip(self.paths, self._parts, strict=True):
            if _is_large(part) and id(part) not in declared:
                raise TypeError(f"nobody says what of {path} is in use: `used_arrays`")
        kinds = "\n".join(
            f"{path} {type(part).__qualname__}"
            for path, part in zip(self.paths, self._parts, strict=True)
        )
        self._fingerprint = crc32(f"{FORMAT}\n{kinds}".encode())

    def save(self) -> list[bytes]:
        """Return the state of the core now, in pieces of one payload.

        Raises:
            BadValueError: something in it cannot be stored; no input does that.
        """
        states = [
            (number, state)
            for number, (part, first) in enumerate(zip(self._parts, self._first, strict=True))
            if (state := self._changed(part, first)) is not None
        ]
        used = [
            [piece.tobytes() for piece in self._parts[number].used_arrays()]
            for number in self._with_arrays
        ]
        lengths = [[len(piece) for piece in pieces] for pieces in used]
        file = BytesIO()
        try:
            StatePickler(file, self._numbers).dump((self._fingerprint, states, lengths))
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            raise BadValueError(f"no checkpoint can be made: {error}") from error
        head = file.getvalue()
        return [_LENGTH.pack(len(head)), head, *(piece for pieces in used for piece in pieces)]

    def load(self, payload: bytes, *, left_out: frozenset[int] = frozenset()) -> None:
        """Bring a core that was just built into a state that was saved.

        Args:
            payload: what `save` returned, joined.
            left_out: numbers of parts that keep their state: for tests alone.

        Raises:
            BadValueError: it is damaged, or of another version of this program.
        """
        try:
            self._load(payload, left_out)
        except BadValueError:
            raise
        except Exception as error:  # a file from anywhere; whatever breaks, it is the file
            raise BadValueError(
                f"the checkpoint is damaged: {type(error).__name__} {str(error)[:200]}"
            ) from error

    def _load(self, payload: bytes, left_out: frozenset[int]) -> None:
        (length,) = _LENGTH.unpack_from(payload)
        head = BytesIO(payload[_LENGTH.size : _LENGTH.size + length])
        fingerprint, states, lengths = StateUnpickler(head, self._parts).load()
        if fingerprint != self._fingerprint:
            raise BadValueError("the checkpoint is of another version of this program")
        for number, state in states:
            if number not in left_out:
                _restore(self._parts[number], state)
        at = _LENGTH.size + length
        for number, sizes in zip(self._with_arrays, lengths, strict=True):
            if number in left_out:
                at += sum(sizes)
                continue
            for piece, size in zip(self._parts[number].used_arrays(), sizes, strict=True):
                _fill(piece, payload[at : at + size])
                at += size

    def changed_parts(self) -> list[int]:
        """Return the numbers of the parts that a checkpoint of now would tell of."""
        changed = [
            number
            for number, (part, first) in enumerate(zip(self._parts, self._first, strict=True))
            if self._changed(part, first) is not None
        ]
        return sorted({*changed, *self._with_arrays})

    def part(self, number: int) -> object:
        """Return a part by its number."""
        return self._parts[number]

    def _changed(self, part: Any, first: Any) -> Any:
        """Return how a part differs from when it was made, None if it does not."""
        if isinstance(part, (dict, list, deque)):
            values = list(part.values() if isinstance(part, dict) else part)
            keys = list(part) if isinstance(part, dict) else None
            if (keys, list(map(id, values))) == (first[0], list(map(id, first[1]))):
                return None
            named = [self._name(value) for value in values]
            return named if keys is None else list(zip(keys, named, strict=True))
        if isinstance(part, set):
            return None if part == first else list(part)
        if isinstance(part, _BUFFERS):
            return None if _is_large(part) else _bytes_of(part)
        state = {
            name: self._name(value)
            for name, value in (() if isinstance(part, tuple) else attributes_of(part))
            if first.get(name, _ABSENT) is not value and not callable(value)
        }
        return state or None

    def _name(self, value: Any) -> Any:
        """Return what stands for a part of the frame; anything else stands for itself."""
        number = self._numbers.get(id(value))
        return value if number is None else PartOfFrame(number)


def _is_leaf(value: Any) -> bool:
    """Tell what has no state of its own: values, what never changes, and what is called."""
    if isinstance(value, (*_PLAIN, type, frozenset, msgspec.Struct)):
        return True
    parameters = getattr(value, "__dataclass_params__", None)
    return bool(parameters.frozen) if parameters is not None else callable(value)


def _children(part: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        yield from ((f"{path}[{key}]", value) for key, value in part.items())
    elif isinstance(part, (list, tuple, deque)):
        yield from ((f"{path}[{place}]", value) for place, value in enumerate(part))
    elif not isinstance(part, (set, *_BUFFERS)):
        yield from ((f"{path}.{name}", value) for name, value in attributes_of(part))


def _snapshot(part: Any, path: str) -> Any:
    """Return what a part is compared with later; None for what is not compared."""
    if isinstance(part, (dict, list, deque)):
        return (list(part), list(part.values())) if isinstance(part, dict) else (None, list(part))
    if isinstance(part, set):
        return set(part)
    if isinstance(part, (tuple, *_BUFFERS)):
        return None
    if not type(part).__module__.startswith(("engine.", "tests.")):
        raise TypeError(f"{path} is a {type(part)}: nobody knows what its state is")
    return dict(attributes_of(part))


def _is_large(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.nbytes > ARRAY_BYTES_MAX


def _large_of(part: Any) -> set[int]:
    """Return what large arrays a part with `used_arrays` tells of: those that it holds itself."""
    held = [value for _, value in attributes_of(part)]
    flat = [one for value in held for one in (value if isinstance(value, tuple) else (value,))]
    return {id(one) for one in flat if isinstance(one, np.ndarray)}


def _bytes_of(part: Any) -> bytes:
    return bytes(part) if isinstance(part, bytearray) else part.tobytes()


def _fill(piece: Array, data: bytes) -> None:
    piece[...] = np.frombuffer(data, piece.dtype).reshape(piece.shape)


def _restore(part: Any, state: Any) -> None:
    if isinstance(part, np.ndarray):
        _fill(part, state)
    elif isinstance(part, array):
        del part[:]
        part.frombytes(state)
    elif isinstance(part, (bytearray, list)):
        part[:] = state
    elif isinstance(part, dict):
        dict.clear(part)
        dict.update(part, state)
    elif isinstance(part, (set, deque)):
        part.clear()
        (part.update if isinstance(part, set) else part.extend)(state)
    else:
        for name, value in state.items():
            setattr(part, name, value)
