"""Records: what the engine tells the ledger to keep.

Every record has an id of its own; the ledger stores a record once, however often it arrives.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from engine.bus.command import Envelope
from engine.bus.notices import Notice
from engine.bus.request import LedgerRequest
from engine.domain.approvals import Approval, ApprovalEnd
from engine.domain.delays import Delayed
from engine.domain.engines import MAIN
from engine.domain.fees import FeeWord
from engine.domain.holdings import Deposit, Holding
from engine.domain.instruments import VenueId
from engine.domain.live_start import LiveStart, Opened
from engine.domain.mandates import MandateUse
from engine.domain.measured_edge import MeasuredEdge
from engine.domain.modes import Basis, Mode, Money
from engine.domain.opportunities import Hop, Reason
from engine.domain.orders import Execution, Intent
from engine.domain.plans import Plan
from engine.domain.residuals import LastPrice, Residual
from engine.domain.switched_off import Off
from engine.domain.told import Cost


class OpportunityRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """An opportunity with the decision on it; batched, kept for the retention time.

    Attributes:
        outcome: ``planned``, or the reason of the refusal.
        pair, buy_venue, sell_venue: what the first leg turns and where, and where the last leg is.
        hops: all legs as screened.
        frame_seqs: numbers of the input frames that caused it: the trigger, the last change of the
            first leg's place, that of the last leg's place.
    """

    opportunity_id: str
    run_id: str
    basis: Basis
    seen_at_ns: int
    pair: str
    quote: str
    buy_venue: VenueId
    sell_venue: VenueId
    hops: tuple[Hop, ...]
    size_base: float
    gross_edge_bps: float
    net_edge_bps: float
    profit_quote: float
    profit_usd: float | None
    outcome: str
    detail: str
    frame_seqs: tuple[int, int, int]


class OpportunityClosed(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """An opportunity vanished from the board, or gave way.

    Attributes:
        ended: why, in words; nothing if its market gives nothing any more.
        refusals: reason and detail of each later decision on it, first of each reason.
    """

    opportunity_id: str
    closed_at_ns: int
    peak_profit_quote: float
    refusals: tuple[tuple[Reason, str], ...]
    ended: str = ""


class ExecutionRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """A finished plan: money, durable before it is acknowledged."""

    run_id: str
    basis: Basis
    mode: Mode
    plan: Plan
    execution: Execution


class IntentRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What a plan is about to send: money, durable before anything of it leaves."""

    run_id: str
    basis: Basis
    intent: Intent


class DepositRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True, omit_defaults=True):
    """A place of the paper inventory was set to its capital: money.

    Or one of live money was found to hold something else than our transactions come to.

    Attributes:
        why: what is known of it, in a sentence; of live money.
        opened: on which chain; of live money.
    """

    record_id: str
    run_id: str
    basis: Basis
    at_ns: int
    deposit: Deposit
    money: Money = Money.PAPER
    why: str = ""
    opened: Opened | None = None


class CostRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """A transaction that carries no plan out was paid: live money."""

    record_id: str
    run_id: str
    basis: Basis
    at_ns: int
    cost: Cost


class ApprovalRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """A plan waits for a person's word; stored again when the first of two has approved it."""

    run_id: str
    basis: Basis
    approval: Approval


class ApprovalEndRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What became of it; only the first end of an approval counts."""

    at_ns: int
    end: ApprovalEnd


class MandateRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """How a mandate stands: granted, spent from, or ended."""

    run_id: str
    basis: Basis
    use: MandateUse


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command, so that nobody carries it out again.

    Attributes:
        digest: of the command's content.
        answer: the reply, encoded.
    """

    command_id: str
    digest: str
    answer: bytes


class OutcomeRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What became of a command after all; takes the place of what was stored before."""

    at_ns: int
    outcome: Outcome


class StateRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """All that the operator has set, to be restored after a restart; durable before acknowledged.

    Attributes:
        limits: by name; any other is as the settings say.
        outcome: of the command that asked for it.
        code_step: time step of the one-time code that it used up; the code itself is not kept.
        delayed: loosenings that were allowed and wait.
        off: venues and pairs that are switched off.
        fees: by venue; any other is as the settings say.
    """

    record_id: str
    at_ns: int
    mode: Mode
    is_paused: bool
    limits: dict[str, Decimal]
    by: str
    action: str
    outcome: Outcome | None = None
    code_step: int | None = None
    delayed: tuple[Delayed, ...] = ()
    off: tuple[Off, ...] = ()
    fees: dict[VenueId, FeeWord] = {}


class TaskActRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What a person did about a background task: a link of the audit."""

    record_id: str
    at_ns: int
    by: str
    task: str
    action: str


class ContractActRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What a person asked to have done to our contract on a chain: a link of the audit."""

    record_id: str
    at_ns: int
    by: str
    chain: str
    action: str


class KeyActRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """That a person asked for another key to sign for a venue: a link of the audit.

    Attributes:
        action: names it by its public half.
    """

    record_id: str
    at_ns: int
    by: str
    venue: str
    action: str


class LatchAct(StrEnum):
    """What was done about the kill latch."""

    KILL = "kill"
    UNKILL = "unkill"
    WRONG_CODE = "wrong code"
    DRILL = "drill"


class LatchRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """An act on a kill latch: kept for good, and told by the ledger from the same transaction.

    Attributes:
        engine: whose latch it is; empty for that of all engines.
        is_seen: it was seen in the file, perhaps by several engines: only the first one tells news.
        code_step: time step of the one-time code that it used up; the code itself is not kept.
        outcome: of the command that asked for it.
    """

    record_id: str
    at_ns: int
    act: LatchAct
    by: str
    why: str
    code_step: int | None = None
    outcome: Outcome | None = None
    engine: str = ""
    is_seen: bool = False


def kill_record(envelope: Envelope, *, why: str, engine: str = "") -> LatchRecord:
    """Return the record of a kill: the same one from whoever stores it, however often it is told.

    The time of one that is told again differs, for it is then late.
    """
    return LatchRecord(
        record_id=f"kill-{envelope.id}",
        at_ns=envelope.at_ns,
        act=LatchAct.KILL,
        by=envelope.by,
        why=why,
        engine=engine,
    )


class NoticeRecord(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """A notice to be stored and then streamed."""

    record_id: str
    notice: Notice


Record = (
    OpportunityRecord
    | OpportunityClosed
    | IntentRecord
    | ExecutionRecord
    | DepositRecord
    | CostRecord
    | ApprovalRecord
    | ApprovalEndRecord
    | MandateRecord
    | StateRecord
    | OutcomeRecord
    | LatchRecord
    | TaskActRecord
    | ContractActRecord
    | KeyActRecord
    | NoticeRecord
)


class Appended(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """All records of the batch are durable."""

    count: int


class Superseded(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """Nothing was stored: the engine that asked has lost its place to one of `generation`."""

    generation: int


class LatchState(msgspec.Struct, frozen=True, kw_only=True):
    """The newest act on the latch that the ledger knows."""

    is_killed: bool = False
    at_ns: int = 0


class CodesUsed(msgspec.Struct, frozen=True, kw_only=True):
    """What one-time codes were tried.

    Attributes:
        steps: time steps of the newest codes that were used up.
        wrong: wrong codes since the last right one.
        wrong_at_ns: when the last of them came.
    """

    steps: tuple[int, ...] = ()
    wrong: int = 0
    wrong_at_ns: int = 0


class EngineState(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """State that survives restarts.

    Attributes:
        realised_today_usd: profit of executions closed since `day_start_ns`, as decimal text; of
            what is dated beyond that day, losses only.
        drawdown_usd: how far all that was realised is below its highest point.
        gas_today_usd: paid for gas since `day_start_ns`.
        sent_at_ns: of each order and transaction of the last minute.
        failures: by venue, how many real orders failed in a row, and when the last did.
        edge: what trades came to against what was expected of them.
        residuals: what earlier executions left over.
        open_plans: that were under way when their engine ended, with all that they intended.
        last_prices: what the assets of these were worth as they were filled last.
        generation: number of this engine; records of those before it are refused from now on.
        run_id: name of this engine's run, which no other run has or gets.
        holdings: what deposits and fills came to, by venue and asset.
        live: what there is of live money; what stands above is of paper alone.
        limits: what the operator has set of limits, by name.
        changed_at_ns: when the operator last set mode, pause or a limit, 0 if never; what only
            began to wait counts for nothing.
        delayed: loosenings that wait.
        off: venues and pairs that are switched off.
        fees: what the operator has set of fees, by venue.
        latch, own_latch: of all engines, and of this one.
        outcomes: of the newest commands.
    """

    mode: Mode | None
    is_paused: bool
    realised_today_usd: str
    residuals: list[Residual]
    generation: int
    run_id: str
    holdings: list[Holding]
    limits: dict[str, Decimal]
    changed_at_ns: int = 0
    delayed: tuple[Delayed, ...] = ()
    latch: LatchState = LatchState()
    own_latch: LatchState = LatchState()
    codes: CodesUsed = CodesUsed()
    last_prices: list[LastPrice] = []
    outcomes: list[Outcome] = []
    open_plans: list[Intent] = []
    off: tuple[Off, ...] = ()
    fees: dict[VenueId, FeeWord] = {}
    live: LiveStart = LiveStart()
    drawdown_usd: Decimal = Decimal(0)
    gas_today_usd: Decimal = Decimal(0)
    sent_at_ns: tuple[int, ...] = ()
    failures: dict[VenueId, tuple[int, int]] = {}
    edge: MeasuredEdge = MeasuredEdge()


class RecordKeeper(Protocol):
    """What the ledger does for the engine."""

    async def append(
        self, records: list[Record], *, generation: int | None, engine_id: str
    ) -> Appended | Superseded:
        """See `Append`."""
        ...

    async def load_state(
        self, *, day_start_ns: int, engine_id: str, drawdown_since_ns: int = 0
    ) -> EngineState:
        """See `LoadState`."""
        ...


class Append(LedgerRequest[Appended | Superseded], frozen=True, kw_only=True):
    """Store records in order, in one durable transaction.

    Attributes:
        generation: of the engine whose records they are, as `EngineState` gave it; answered by
            `Superseded` if another engine of its id has begun since. None if no engine sends them.
        engine_id: whose they are.
    """

    records: list[Record]
    generation: int | None = None
    engine_id: str = MAIN

    async def answer(self, ledger: RecordKeeper, /) -> Appended | Superseded:
        """See `Request.answer`."""
        return await ledger.append(
            self.records, generation=self.generation, engine_id=self.engine_id
        )


class LoadState(LedgerRequest[EngineState], frozen=True, kw_only=True):
    """Begin as the one engine of an id, with what it needs to know at start.

    Attributes:
        drawdown_since_ns: what was realised before it counts for no drawdown.
    """

    day_start_ns: int
    engine_id: str = MAIN
    drawdown_since_ns: int = 0

    async def answer(self, ledger: RecordKeeper, /) -> EngineState:
        """See `Request.answer`."""
        return await ledger.load_state(
            day_start_ns=self.day_start_ns,
            engine_id=self.engine_id,
            drawdown_since_ns=self.drawdown_since_ns,
        )
