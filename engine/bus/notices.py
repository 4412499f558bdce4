"""Notices: news that a front-end tells the operator without being asked.

A notice becomes visible only after the ledger has stored it, and carries the ledger's sequence
number, so that none is lost over a restart and a repeated one can be recognised.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from engine.bus.open_outside import ON_PAPER, OpenOutside
from engine.domain.approvals import Approval, ApprovalEnd
from engine.domain.assets import Amount, AssetCode
from engine.domain.discoveries import Learned
from engine.domain.engines import MAIN
from engine.domain.faults import Fault
from engine.domain.health import Weight
from engine.domain.instruments import VenueId
from engine.domain.mandates import MandateUse
from engine.domain.modes import Basis, Mode
from engine.domain.opportunities import Reason
from engine.domain.orders_told import VenueMatter
from engine.domain.performance import Missed, Sums, TradeMark
from engine.domain.rebalancing import Transfer
from engine.domain.stories import TradeStory
from engine.domain.switched_off import PlaceKind
from engine.domain.told import Matter
from engine.domain.transfers import TransferMatter


class _Notice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What every notice says.

    Attributes:
        engine_id: of the engine that told it; the ledger fills it in.
    """

    at_ns: int
    basis: Basis
    engine_id: str = MAIN


class Started(_Notice, frozen=True, kw_only=True):
    """The engine is up: what it found when it came up."""

    run_id: str
    mode: Mode
    is_killed: bool
    is_paused: bool
    market_note: str


class VenueLost(_Notice, frozen=True, kw_only=True):
    """A venue, or a chain with all its pools, went out of every decision.

    Attributes:
        books: how many of its books, or pools.
    """

    venue: VenueId
    fault: Fault
    books: int
    is_chain: bool = False


class VenueBack(_Notice, frozen=True, kw_only=True):
    """A venue, or a chain, is live again."""

    venue: VenueId
    lost_ms: int


class OpportunitySeen(_Notice, frozen=True, kw_only=True):
    """An opportunity above the operator's threshold.

    Attributes:
        assets: what the legs receive, in their order; empty in notices of earlier versions.
        others: how many more there were since the one told before, none of which gained more.
    """

    opportunity_id: str
    pair: str
    buy_venue: VenueId
    sell_venue: VenueId
    net_edge_bps: float
    profit_usd: float
    outcome: str
    assets: tuple[AssetCode, ...] = ()
    others: int = 0


class PaperTraded(_Notice, frozen=True, kw_only=True):
    """A simulated execution ended; its record is durable.

    Attributes:
        assets: what each leg receives.
        story: from found to realised; notices of earlier versions have none.
        why_reverted: why a transaction did nothing but to pay its gas; empty for a trade.
        approval: what a person approved, where that was asked for.
    """

    execution_id: str
    opportunity_id: str
    pair: str
    buy_venue: VenueId
    sell_venue: VenueId
    size_base: Decimal
    profit_usd: Decimal
    expected_usd: Decimal
    assets: tuple[AssetCode, ...] = ()
    left_over: tuple[Amount, ...] = ()
    story: TradeStory | None = None
    why_reverted: str = ""
    approval: Approval | None = None


class ApprovalAsked(_Notice, frozen=True, kw_only=True):
    """A plan waits for a person's word, or for that of a second person.

    Attributes:
        nonce: what its buttons carry.
    """

    approval: Approval
    nonce: str


class ApprovalEnded(_Notice, frozen=True, kw_only=True):
    """What became of a plan that waited."""

    approval: Approval
    nonce: str
    end: ApprovalEnd


class MandateEnded(_Notice, frozen=True, kw_only=True):
    """A mandate covers nothing any more."""

    use: MandateUse


class DayClosed(_Notice, frozen=True, kw_only=True):
    """A UTC day is over: what trading came to.

    Attributes:
        day: as 2026-11-28.
        notices: told on it, by kind.
        differences: places whose balance is not what deposits, fills and transactions add up to.
        sums, drawdown, best, worst: of what was traded on paper.
        learned: what background work learned on it; None of versions before there was any.
        live: what was signed and sent came to; None where nothing was.
        live_upkeep_usd: what transactions have cost that carry no plan out.
    """

    day: str
    sums: Sums
    drawdown: Decimal
    best: TradeMark | None
    worst: TradeMark | None
    missed: list[Missed]
    notices: dict[str, int]
    differences: int
    learned: Learned | None = None
    live: Sums | None = None
    live_upkeep_usd: Decimal = Decimal(0)


class PlanVoided(_Notice, frozen=True, kw_only=True):
    """A plan was under way when its engine ended; it is proven that it came to nothing."""

    opportunity_id: str
    pair: str
    why: str


class LateFill(_Notice, frozen=True, kw_only=True):
    """Something was told of an order after its plan had ended; it is booked and durable.

    Attributes:
        execution_id: the execution that it corrects.
        fills: how many came late; 0 if it was a transaction.
        profit_usd: what it changed.
        left_over: what it changed of what is left over.
    """

    execution_id: str
    opportunity_id: str
    pair: str
    fills: int
    profit_usd: Decimal
    left_over: tuple[Amount, ...] = ()


class LeftoverClosed(_Notice, frozen=True, kw_only=True):
    """An order that closes a leftover has ended, whatever it came to; its record is durable.

    Attributes:
        held: what was left over when that was decided, negative if owed.
        closed: how much of it was traded back, with its sign; 0 if nothing was filled.
        realised_usd: what that gained against what it was filled for.
        expected_usd: what was shown before, for as much as was asked.
    """

    execution_id: str
    opportunity_id: str
    venue: VenueId
    held: Amount
    closed: Decimal
    realised_usd: Decimal
    expected_usd: Decimal


class LimitHit(_Notice, frozen=True, kw_only=True):
    """A limit stopped a plan; repeated hits of one limit are told once a minute at most."""

    reason: Reason
    detail: str


class Killed(_Notice, frozen=True, kw_only=True):
    """A kill latch is set: that of all engines, or of one by its name."""

    by: str
    why: str
    engine: str = ""


class Unkilled(_Notice, frozen=True, kw_only=True):
    """A kill latch was cleared: that of all engines, or of one by its name."""

    by: str
    engine: str = ""


class ModeChanged(_Notice, frozen=True, kw_only=True):
    """The mode changed, or trading was paused or resumed; while killed, nothing is planned."""

    mode: Mode
    is_paused: bool
    is_killed: bool = False
    by: str


class LimitChanged(_Notice, frozen=True, kw_only=True):
    """The operator set a limit: from now on another value is in force."""

    name: str
    unit: str
    before: Decimal
    after: Decimal
    by: str


class LimitProposed(_Notice, frozen=True, kw_only=True):
    """Background work proposes another value of a limit: nothing changes unless a person says so.

    Attributes:
        why: what speaks for it.
    """

    name: str
    unit: str
    now: Decimal
    proposed: Decimal
    why: str


class PlaceSwitched(_Notice, frozen=True, kw_only=True):
    """The operator switched a venue or a pair off, or on again."""

    kind: PlaceKind
    name: str
    is_on: bool
    by: str


class FeeChanged(_Notice, frozen=True, kw_only=True):
    """The operator, or a venue's word on our tier, changed the taker fee that is reckoned with.

    Of a venue's word only a rise is told.
    """

    venue: VenueId
    before: Decimal
    after: Decimal
    by: str


class SettingsOutcome(StrEnum):
    """What became of files of settings that were read while it runs."""

    TAKEN = "taken"
    WAITS = "waits"
    REFUSED = "refused"
    AT_NEXT_START = "at_next_start"


class SettingsRead(_Notice, frozen=True, kw_only=True):
    """The files of settings have changed.

    Attributes:
        lines: the changes; of a refusal why, and of what counts later the names.
    """

    outcome: SettingsOutcome
    lines: tuple[str, ...]


class LooseningWaits(_Notice, frozen=True, kw_only=True):
    """What lets more through was allowed and acts after a while, unless it is cancelled."""

    what: str
    due_at_ns: int
    by: str


class LooseningCancelled(_Notice, frozen=True, kw_only=True):
    """What was allowed and waited will not act."""

    what: str
    why: str


class KillLeft(_Notice, frozen=True, kw_only=True):
    """What a kill left, by the engine's own books and by those who place orders and send.

    Attributes:
        is_flat: nothing is open, here or outside as far as that could be asked, and what is left
            over is worth next to nothing.
        plans: open still.
        usd: what is left over is worth.
    """

    is_flat: bool
    plans: int
    left_over: tuple[Amount, ...]
    usd: Decimal
    outside: OpenOutside = ON_PAPER


class StillThere(_Notice, frozen=True, kw_only=True):
    """The operator gave no sign of life for long: it pauses unless one comes."""

    silent_s: int
    pauses_at_ns: int


class AuditGap(_Notice, frozen=True, kw_only=True):
    """Links of the audit are missed: a backup was restored, or somebody cut them off."""

    why: str


class RoleRestarted(_Notice, frozen=True, kw_only=True):
    """A role ended unexpectedly and was started again."""

    role: str
    why: str
    restarts: int


class RoleAway(_Notice, frozen=True, kw_only=True):
    """A role has not answered for so long that somebody should look.

    Attributes:
        is_for_good: it ended; only a person can mend what `why` says.
    """

    role: str
    why: str
    is_for_good: bool = False


class RoleBack(_Notice, frozen=True, kw_only=True):
    """A role answers again."""

    role: str
    away_ms: int


class MetricAlert(_Notice, frozen=True, kw_only=True):
    """A rule over the metrics holds, as Alertmanager told it.

    Attributes:
        about: what tells it from others of its name: ``chain=base``; empty where there are none.
        fingerprint: of name and labels, as Alertmanager has it.
        runbook: what to do, or where that stands.
    """

    name: str
    about: str
    fingerprint: str
    is_critical: bool
    summary: str
    runbook: str


class MetricCalm(_Notice, frozen=True, kw_only=True):
    """A rule over the metrics holds no more."""

    name: str
    about: str
    fingerprint: str


class VenuesLost(_Notice, frozen=True, kw_only=True):
    """Several venues were lost together: more likely the way to all of them than each."""

    venues: tuple[VenueId, ...]


class VenuesBack(_Notice, frozen=True, kw_only=True):
    """Of several venues that were lost together, one at most is still out."""

    lost_ms: int


class ClockCorrected(_Notice, frozen=True, kw_only=True):
    """The clock was set, or the machine slept: all books were dropped and are asked for anew.

    Attributes:
        step_ns: what the clock was set by, ahead or (negative) back.
        asleep_ns: how long the machine slept.
    """

    step_ns: int
    asleep_ns: int


class RetentionHeld(_Notice, frozen=True, kw_only=True):
    """Nothing is deleted by its age, because the clock may be wrong.

    Attributes:
        ahead_ns: what it is ahead of the records before, or was set ahead by.
    """

    ahead_ns: int


REFUSED: Final = "refused"


class RecordsDropped(_Notice, frozen=True, kw_only=True):
    """Records that will never be stored.

    Attributes:
        kind: ``refused`` by the ledger, money perhaps among them; or what was dropped because the
            ledger was away too long, which is never money: ``opportunities``, ``notices``, what
            roles beside the engine told (``chains``, ``background_work``).
    """

    kind: str
    count: int


class RecordingStopped(_Notice, frozen=True, kw_only=True):
    """The run is no longer recorded, to its end; trading goes on."""

    why: str


class WhaleSeen(_Notice, frozen=True, kw_only=True):
    """A swap on a chain that moves its price far, or is worth much.

    Attributes:
        venue: of the pool: ``uniswap_v3@ethereum``.
        impact_ratio: how much dearer what was bought became in what was sold, rounded towards 0.
        worth_usd: of what was sold; nothing where nobody knows its price.
        is_pending: it is in no block yet, and what is said of it is predicted.
        tx: hash of its transaction.
    """

    venue: VenueId
    pool: str
    fee_ratio: Decimal
    asset_in: AssetCode
    asset_out: AssetCode
    amount_in: Decimal
    amount_out: Decimal
    impact_ratio: Decimal
    worth_usd: Decimal | None
    is_pending: bool
    tx: str


class Reorganised(_Notice, frozen=True, kw_only=True):
    """A chain has put another branch in the place of many of its newest blocks.

    Attributes:
        blocks: how many.
        number: of the first block of the new branch.
    """

    chain: str
    blocks: int
    number: int


class ProviderCaught(_Notice, frozen=True, kw_only=True):
    """A provider of a chain's nodes said what is not so: nothing it says is taken for a while.

    Attributes:
        provider: its name, without its key.
        why: at what it was caught.
    """

    chain: str
    provider: str
    why: str


class WorkTrouble(_Notice, frozen=True, kw_only=True):
    """Something about background work that a person has to know.

    Attributes:
        task: whose; empty if it is of all.
        what: a task in quarantine, a state that was not used, copies that reach no place.
    """

    task: str
    what: str


class SendingTrouble(_Notice, frozen=True, kw_only=True):
    """Something about transactions that are sent that a person has to know.

    Attributes:
        what: one that is stuck, reorganised or refused, a wallet without gas money, a route that is
            disabled.
        matter: which of these.
    """

    chain: str
    what: str
    matter: Matter = Matter.OTHER


class VenueTrouble(_Notice, frozen=True, kw_only=True):
    """Something about orders that are really placed that a person has to know.

    Attributes:
        what: in a sentence.
        matter: which kind of thing it is.
    """

    venue: str
    what: str
    matter: VenueMatter


class BalanceLow(_Notice, frozen=True, kw_only=True):
    """What is free at a place of live money does not cover the least that is drawn on it.

    Attributes:
        venue: or the wallet of a chain, by the chain's name.
        needed: the least amount at which nothing is stopped, in the asset of `free`.
        stops: what it does not cover, in words: ``sell BTC-USD``.
        is_below_floor: it is less than the operator's setting for this asset.
    """

    venue: VenueId
    free: Amount
    needed: Decimal
    stops: tuple[str, ...] = ()
    is_below_floor: bool = False


class BalanceBack(_Notice, frozen=True, kw_only=True):
    """A place of live money that ran low is enough again."""

    venue: VenueId
    free: Amount


class TransferTold(_Notice, frozen=True, kw_only=True):
    """Something of a transfer that a person allowed.

    Attributes:
        what: in a sentence.
        number: of what was told of it; numbers only grow.
    """

    transfer_id: str
    matter: TransferMatter
    what: str
    number: int


class TransferProposed(_Notice, frozen=True, kw_only=True):
    """A transfer between places of live money would pay; a person makes it, or does not."""

    transfer: Transfer


class IncidentOpened(_Notice, frozen=True, kw_only=True):
    """Components failed of one cause; told again, as the same, when another one joins them.

    Attributes:
        number: of the incident.
        cause: the component that the others need, or what all have in common.
    """

    number: int
    opened_at_ns: int
    cause: str
    weight: Weight
    components: tuple[str, ...]


class IncidentEnded(_Notice, frozen=True, kw_only=True):
    """All components of an incident are well, and have been for a while.

    Attributes:
        lasted_ms: from the first failure until the last of them was well.
    """

    number: int
    cause: str
    components: tuple[str, ...]
    lasted_ms: int


class ResourceShort(_Notice, frozen=True, kw_only=True):
    """Something will be full or spent: a disk, a budget of a venue or provider, open files.

    Attributes:
        what: it is, as one word.
    """

    what: str
    sentence: str


class ChainFileLost(_Notice, frozen=True, kw_only=True):
    """What was kept of a chain over a restart could not be read, and is asked anew.

    Attributes:
        what: ``pools``, ``states`` of them, ``verdicts`` on tokens, or ``blocks``.
    """

    chain: str
    what: str
    why: str


class HookTrouble(_Notice, frozen=True, kw_only=True):
    """Webhooks cannot be kept, or one was wrong too often.

    Attributes:
        chain: of which one was wrong; empty where none can be kept.
    """

    chain: str
    why: str


class AlertAct(_Notice, frozen=True, kw_only=True):
    """What an operator did about alerts; every chat of the installation goes by it.

    Attributes:
        act: ``ack``, ``snooze``, ``mute``, ``unmute``, ``threshold`` or ``quiet``.
        target: the alert's or the kind's name; hours for ``quiet``, empty where there are none.
        episode: which time the alert fired, 0 for the present one.
        until_ns: when it ends by itself, 0 where it does not.
        number: of a threshold.
    """

    by: str
    act: str
    target: str = ""
    episode: int = 0
    until_ns: int = 0
    number: int = 0


Notice = (
    Started
    | ApprovalAsked
    | ApprovalEnded
    | MandateEnded
    | VenueLost
    | VenueBack
    | OpportunitySeen
    | PaperTraded
    | LateFill
    | LeftoverClosed
    | PlanVoided
    | DayClosed
    | LimitHit
    | Killed
    | Unkilled
    | ModeChanged
    | LimitChanged
    | LimitProposed
    | PlaceSwitched
    | FeeChanged
    | SettingsRead
    | LooseningWaits
    | LooseningCancelled
    | AuditGap
    | StillThere
    | KillLeft
    | RoleRestarted
    | RecordsDropped
    | ClockCorrected
    | RetentionHeld
    | RecordingStopped
    | RoleAway
    | RoleBack
    | MetricAlert
    | MetricCalm
    | VenuesLost
    | VenuesBack
    | WhaleSeen
    | Reorganised
    | ProviderCaught
    | WorkTrouble
    | ChainFileLost
    | HookTrouble
    | SendingTrouble
    | VenueTrouble
    | BalanceLow
    | BalanceBack
    | TransferProposed
    | TransferTold
    | IncidentOpened
    | IncidentEnded
    | ResourceShort
    | AlertAct
)


class StampedNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A stored notice and its number in the ledger."""

    seq: int
    notice: Notice
