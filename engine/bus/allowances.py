"""What allowances our wallet and contract have given, and the command that takes one back."""

from decimal import Decimal
from typing import Any, ClassVar, Protocol

import msgspec

from engine.bus.command import Command
from engine.bus.report import Declined, Report
from engine.bus.request import SenderRequest
from engine.bus.work_reports import WorkDone
from engine.domain.modes import Basis


class AllowanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One allowance.

    Attributes:
        token, spender: addresses in lower case; `symbol` as the token says of itself.
        by: who gave it: wallet or contract.
        amount: that may still be taken, in whole ones.
        is_unlimited: more than there is of the token.
    """

    token: str
    symbol: str
    by: str
    spender: str
    amount: Decimal
    is_unlimited: bool


class AllowancesLine(msgspec.Struct, frozen=True, kw_only=True):
    """All of a chain.

    Attributes:
        block: at which each was asked for; logs are those since the block `since`.
        looked: allowances that logs name; `left_out` were too many.
        trouble: why nothing is known; empty if it is.
    """

    chain: str
    block: int = 0
    since: int = 0
    looked: int = 0
    left_out: int = 0
    given: list[AllowanceLine] = msgspec.field(default_factory=list)
    trouble: str = ""


class AllowancesReport(Report, frozen=True, kw_only=True):
    """What was given on each chain where transactions are sent."""

    basis: Basis
    chains: list[AllowancesLine]


class Allowing(Protocol):
    """What the role that sends does about allowances."""

    async def allowances(self) -> AllowancesReport:
        """See `GetAllowances`."""
        ...

    async def revoke_allowance(
        self, chain: str, line: AllowanceLine, by: str
    ) -> WorkDone | Declined:
        """See `RevokeAllowance`."""
        ...


class GetAllowances(SenderRequest[AllowancesReport], frozen=True, kw_only=True):
    """What our wallet and our contract have allowed others to take, as of a block that is named."""

    timeout_s = 30.0

    async def answer(self, sending: Allowing, /) -> AllowancesReport:
        """See `Request.answer`."""
        return await sending.allowances()


class RevokeAllowance(Command[WorkDone], frozen=True, kw_only=True):
    """Take an allowance back; asked twice it is set to nothing twice.

    It only takes risk away, so it is signed while killed too, and never comes too late.
    """

    role: ClassVar[str] = "sender"
    timeout_s = 10.0

    chain: str
    line: AllowanceLine

    async def answer(self, engine: Any, /) -> WorkDone | Declined:
        """See `Request.answer`; here it is the sender."""
        sending: Allowing = engine
        if self.envelope is None:
            return Declined(why="a command without its envelope")
        return await sending.revoke_allowance(self.chain, self.line, self.envelope.by)
