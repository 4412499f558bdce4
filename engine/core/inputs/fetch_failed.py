"""A request of a feed failed for good; the payload says why."""

from typing import Final

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.ports import InputKind


def _take(core: Middle, given: Input[bytes]) -> Answers:
    feed, why = core.feeds[given.stream], given.payload.decode(errors="replace")
    return {given.stream: feed.fetch_failed(given.key, why, given.at_ns)}


FETCH_FAILED: Final = Kind(
    number=InputKind.FETCH_FAILED, name="fetch_failed", payload=bytes, take=_take
)
