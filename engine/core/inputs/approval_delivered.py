"""A chat has shown a prompt: whoever is asked can know of it."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle


class ApprovalDelivered(msgspec.Struct, frozen=True, kw_only=True):
    """Which prompt."""

    approval_id: str


def _take(core: Middle, given: Input[ApprovalDelivered]) -> Answers:
    core.pipeline.delivered(given.payload.approval_id, given.at_ns)
    return NO_ANSWERS


APPROVAL_DELIVERED: Final = Kind(
    number=30, name="approval delivered", payload=ApprovalDelivered, take=_take
)
