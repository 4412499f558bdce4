"""What Coinbase's status channel tells of its products: halts at once, all else by the list.

A frame says less than the product list, which has all switches and rules. So a product that is not
online is out at once, and any change makes the list be asked for, which says what is to be done.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from engine.connectors.link import UNREADABLE, Link
from engine.connectors.venues.coinbase.messages import ProductStatus, StatusFrame
from engine.domain.faults import Fault
from engine.ports import NO_ACTIONS, Action, ListedRow, Relist

ONLINE: Final = "online"
WHY_CHARACTERS: Final = 100


class ProductStates:
    """The states of one connection's products, as its frames tell them."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._states: dict[str, ProductStatus] = {}
        self._decode = msgspec.json.Decoder(StatusFrame).decode

    def opened(self) -> None:
        """Forget what an earlier connection told."""
        self._states.clear()

    def take(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take a frame of the status channel."""
        try:
            events = self._decode(payload).events
        except UNREADABLE as error:
            return self._link.refuse(error, at_ns)
        if not self._link.is_open:
            return NO_ACTIONS
        changed = [self._take(product, at_ns) for event in events for product in event.products]
        return (Relist(),) if any(changed) else NO_ACTIONS

    def closed(self, rows: Sequence[ListedRow]) -> list[ListedRow]:
        """Return rows of the list, closed too where a frame said so last: the list may be older."""
        return [
            replace(row, closed=self._why(row.instrument.wire_name)) if not row.closed else row
            for row in rows
        ]

    def _take(self, product: ProductStatus, at_ns: int) -> bool:
        """Take a product's state; say whether the list may have news of it."""
        row = self._link.by_wire.get(product.id)
        before = self._states.get(product.id)
        if row is None or before == product:
            return False
        self._states[product.id] = product
        why = self._why(product.id)
        if why and not row.is_halted:
            self._link.shut(row, Fault.HALTED, why, at_ns)
            row.is_halted = True
        return bool(why) or before is not None or row.is_halted

    def _why(self, wire: str) -> str:
        state = self._states.get(wire)
        if state is None or state.status == ONLINE:
            return ""
        return f"status {state.status} {state.status_message}".strip()[:WHY_CHARACTERS]
