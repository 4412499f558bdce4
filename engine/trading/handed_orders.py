"""Whether orders that are handed over are what they say, and the very same that came before."""

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.orders_handed import HandedOrder
from engine.domain.venue_orders import wire_id_of


def is_same_order(one: HandedOrder, other: HandedOrder) -> bool:
    """Say whether two are one order, whenever it was handed over."""
    at_ns = max(one.at_ns, other.at_ns)
    first, second = (
        msgspec.json.encode(msgspec.structs.replace(each, at_ns=at_ns), order="deterministic")
        for each in (one, other)
    )
    return first == second


def check_handed(one: HandedOrder) -> None:
    """Check that an order is what its id says.

    Raises:
        BadValueError: it is not.
    """
    name, request = one.client_order_id, one.request
    if request.wire_id != wire_id_of(name, engine_id=one.engine):
        raise BadValueError(
            f"{name} of {one.engine} has the id of another order: {request.wire_id}"
        )
    if not 0 <= one.leg < len(one.plan.legs):
        raise BadValueError(f"{name} is of leg {one.leg}; its plan has {len(one.plan.legs)}")
    instrument = one.plan.legs[one.leg].instrument
    if not one.venue == request.venue == instrument.venue:
        raise BadValueError(f"{name} at {one.venue} asks for an order at {request.venue}")
    if request.wire_name != instrument.wire_name:
        raise BadValueError(f"{name} of {instrument} asks for {request.wire_name}")
    if request.sent_before_ms <= 0:
        raise BadValueError(f"{name} has to say until when it may be sent")
