"""A connection was opened."""

from typing import Final

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.ports import InputKind


def _take(core: Middle, given: Input[bytes]) -> Answers:
    stream = given.stream
    core.is_connected[stream] = True
    core.lateness.opened(stream)
    return {stream: core.feeds[stream].opened(given.at_ns)}


OPENED: Final = Kind(number=InputKind.OPENED, name="opened", payload=bytes, take=_take)
