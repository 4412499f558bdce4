"""Levels of a book as whole steps, and their way on to the wire.

A price of 61838.01 at two decimals is the step count 6183801; nothing in the sandbox is a float.
"""

from enum import IntEnum


class Side(IntEnum):
    """Side of an order book."""

    BID = 0
    ASK = 1


Change = tuple[Side, int, int]
"""Side, price in steps and the new absolute size in steps (0 removes the level)."""

RawLevel = tuple[Side, str, str]
"""Side, price and new absolute size, as texts of a recording."""


def same_price(text: str) -> str:
    """Return a price as a text that is the same however many zeros end it."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def render_steps(steps: int, decimals: int) -> str:
    """Render a whole number of steps as a decimal number with all its decimals."""
    if decimals == 0:
        return str(steps)
    digits = str(steps).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
