"""Whoever sends tells what became of a plan's transaction; the core takes it, in order."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.told import Booked, TransactionNews


class TransactionTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told, with its number among all that is told.

    Attributes:
        booked: what the ledger has of it, where it ended in an earlier run.
    """

    number: int
    news: TransactionNews
    booked: Booked | None = None


def _take(core: Middle, given: Input[TransactionTold]) -> Answers:
    payload = given.payload
    core.pipeline.transaction_told(payload.news, payload.booked, given.at_ns)
    return NO_ANSWERS


TRANSACTION_TOLD: Final = Kind(
    number=35, name="transaction told", payload=TransactionTold, take=_take
)
