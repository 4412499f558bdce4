"""The attributes of an object, read so that it stays as quick as it was.

Python keeps the attributes of an object in a row, found by their place, until somebody asks for its
`__dict__`: from then on each access looks in a dict, which made the way of a frame through the core
longer by a sixth. So they are asked for by name, and the names are those that the methods of its
class speak of; a test compares them with what the dicts hold.
"""

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

_ABSENT = object()
_names: dict[type, tuple[tuple[str, Any], ...]] = {}


def attributes_of(part: object) -> Iterator[tuple[str, Any]]:
    """Return what an object holds of its own, without what its class says is no state."""
    cls = type(part)
    names = _names.get(cls)
    if names is None:
        names = _names[cls] = _names_in(cls)
    for name, of_class in names:
        if (value := getattr(part, name, of_class)) is not of_class:
            yield name, value


def _names_in(cls: type) -> tuple[tuple[str, Any], ...]:
    """Return each name that could be an attribute, and what it is where the object has none.

    Methods and properties are none. The order is always the same.
    """
    names: dict[str, None] = {}
    slots: dict[str, None] = {}
    for base in cls.__mro__:
        own = base.__dict__.get("__slots__", ())
        slots |= dict.fromkeys((own,) if isinstance(own, str) else own)
        for held in base.__dict__.values():
            for function in _functions_of(held):
                names |= dict.fromkeys(_names_of(function.__code__))
    not_state = getattr(cls, "NOT_STATE", ())
    found = []
    for name in {**slots, **names}:
        of_class = _ABSENT if name in slots else getattr(cls, name, _ABSENT)
        if name not in not_state and not hasattr(type(of_class), "__get__"):
            found.append((name, of_class))
    return tuple(found)


def _functions_of(held: object) -> list[FunctionType]:
    if isinstance(held, property):
        return [one for one in (held.fget, held.fset) if isinstance(one, FunctionType)]
    function = getattr(held, "__func__", held)  # of a static or class method
    return [function] if isinstance(function, FunctionType) else []


def _names_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)
