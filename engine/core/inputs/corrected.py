"""The clock was corrected, or the machine slept; the input's time has the correction already."""

from typing import Final

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.corrections import Correction
from engine.ports import Reconnect


def _take(core: Middle, given: Input[Correction]) -> Answers:
    """No book outlives it. Whatever ends with it ends at the time that stood before."""
    correction = given.payload
    before_ns = given.at_ns - correction.since_ns
    core.pipeline.finish_executions()
    for feed in core.feeds:
        feed.closed(before_ns)
    core.lateness.corrected()
    core.pipeline.after_input(before_ns)
    core.pipeline.step_clock(correction.step_ns, given.at_ns)
    core.stepped_ns += correction.step_ns
    anew = (Reconnect("the clock was corrected or the machine slept"),)
    return {stream: anew for stream, _ in enumerate(core.feeds)}


CORRECTED: Final = Kind(number=9, name="corrected", payload=Correction, take=_take)
