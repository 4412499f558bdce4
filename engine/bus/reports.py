"""Reports: answers to a front-end. Plain values; a front-end renders them.

Every report carries `basis` and `market_note`, so that no figure can be shown without saying
whether it comes from the sandbox, from live markets or from a replay.
"""

from decimal import Decimal

import msgspec

from engine.bus.notices import StampedNotice
from engine.domain.assets import Amount, AssetCode
from engine.domain.delays import Delayed
from engine.domain.engines import MAIN
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode
from engine.domain.opportunities import Hop, Side
from engine.domain.orders import Purpose, Transaction
from engine.domain.plans import OnChain
from engine.domain.stories import TradeStory


class Report(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What a front-end is answered."""


class VenueLine(msgspec.Struct, frozen=True, kw_only=True):
    """One venue at a glance.

    Attributes:
        books_live, books: instruments that may be traded on, of all.
        age_ms: age of the venue's newest change; None before the first.
        stale_s: total time, summed over instruments, spent stale after first being live.
        lag_ms, lag_ms_max: how much longer than the quickest of its connection the newest frame
            was on its way, by the venue's own time, and the most of this run; None without a time.
        wait_ms_max: longest wait of a frame here between its receipt and its turn.
        unproven_s: longest time since one of its live books was proven equal to the venue's; None
            if its feed shows by itself that no change was lost.
        faults: number of faults by kind.
        is_chain: whether it is a protocol at a chain: its pools stand for books, blocks for frames.
    """

    venue: VenueId
    is_connected: bool
    books_live: int
    books: int
    age_ms: int | None
    frames: int
    frames_per_s: float
    resyncs: int
    stale_s: float
    lag_ms: int | None
    lag_ms_max: int
    wait_ms_max: int
    unproven_s: float | None
    faults: dict[str, int]
    note: str
    is_chain: bool = False


class InstrumentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument: best bid and ask, age and why it is stale, in words where there are any."""

    venue: VenueId
    pair: str
    kind: str
    is_live: bool
    stale_reason: str | None
    age_ms: int | None
    bid: str | None
    ask: str | None
    levels: int
    note: str = ""


class OpportunityLine(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity, open or recent.

    Attributes:
        pair, buy_venue, sell_venue: what the first leg turns and where, and where the last leg is.
        hops: all legs as screened; none for opportunities that an earlier version stored.
    """

    opportunity_id: str
    seen_at_ns: int
    is_open: bool
    lasted_ms: int
    pair: str
    buy_venue: VenueId
    sell_venue: VenueId
    size_base: float
    net_edge_bps: float
    profit_quote: float
    profit_usd: float | None
    quote: str
    outcome: str
    detail: str
    hops: tuple[Hop, ...]


class StatusReport(Report, frozen=True, kw_only=True):
    """The overview.

    Attributes:
        latency_us: p50, p99, p999 of frame receipt to decision, over the last frames.
        loop_lag_us: the same of how late the engine's loop came to what was due.
        memory_mb: resident memory by role, of the roles the engine can see.
        refused: number of refusals by reason.
        found_by_legs: opportunities found, by the number of legs of their routes.
        found_by_kind: the same, by where they trade: books, pools, or both.
        traded_by_kind, profit_usd_by_kind: what was traded, and what that came to, likewise.
        crowded_out: how often a route found no room among the open ones.
        displaced: open routes closed because a better one took their place.
        unsized: routes, at least, that gain at the margin and were too many to be looked at.
        moves_refused: moves that no pool can have made; their pools stayed as they were.
        pools_cut: pools of whose liquidity a part was left out, as it does not fit the rest.
        pools_waiting: pools whose routes can be costed only now and are yet to be screened.
        prices_published: rows of the shared price matrix written so far, None without one.
        prices_failure: why prices are not shared with other processes, None if they are.
        delayed: loosenings that wait, each of which can be cancelled.
        off: venues and pairs that the operator has switched off.
        is_chat_blind: no chat reaches the operator, so that nothing is asked.
    """

    basis: Basis
    market_note: str
    run_id: str
    mode: Mode
    is_killed: bool
    is_paused: bool
    uptime_s: int
    venues: list[VenueLine]
    found: int
    found_by_legs: dict[int, int]
    planned: int
    traded: int
    refused: dict[str, int]
    crowded_out: int
    moves_refused: int
    pools_waiting: int
    profit_usd_paper: Decimal
    latency_us: dict[str, float]
    memory_mb: dict[str, float]
    records_waiting: int
    recording: str | None
    prices_published: int | None
    prices_failure: str | None
    displaced: int = 0
    unsized: int = 0
    pools_cut: int = 0
    recording_failure: str | None = None
    delayed: tuple[Delayed, ...] = ()
    loop_lag_us: dict[str, float] = {}
    off: tuple[str, ...] = ()
    is_chat_blind: bool = False
    found_by_kind: dict[str, int] = {}
    traded_by_kind: dict[str, int] = {}
    profit_usd_by_kind: dict[str, Decimal] = {}


class VenuesReport(Report, frozen=True, kw_only=True):
    """All instruments."""

    basis: Basis
    market_note: str
    venues: list[VenueLine]
    instruments: list[InstrumentLine]


class OpportunitiesReport(Report, frozen=True, kw_only=True):
    """Open opportunities first, then recent ones, newest first.

    Attributes:
        crowded_out, displaced, unsized, pools_waiting: see `StatusReport`.
    """

    basis: Basis
    market_note: str
    opportunities: list[OpportunityLine]
    found: int
    found_by_legs: dict[int, int]
    refused: dict[str, int]
    crowded_out: int
    pools_waiting: int
    displaced: int = 0
    unsized: int = 0


class LegLine(msgspec.Struct, frozen=True, kw_only=True):
    """A leg as planned and as filled."""

    venue: VenueId
    pair: str
    side: str
    purpose: str
    size_base: Decimal
    price_limit: Decimal
    filled_base: Decimal
    price_average: Decimal | None
    fee_quote: Decimal
    frame_seq: int
    fee_base: Decimal = Decimal(0)


class ExactNow(msgspec.Struct, frozen=True, kw_only=True):
    """An open route in whole lots and units on the market as it is now.

    Attributes:
        refusal: why it has no such figures; then these are 0.
    """

    paid: Decimal
    got: Decimal
    profit_quote: Decimal
    refusal: str = ""


class PlaceShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one place of a leg takes and gives, in units of the leg's two assets.

    Attributes:
        share_ratio: of what the leg's places take together.
    """

    venue: VenueId
    place: str
    amount_in: Decimal
    amount_out: Decimal
    share_ratio: float


class SplitNow(msgspec.Struct, frozen=True, kw_only=True):
    """An open route with its legs shared among parallel places, in whole lots and units, now.

    Attributes:
        more_quote: how much more it gains than through one place for each leg.
        legs: the places of each leg, the largest share first.
    """

    paid: Decimal
    got: Decimal
    profit_quote: Decimal
    more_quote: Decimal
    legs: tuple[tuple[PlaceShare, ...], ...]


class ValuesLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision rests on, in the asset that the route starts and ends in; estimates.

    Attributes:
        profit_worst: if every leg gives the least that its slippage bound lets through.
        kill_move_bps: by how much the route's price may fall until nothing is gained.
        gas_price_break_even_gwei: None without gas.
        data_fee: what a rollup takes for the bytes of the transaction, 0 elsewhere.
        confidence: how likely the gain is, or why nobody can tell.
    """

    profit_expected: float
    profit_worst: float
    kill_move_bps: float
    gas_price_break_even_gwei: float | None
    confidence: str
    data_fee: float = 0.0


class WhyReport(Report, frozen=True, kw_only=True):
    """The whole decision on one opportunity, and what came of it.

    Attributes:
        values: of opportunities that the engine still remembers; None for older ones.
        exact_now: of a route that is open and not traded; None for any other.
        split_now: of a route that is open, if sharing its legs among parallel places gains more.
        ended: why it is open no more, in words; nothing if it is, or its market gives nothing.
        story: of a trade, from found to realised; those of earlier versions have none.
        advice: what of background work's bore on the decision, in words.
    """

    basis: Basis
    market_note: str
    run_id: str
    line: OpportunityLine
    frame_seqs: tuple[int, int, int]
    gross_edge_bps: float
    later_refusals: list[tuple[str, str]]
    legs: list[LegLine]
    execution_id: str | None
    profit_usd: Decimal | None
    expected_usd: Decimal | None
    values: ValuesLine | None = None
    exact_now: ExactNow | None = None
    split_now: SplitNow | None = None
    ended: str = ""
    story: TradeStory | None = None
    advice: list[str] = []


class LimitLine(msgspec.Struct, frozen=True, kw_only=True):
    """One limit: its value, what of it is used now, and the refusals it caused.

    Attributes:
        term: by what name its value can be changed, empty if it has none.
        by_settings: what the settings say if the operator has set another value since, else empty.
    """

    name: str
    unit: str
    limit: str
    used: str
    refusals: int
    term: str = ""
    by_settings: str = ""


class LimitsReport(Report, frozen=True, kw_only=True):
    """All limits."""

    basis: Basis
    market_note: str
    limits: list[LimitLine]


class SpreadLine(msgspec.Struct, frozen=True, kw_only=True):
    """The gap between two books of a pair at their best prices, in its better direction.

    Attributes:
        gross_bps: best bid over best ask.
        net_bps: after both taker fees and the transfer cost.
    """

    pair: str
    buy_venue: VenueId
    sell_venue: VenueId
    gross_bps: float
    net_bps: float
    at_ns: int


class SpreadsReport(Report, frozen=True, kw_only=True):
    """How far the market is from an opportunity.

    Attributes:
        least_edge_bps: net edge that a plan needs.
        spreads: gaps now, by pair, the best first.
        nearest: the best gap of each pair in the last hour, as far as it was sampled.
    """

    basis: Basis
    market_note: str
    least_edge_bps: float
    spreads: list[SpreadLine]
    nearest: list[SpreadLine]


class BalanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """An asset at a venue.

    Attributes:
        held: what is there; of it `reserved` for plans under way.
        usd: worth of what is held now, None while no live book values the asset.
        started, started_usd: what it was set to last, and what that was worth then.
    """

    venue: VenueId
    asset: str
    held: Decimal
    reserved: Decimal
    usd: Decimal | None
    started: Decimal
    started_usd: Decimal


class BalanceReport(Report, frozen=True, kw_only=True):
    """The paper inventory that trades draw on.

    Attributes:
        lines: by venue and asset.
        waiting: places that get their capital once their asset has a price.
    """

    basis: Basis
    market_note: str
    lines: list[BalanceLine]
    waiting: int


class TradeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One finished execution.

    Attributes:
        assets: what each leg receives.
        corrects: the execution of which this was told only after it had ended; empty for one.
        engine_id: whose it is.
    """

    execution_id: str
    opportunity_id: str
    closed_at_ns: int
    basis: Basis
    pair: str
    buy_venue: VenueId
    sell_venue: VenueId
    size_base: Decimal
    profit_usd: Decimal
    expected_usd: Decimal
    assets: tuple[AssetCode, ...] = ()
    left_over: tuple[Amount, ...] = ()
    story: TradeStory | None = None
    corrects: str = ""
    engine_id: str = MAIN


class TradesReport(Report, frozen=True, kw_only=True):
    """Newest executions first; `total` counts all that are stored.

    Attributes:
        engines: all that the ledger knows.
    """

    trades: list[TradeLine]
    total: int
    engines: list[str] = []


class PnlReport(Report, frozen=True, kw_only=True):
    """Realised profit from fills, in USD.

    Attributes:
        points: (closed_at_ns, cumulative profit) of each execution in the time asked, for a chart.
        by_route: profit and number of executions by ``pair buy→sell``.
        by_basis: profit by basis, so that sandbox and live paper figures are never added up.
        by_engine: profit and number of executions of every engine that the ledger knows.
    """

    since_ns: int
    realised_usd: Decimal
    expected_usd: Decimal
    executions: int
    wins: int
    by_route: dict[str, tuple[Decimal, int]]
    by_basis: dict[str, Decimal]
    points: list[tuple[int, Decimal]]
    by_engine: dict[str, tuple[Decimal, int]] = {}


class ExportReport(Report, frozen=True, kw_only=True):
    """A file for the operator.

    Attributes:
        check: what in it was compared with the ledger.
        is_alike: it came to the same.
    """

    file_name: str
    content: bytes
    rows: int
    check: str = ""
    is_alike: bool = True


class EngineLine(msgspec.Struct, frozen=True, kw_only=True):
    """One of several engines at a glance.

    Attributes:
        trouble: why it did not answer; then nothing else is known of it.
    """

    engine_id: str
    mode: Mode = Mode.OBSERVE
    is_killed: bool = False
    is_paused: bool = False
    books_live: int = 0
    traded: int = 0
    profit_usd: Decimal = Decimal(0)
    trouble: str = ""


class EnginesReport(Report, frozen=True, kw_only=True):
    """The engines of an installation; one that is asked by itself knows itself alone."""

    engines: list[EngineLine]


class EngineIds(Report, frozen=True, kw_only=True):
    """All engines that ever kept their books here."""

    engine_ids: list[str]


class VersionReport(Report, frozen=True, kw_only=True):
    """What runs here."""

    version: str
    commit: str
    run_id: str
    python: str
    started_at_ns: int


class Acknowledged(Report, frozen=True, kw_only=True):
    """The command was carried out and is durable; `text` says what is so now."""

    text: str
    is_killed: bool
    is_paused: bool
    mode: Mode


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One act in the chain."""

    position: int
    at_ns: int
    engine_id: str
    by: str
    action: str
    hash: str


class AuditReport(Report, frozen=True, kw_only=True):
    """The audit.

    Attributes:
        lines: the newest acts, newest first.
        links: how many there are in all.
        newest: hash of the newest.
        broken: what is wrong with the chain, empty if it is whole.
        gaps: what was missed when a ledger was opened.
    """

    lines: list[AuditLine]
    links: int
    newest: str
    broken: str
    gaps: list[str]


class KillPath(msgspec.Struct, frozen=True, kw_only=True):
    """What one of the ways to stop the engine came to."""

    is_done: bool
    text: str


class KillReport(Report, frozen=True, kw_only=True):
    """What is true after a kill, for each role.

    Attributes:
        engine: it holds every plan, by its own memory.
        latch_file: it is set: every engine reads it before every plan, over restarts.
        ledger: it stored the kill: an engine that starts holds, even where the file is not set.
        of: the only engine that was killed; empty for all.
    """

    engine: KillPath
    latch_file: KillPath
    ledger: KillPath
    of: str = ""


class Declined(Report, frozen=True, kw_only=True):
    """The command was not carried out.

    Attributes:
        needs_confirmation: the same command with its confirmation would be carried out.
        needs_code: that is a one-time code.
        nearest: of what exists, what was probably meant.
    """

    why: str
    needs_confirmation: bool = False
    needs_code: bool = False
    nearest: str = ""


class Unknown(Report, frozen=True, kw_only=True):
    """What was asked for does not exist."""

    what: str


class InboxStored(Report, frozen=True, kw_only=True):
    """Durable; `new_ids` are those that were not stored before."""

    new_ids: list[int] = []


class InboxItems(Report, frozen=True, kw_only=True):
    """Stored updates that were not yet done."""

    updates: list[tuple[int, bytes]]


class NoticesReport(Report, frozen=True, kw_only=True):
    """Stored notices, oldest first; `delivered_seq` is what the reader confirmed last."""

    notices: list[StampedNotice]
    delivered_seq: int
    newest_seq: int


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """What one thing was told in: later news of it edits that message."""

    name: str
    message_id: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat keeps under a name of its own; without a value it is to be forgotten."""

    name: str
    value: bytes | None


class KeptReport(Report, frozen=True, kw_only=True):
    """All that a chat keeps."""

    states: list[Kept]


class ThreadsReport(Report, frozen=True, kw_only=True):
    """Messages of a chat that later news may edit, oldest first."""

    threads: list[Thread]


def step_lines(plan: OnChain, transaction: Transaction | None) -> list[LegLine]:
    """Return the swaps of a transaction as legs: each buys what it receives with what it gives.

    One that reverted, or is not known to have landed, filled nothing.
    """
    receipt = None if transaction is None else transaction.receipt
    swaps = () if receipt is None else receipt.swaps
    lines = []
    for number, step in enumerate(plan.steps):
        swap = swaps[number] if swaps else None
        lines.append(
            LegLine(
                venue=step.venue,
                pair=f"{step.target}-{step.source}",
                side=Side.BUY.value,
                purpose=Purpose.LEG.value,
                size_base=step.amount_out,
                price_limit=step.amount_in / step.amount_out_min,
                filled_base=Decimal(0) if swap is None else swap.amount_out,
                price_average=None if swap is None else swap.amount_in / swap.amount_out,
                fee_quote=Decimal(0),
                frame_seq=step.frame_seq,
            )
        )
    return lines
