"""Keeps a row at the depth that was subscribed to: of what falls below it nothing is told any more.

A level that more than so many better ones push out is never removed by the venue. If it stayed, it
would be wrong once those are gone and it is among the best again.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence

from engine.connectors.audit import BID
from engine.connectors.steps import parse_size_steps, parse_steps
from engine.domain.instruments import Instrument

Pair = tuple[str, str]


class KeptPrices:
    """The prices of one row's side, in steps; all that it needs to know of them is their order.

    Args:
        side: BID or ASK.
        depth: so many levels are told.
    """

    IS_STATE = True
    """It is a part of checkpoints; see `core.state_pickle`."""

    def __init__(self, side: int, instrument: Instrument, depth: int) -> None:
        self._sign = 1 if side == BID else -1
        self._instrument = instrument
        self._depth = depth
        self._keys: list[int] = []  # ascending, the worst first

    def take(self, levels: Sequence[Pair]) -> list[str]:
        """Take changes that the board took; return the prices that are no longer told, as text."""
        rules, keys = self._instrument, self._keys
        for price, size in levels:
            steps = parse_steps(price, rules.price_decimals)
            if steps is None:
                continue
            key = self._sign * steps
            index = bisect_left(keys, key)
            is_there = index < len(keys) and keys[index] == key
            if not parse_size_steps(size, rules.size_decimals):
                if is_there:
                    del keys[index]
            elif not is_there:
                insort(keys, key)
        over = max(len(keys) - self._depth, 0)
        gone, self._keys = keys[:over], keys[over:] if over else keys
        return [f"{rules.price_of(self._sign * key):f}" for key in gone]
