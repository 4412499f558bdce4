"""Whoever sends tells what became of a plan's transaction; the core takes it, in order."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.told import TransactionNews


class TransactionTold(msgspec.Struct, frozen=True, kw_only=True):
    """What is told, with its number among all that is told."""

    number: int
    news: TransactionNews


def _take(core: Middle, given: Input[TransactionTold]) -> Answers:
    core.pipeline.transaction_told(given.payload.news, given.at_ns)
    return NO_ANSWERS


TRANSACTION_TOLD: Final = Kind(
    number=35, name="transaction told", payload=TransactionTold, take=_take
)
