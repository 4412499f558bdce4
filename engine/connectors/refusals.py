"""Finds out which row a venue refuses to serve, so that the others go live without it.

A venue may refuse a whole subscription because of one name in it. A name that it tells goes out by
itself; if it tells none, the rows that wait are asked for one at a time until it refuses one.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from engine.connectors.link import Link, Row
from engine.domain.faults import Fault
from engine.ports import NO_ACTIONS, Action, Relist

ANSWER_NS: Final = 2_000_000_000
"""A row that was asked for by itself may be silent for so long before the next one is asked for."""

WHY_CHARACTERS: Final = 200


class Refusals:
    """Refused rows of one connection.

    Args:
        ask: subscribes to rows.
        is_batch: one refused name refuses the others that were asked for with it.
    """

    def __init__(
        self, link: Link, ask: Callable[[Sequence[Row]], Sequence[Action]], *, is_batch: bool
    ) -> None:
        self._link = link
        self._ask = ask
        self._is_batch = is_batch
        self._queue: list[Row] = []
        self._probe: Row | None = None
        self._until_ns = 0

    def opened(self) -> None:
        """Forget what belongs to an earlier connection."""
        self._queue = []
        self._probe = None

    def take(self, why: str, at_ns: int) -> Sequence[Action]:
        """Take a refusal; with nobody to blame for it, the connection is given up."""
        link = self._link
        if not link.is_open:
            return NO_ACTIONS
        why = why[:WHY_CHARACTERS]
        waiting = [row for row in link.wanted() if not row.is_live]
        refused = self._refused(waiting, why)
        for row in refused:
            link.shut(row, Fault.REFUSED, f"refused: {why}", at_ns)
        rest = [row for row in waiting if not row.shut]
        if not waiting or not link.wanted():
            return link.fail(Fault.VENUE_ERROR, why, at_ns)
        if not refused:
            link.sink.count(link.venue, Fault.VENUE_ERROR)
            self._queue = rest
            return self._next(at_ns)
        if self._probe is not None or self._queue:
            return (Relist(), *self._next(at_ns))
        return (Relist(), *(self._ask(rest) if rest and self._is_batch else NO_ACTIONS))

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Ask for the next row once the one before has answered, or has been silent for long."""
        probe = self._probe
        if probe is None or not (probe.is_live or probe.buffer or at_ns >= self._until_ns):
            return NO_ACTIONS
        return self._next(at_ns)

    def _refused(self, waiting: Sequence[Row], why: str) -> list[Row]:
        named = [row for row in waiting if _names(why, row.wire)]
        if named:
            return named
        if self._probe in waiting:
            return [row for row in waiting if row is self._probe]
        return list(waiting) if len(waiting) == 1 else []

    def _next(self, at_ns: int) -> Sequence[Action]:
        self._queue = [row for row in self._queue if not (row.shut or row.is_live)]
        self._probe = self._queue.pop(0) if self._queue else None
        if self._probe is None:
            return NO_ACTIONS
        self._until_ns = at_ns + ANSWER_NS
        self._link.asked(self._probe, at_ns)
        return self._ask([self._probe])


def _names(text: str, wire: str) -> bool:
    """Say whether a text holds a wire name as a word: ``BTC-USD`` is none in ``WBTC-USDC``."""
    pattern = rf"(?<![a-z0-9]){re.escape(wire.lower())}(?![a-z0-9])"
    return re.search(pattern, text.lower()) is not None
