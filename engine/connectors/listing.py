"""Parses a venue's instrument list, entry by entry: one odd entry must not hide the others."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from engine.connectors.link import UNREADABLE
from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument, Pair

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
    make: Callable[[Shape], Instrument | None],
    pairs: Sequence[str],
) -> list[Instrument]:
    """Make the instruments of the asked pairs, in the order asked.

    `make` returns None for what may not be traded now. Entries that cannot be read are passed over
    unless nothing can be read at all.

    Raises:
        BadValueError: a pair is not of the form BASE-QUOTE, or no entry can be read.
    """
    wanted = [Pair.parse(pair) for pair in pairs]
    decoder = msgspec.json.Decoder(shape, strict=False)
    found: dict[Pair, Instrument] = {}
    first_error: Exception | None = None
    read_count = 0
    for entry in entries:
        try:
            instrument = make(decoder.decode(entry))
        except (*UNREADABLE, BadValueError, ArithmeticError) as error:
            first_error = first_error or error
            continue
        read_count += 1
        if instrument is not None:
            found.setdefault(instrument.pair, instrument)
    if first_error is not None and not read_count:
        raise BadValueError(f"no entry of the instrument list can be read: {first_error}")
    return [found[pair] for pair in wanted if pair in found]
