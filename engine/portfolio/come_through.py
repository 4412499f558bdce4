"""How often what was sent came through: orders that filled whole, transactions that landed.

By place, over the newest of each: what a run learns of itself while it trades.
"""

from collections import deque
from typing import Final

from engine.domain.orders import Execution, Order, OrderState, Purpose, Transaction

NEWEST_MAX: Final = 200
"""Of each place so many count, the newest."""

LEAST: Final = 20
"""Of fewer nothing is said."""


class ComeThrough:
    """Shares by place: a venue for orders, a chain for transactions."""

    def __init__(self) -> None:
        self._whole: dict[str, deque[bool]] = {}

    def add(self, execution: Execution) -> None:
        """Count what a plan sent; what was withheld, or is void, says nothing."""
        if execution.void or execution.corrects:
            return
        for order in execution.orders:
            if order.purpose is Purpose.LEG and _was_sent(order):
                self._note(order.instrument.venue, order.state is OrderState.FILLED)
        transaction = execution.transaction
        if transaction is not None and _was_sent(transaction):
            self._note(transaction.chain, transaction.state is OrderState.FILLED)

    def ratio(self, place: str) -> float | None:
        """Return the share of a place that came through, None while too few were sent there."""
        whole = self._whole.get(place, ())
        return sum(whole) / len(whole) if len(whole) >= LEAST else None

    def _note(self, place: str, is_whole: bool) -> None:  # noqa: FBT001 - the fact itself
        self._whole.setdefault(place, deque(maxlen=NEWEST_MAX)).append(is_whole)


def _was_sent(part: Order | Transaction) -> bool:
    """Say whether it left: one that was withheld ends as cancelled, with nothing to show."""
    if part.state is not OrderState.CANCELLED:
        return True
    return bool(part.fills) if isinstance(part, Order) else part.receipt is not None
