"""Whoever places orders tells what became of one; the core takes it, in order."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.orders_booked import BookedOrders
from engine.domain.orders_told import OrderNews


class OrderTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told, with its number among all that is told.

    Attributes:
        booked: what the ledger has of its plan, where that ended in an earlier run.
    """

    number: int
    news: OrderNews
    booked: BookedOrders | None = None


def _take(core: Middle, given: Input[OrderTold]) -> Answers:
    payload = given.payload
    core.pipeline.order_told(payload.news, payload.booked, given.at_ns)
    return NO_ANSWERS


ORDER_TOLD: Final = Kind(number=37, name="order told", payload=OrderTold, take=_take)
