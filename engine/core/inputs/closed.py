"""A connection ended; the key says why."""

from typing import Final

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.ports import InputKind


def _take(core: Middle, given: Input[bytes]) -> Answers:
    stream = given.stream
    core.is_connected[stream] = False
    return {stream: core.feeds[stream].closed(given.at_ns)}


CLOSED: Final = Kind(number=InputKind.CLOSED, name="closed", payload=bytes, take=_take)
