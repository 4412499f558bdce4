"""Parses a venue's instrument list, entry by entry: one odd entry must not hide the others."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from engine.connectors.link import UNREADABLE
from engine.domain.errors import BadValueError
from engine.domain.instruments import Pair
from engine.ports import Listed

Shape = TypeVar("Shape")


def decode_list(payload: bytes, shape: type[Shape], what: str) -> Shape:
    """Decode the list as a whole.

    Raises:
        BadValueError: it is not of the given shape.
    """
    try:
        return msgspec.json.decode(payload, type=shape, strict=False)
    except UNREADABLE as error:
        raise BadValueError(f"{what} cannot be read: {error}") from error


def listed(
    entries: Iterable[msgspec.Raw],
    shape: type[Shape],
    make: Callable[[Shape], Listed | None],
    pairs: Sequence[str],
) -> list[Listed]:
    """Make the instruments of the asked pairs, in the order asked; an open one before a closed one.

    `make` returns None for what is never to be traded. Entries that cannot be read are passed over
    unless nothing can be read at all.

    Raises:
        BadValueError: a pair is not of the form BASE-QUOTE, or no entry can be read.
    """
    wanted = [Pair.parse(pair) for pair in pairs]
    decoder = msgspec.json.Decoder(shape, strict=False)
    found: dict[Pair, Listed] = {}
    first_error: Exception | None = None
    read_count = 0
    for entry in entries:
        try:
            one = make(decoder.decode(entry))
        except (*UNREADABLE, BadValueError, ArithmeticError) as error:
            first_error = first_error or error
            continue
        read_count += 1
        if one is None:
            continue
        held = found.get(one.instrument.pair)
        if held is None or (held.closed and not one.closed):
            found[one.instrument.pair] = one
    if first_error is not None and not read_count:
        raise BadValueError(f"no entry of the instrument list can be read: {first_error}")
    return [found[pair] for pair in wanted if pair in found]
