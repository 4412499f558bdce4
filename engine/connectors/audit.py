"""Compares a live row with what the venue's REST endpoint says its book is.

A stream without sequence numbers cannot show that a change was lost; this can. Prices and sizes are
whole steps, a side is a dict of them, and a difference is named by its side and price.
"""

from collections.abc import Iterable, Sequence

import msgspec

from engine.connectors.link import UNREADABLE
from engine.connectors.steps import parse_size_steps, parse_steps
from engine.domain.instruments import Instrument
from engine.ports import RawJson

BID = 0
ASK = 1

COMPARED_LEVELS = 20
"""Levels compared per side, from the touch down: what a trade could use."""

Level = tuple[int, int]
Sides = tuple[dict[int, int], dict[int, int]]
Place = tuple[int, int]
"""A side and a price in steps."""


def parse_levels(
    levels: Iterable[Sequence[object]], instrument: Instrument
) -> dict[int, int] | None:
    """Turn levels of a price and a size into steps; None if one is no whole number of steps."""
    parsed: dict[int, int] = {}
    for level in levels:
        price = parse_steps(str(level[0]), instrument.price_decimals)
        size = parse_size_steps(str(level[1]), instrument.size_decimals)
        if price is None or size is None:
            return None
        parsed[price] = size
    return parsed


def decode_levels(raw: RawJson, width: int) -> list[list[str | float]] | None:
    """Decode a raw array of levels with `width` entries each; None if it is not one."""
    try:
        levels = msgspec.json.decode(raw, type=list[list[str | float]])
    except UNREADABLE:
        return None
    return levels if all(len(level) == width for level in levels) else None


def parse_pairs(raw: RawJson, instrument: Instrument, count: int) -> dict[int, int] | None:
    """Parse the first `count` levels of a raw array of pairs; None if they cannot be read."""
    levels = decode_levels(_first(raw, count), 2)
    return None if levels is None else parse_levels(levels, instrument)


def _first(raw: RawJson, count: int) -> bytes:
    """Return the first levels of a raw array: decoding thousands would hold the loop for 5 ms."""
    text, end = bytes(raw), 0
    for _ in range(count):
        end = text.find(b"]", end) + 1
        if end in {0, len(text)}:
            return text
    return text[:end] + b"]"


def best_of(side: int, levels: dict[int, int], count: int) -> list[Level]:
    """Return the best levels of a side with a size above zero, best first."""
    prices = sorted((price for price, size in levels.items() if size), reverse=side == BID)
    return [(price, levels[price]) for price in prices[:count]]


def differences(
    side: int, expected: Sequence[Level], live: Sequence[Level], *, is_cut: bool
) -> set[Place]:
    """Return the places where two sides differ, as deep as both are known.

    Args:
        side: BID or ASK.
        expected: levels as they should be, best first.
        live: levels of the board, best first.
        is_cut: both may go on below their last level; otherwise they are complete.
    """
    wanted, held = dict(expected), dict(live)
    prices = set(wanted) | set(held)
    if is_cut and wanted and held:
        if side == BID:
            floor = max(min(wanted), min(held))
            prices = {price for price in prices if price >= floor}
        else:
            ceiling = min(max(wanted), max(held))
            prices = {price for price in prices if price <= ceiling}
    return {(side, price) for price in prices if wanted.get(price, 0) != held.get(price, 0)}
