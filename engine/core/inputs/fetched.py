"""The answer to a request of a feed, whose key it has."""

from typing import Final

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.ports import InputKind


def _take(core: Middle, given: Input[bytes]) -> Answers:
    feed = core.feeds[given.stream]
    return {given.stream: feed.fetched(given.key, given.payload, given.at_ns)}


FETCHED: Final = Kind(number=InputKind.FETCHED, name="fetched", payload=bytes, take=_take)
