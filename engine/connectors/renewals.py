"""Rows that are subscribed to anew when they are in doubt: their venue then sends a snapshot."""

from collections.abc import Callable, Sequence

from engine.connectors.link import Link, Row
from engine.domain.faults import Fault
from engine.ports import NO_ACTIONS, Action

Tick = Callable[[int], Sequence[Action]]
"""Does what is due at an instant."""


class Renewals:
    """Renewals of one connection's rows.

    Args:
        renew: subscribes to rows anew.
    """

    def __init__(self, link: Link, renew: Callable[[Sequence[Row]], Sequence[Action]]) -> None:
        self._link = link
        self._renew = renew

    def ask(self, rows: Sequence[Row], at_ns: int) -> Sequence[Action]:
        """Subscribe to rows anew, while there is a connection."""
        if not rows or not self._link.is_open:
            return NO_ACTIONS
        for row in rows:
            self._link.asked(row, at_ns)
        return self._renew(rows)

    def invalidate(self, row: Row, fault: Fault, at_ns: int) -> Sequence[Action]:
        """Take a row out of every decision until its next snapshot, and ask for that."""
        return self.ask([row], at_ns) if self._link.drop(row, fault, at_ns) else NO_ACTIONS

    def tick(self, at_ns: int, *beside: Tick) -> Sequence[Action]:
        """Subscribe anew to what is stalled; give up a connection that brings nothing.

        Args:
            at_ns: now.
            beside: what the feed does besides, each time that it looks what is due.
        """
        link = self._link
        if not link.is_check_due(at_ns):
            return NO_ACTIONS
        due = link.overdue(at_ns)
        if (why := link.dead_reason(at_ns)) is not None:
            return link.fail(Fault.STALLED, why, at_ns)
        return (*self.ask(due, at_ns), *(action for tick in beside for action in tick(at_ns)))
