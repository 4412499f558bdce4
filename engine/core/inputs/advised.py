"""Background work advised something: all that is in force, in place of what was."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.core.pipeline import Pipeline
from engine.domain.advice import DatedAdvice, check_advice


class Advised(msgspec.Struct, frozen=True, kw_only=True):
    """All advice in force; what is not here is not advised any more."""

    advice: tuple[DatedAdvice, ...]

    def without(self, discoveries: frozenset[int]) -> "Advised":
        """Return it as it would be had these never been made."""
        return Advised(advice=tuple(one for one in self.advice if one.discovery not in discoveries))


def _take(core: Middle, given: Input[Advised]) -> Answers:
    check_advice(given.payload.advice, at_ns=given.at_ns)
    core.pipeline.take_advice(given.payload.advice, given.at_ns)
    return NO_ANSWERS


ADVISED: Final = Kind(
    number=32, name="advised", payload=Advised, take=_take, after=Pipeline.after_block
)
