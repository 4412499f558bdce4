"""Numbers and enumerations on the wire, and the reading of answers that may be anything."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

import msgspec

from engine.gateways.answers import UNREADABLE, Unclear, unclear

Shape = TypeVar("Shape")
Read = TypeVar("Read")

STATUS_OK = 200


def plain(number: Decimal) -> str:
    """Write a number as venues take it: no exponent, no zeros behind."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def known(words: Mapping[str, Read], word: str, what: str) -> Read:
    """Return what a word of the venue means.

    Raises:
        ValueError: a word that is not known.
    """
    if word not in words:
        raise ValueError(f"{what} {word[:40]!r} of an order")
    return words[word]


def decoded(body: bytes, shape: type[Shape]) -> Shape | None:
    """Decode JSON into a shape, None if it is none of that shape."""
    try:
        return msgspec.json.decode(body, type=shape, strict=False)
    except UNREADABLE:
        return None


def read(
    status: int, body: bytes, shape: type[Shape], make: Callable[[Shape], Read]
) -> Read | Unclear:
    """Read a listing's answer; anything but a 200 of that shape is unclear."""
    if status != STATUS_OK:
        return unclear(status, body)
    found = decoded(body, shape)
    if found is None:
        return unclear(status, body, "another shape")
    try:
        return make(found)
    except UNREADABLE as error:
        return unclear(status, body, str(error))
