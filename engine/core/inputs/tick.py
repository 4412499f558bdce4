"""Time passes, about ten times a second."""

from typing import Final

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline


def _take(core: Middle, given: Input[bytes]) -> Answers:
    core.lateness.tick(given.at_ns)
    return {stream: feed.tick(given.at_ns) for stream, feed in enumerate(core.feeds)}


TICK: Final = Kind(number=6, name="tick", payload=bytes, take=_take, after=Pipeline.after_tick)
