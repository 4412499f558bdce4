"""The truths of trades: as the sender gives them to the ledger, and as a person is shown them."""

from decimal import Decimal
from typing import Final, Protocol

import msgspec

from engine.bus.reports import Report
from engine.bus.request import LedgerRequest
from engine.bus.truth_lines import AheadLine, CauseLine, TruthLine
from engine.domain.modes import Basis

LINES_MAX: Final = 200


class TruthsKept(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """They are durable; `kept` of them were new or newer than what was there."""

    kept: int


class TruthsReport(Report, frozen=True, kw_only=True):
    """Trades on chain of a time, all of them summed up.

    Attributes:
        n: trades; `simulated_n` of them were simulated to an end.
        predicted_usd, realised_usd: of all; `simulated_usd` of those that were simulated.
        fates: how many ended how.
        causes: what each came to, the largest first.
        ahead: who stood in front in most blocks of ours; `ahead_n` of how many it is known.
        lines: the newest, newest first.
    """

    basis: Basis
    n: int
    simulated_n: int
    predicted_usd: Decimal
    simulated_usd: Decimal
    realised_usd: Decimal
    fates: dict[str, int]
    causes: list[CauseLine]
    ahead: list[AheadLine]
    ahead_n: int
    lines: list[TruthLine]


class TruthKeeper(Protocol):
    """What the ledger does for truths."""

    async def keep_truths(self, truths: list[bytes], *, basis: Basis) -> TruthsKept:
        """See `KeepTruths`."""
        ...

    async def truths(self, since_ns: int, *, limit: int) -> TruthsReport:
        """See `GetTruths`."""
        ...


class KeepTruths(LedgerRequest[TruthsKept], frozen=True, kw_only=True):
    """Keep truths in place of older versions.

    Attributes:
        truths: `domain.truths.Truth` as JSON: raw figures have more bits than numbers of the wire.
    """

    truths: list[bytes]
    basis: Basis

    async def answer(self, ledger: TruthKeeper, /) -> TruthsKept:
        """See `Request.answer`."""
        return await ledger.keep_truths(self.truths, basis=self.basis)


class GetTruths(LedgerRequest[TruthsReport], frozen=True, kw_only=True):
    """The trades on chain that were decided since an instant."""

    since_ns: int
    limit: int = 10

    async def answer(self, ledger: TruthKeeper, /) -> TruthsReport:
        """See `Request.answer`."""
        return await ledger.truths(self.since_ns, limit=self.limit)
