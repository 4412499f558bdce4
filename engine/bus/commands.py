"""Commands: what a front-end asks of the engine or of the ledger."""

import msgspec

from engine.domain.modes import Mode


class _Command(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    pass


class GetStatus(_Command, frozen=True, kw_only=True):
    """Overview: mode, latch, venues, counters, latency; answered by `StatusReport`."""


class GetVenues(_Command, frozen=True, kw_only=True):
    """Every instrument of every venue with its age; answered by `VenuesReport`."""


class GetOpportunities(_Command, frozen=True, kw_only=True):
    """Open and recent opportunities; answered by `OpportunitiesReport`."""

    limit: int = 10


class GetWhy(_Command, frozen=True, kw_only=True):
    """One opportunity or trade with its whole decision; answered by `WhyReport`."""

    ref: str


class GetLimits(_Command, frozen=True, kw_only=True):
    """Limits, what of them is used, and what refusals they caused; answered by `LimitsReport`."""


class GetSpreads(_Command, frozen=True, kw_only=True):
    """Gaps between books now and the nearest misses; answered by `SpreadsReport`."""


class GetBalance(_Command, frozen=True, kw_only=True):
    """The paper inventory by venue and asset; answered by `BalanceReport`."""


class GetVersion(_Command, frozen=True, kw_only=True):
    """Version, commit, run, platform; answered by `VersionReport`."""


class Pause(_Command, frozen=True, kw_only=True):
    """Stop making plans; idempotent; answered by `Acknowledged`."""

    by: str


class Resume(_Command, frozen=True, kw_only=True):
    """Make plans again after a pause; answered by `Acknowledged` or `Declined`.

    Attributes:
        given_at_ns: when the operator asked; what was tightened since declines it.
    """

    by: str
    given_at_ns: int


class Kill(_Command, frozen=True, kw_only=True):
    """Kill: answered by `Acknowledged`, by the facade with `KillReport` or `Declined`.

    Attributes:
        at_ns: when the operator gave it.
        is_late: it waited until somebody took it; a clearing since then is the newer act.
        ref: the message that it came in, which a restart may tell again; empty if nothing can.
    """

    by: str
    why: str
    at_ns: int
    is_late: bool = False
    ref: str = ""


class Unkill(_Command, frozen=True, kw_only=True):
    """Clear the kill latch with a one-time code; answered by `Acknowledged` or `Declined`.

    Attributes:
        code: None from a person on the host, who could write the latch file as well.
        given_at_ns: when the operator asked; a kill since then declines it.
    """

    by: str
    code: str | None
    given_at_ns: int


class SetMode(_Command, frozen=True, kw_only=True):
    """Change the mode; going up needs `is_confirmed`; answered by `Acknowledged`, `Declined`.

    Attributes:
        given_at_ns: when the operator asked; what was tightened since declines going up.
    """

    by: str
    mode: Mode
    given_at_ns: int
    is_confirmed: bool = False


class ResetBalance(_Command, frozen=True, kw_only=True):
    """Set the paper inventory back to its capital; answered by `Acknowledged` or `Declined`."""

    by: str
    is_confirmed: bool = False


class GetTrades(_Command, frozen=True, kw_only=True):
    """Newest executions first; answered by `TradesReport`."""

    limit: int = 10


class GetPnl(_Command, frozen=True, kw_only=True):
    """Realised profit over the last days; answered by `PnlReport`."""

    days: int = 1


class GetExport(_Command, frozen=True, kw_only=True):
    """A table as CSV; answered by `ExportReport`."""

    table: str
    days: int = 30


class PutInbox(_Command, frozen=True, kw_only=True):
    """Store updates of a chat durably before they are confirmed to it; `InboxStored`."""

    source: str
    updates: list[tuple[int, bytes]]


class TakeInbox(_Command, frozen=True, kw_only=True):
    """Load stored updates that were not yet done, oldest first; answered by `InboxItems`."""

    source: str


class DoneInbox(_Command, frozen=True, kw_only=True):
    """Mark a stored update as done; answered by `InboxStored`."""

    source: str
    update_id: int


class GetNotices(_Command, frozen=True, kw_only=True):
    """Stored notices after a number, oldest first; waits up to `wait_ms` for the first."""

    reader: str
    after_seq: int | None = None
    limit: int = 100
    wait_ms: int = 0


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """What one thing was told in: later news of it edits that message."""

    name: str
    message_id: int


class DoneNotices(_Command, frozen=True, kw_only=True):
    """Remember that a reader has delivered all notices up to a number; `InboxStored`.

    Attributes:
        chat: where the messages of `threads` are.
        threads: messages that later news will edit.
    """

    reader: str
    seq: int
    chat: str = ""
    threads: list[Thread] = []


class GetThreads(_Command, frozen=True, kw_only=True):
    """The newest threads of a chat, oldest first; answered by `ThreadsReport`."""

    chat: str


EngineCommand = (
    GetStatus
    | GetVenues
    | GetOpportunities
    | GetWhy
    | GetLimits
    | GetSpreads
    | GetBalance
    | GetVersion
    | Pause
    | Resume
    | Kill
    | Unkill
    | SetMode
    | ResetBalance
)
LedgerCommand = (
    GetWhy
    | GetTrades
    | GetPnl
    | GetExport
    | PutInbox
    | TakeInbox
    | DoneInbox
    | GetNotices
    | DoneNotices
    | GetThreads
)
Command = (
    GetStatus
    | GetVenues
    | GetOpportunities
    | GetWhy
    | GetLimits
    | GetSpreads
    | GetBalance
    | GetVersion
    | Pause
    | Resume
    | Kill
    | Unkill
    | SetMode
    | ResetBalance
    | GetTrades
    | GetPnl
    | GetExport
    | PutInbox
    | TakeInbox
    | DoneInbox
    | GetNotices
    | DoneNotices
    | GetThreads
)
