"""A person granted a mandate, or took one back."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.mandates import Mandate


class MandateGranted(msgspec.Struct, frozen=True, kw_only=True):
    """A new mandate."""

    mandate: Mandate


class MandateRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate that ends; all of them where none is named."""

    mandate_id: str
    by: str


def _grant(core: Middle, given: Input[MandateGranted]) -> Answers:
    core.pipeline.grant(given.payload.mandate)
    return NO_ANSWERS


def _revoke(core: Middle, given: Input[MandateRevoked]) -> Answers:
    core.pipeline.revoke(given.payload.mandate_id, by=given.payload.by, at_ns=given.at_ns)
    return NO_ANSWERS


MANDATE_GRANTED: Final = Kind(
    number=26, name="mandate granted", payload=MandateGranted, take=_grant
)
MANDATE_REVOKED: Final = Kind(
    number=27, name="mandate revoked", payload=MandateRevoked, take=_revoke
)
