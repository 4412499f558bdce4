"""A person said what shall become of a plan that waits for approval."""

from typing import Final

import msgspec

from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.approvals import ApprovalAct


class ApprovalAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, by whom.

    Attributes:
        digest: of the terms that were shown.
    """

    approval_id: str
    act: ApprovalAct
    by: str
    digest: str


def _take(core: Middle, given: Input[ApprovalAnswered]) -> Answers:
    said = given.payload
    core.pipeline.answer_approval(
        said.approval_id, said.act, by=said.by, digest=said.digest, at_ns=given.at_ns
    )
    return NO_ANSWERS


APPROVAL_ANSWERED: Final = Kind(
    number=25, name="approval answered", payload=ApprovalAnswered, take=_take
)
