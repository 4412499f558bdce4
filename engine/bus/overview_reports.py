"""Reports of how things stand: venues, instruments, opportunities, limits, prices, engines."""

from decimal import Decimal

import msgspec

from engine.bus.report import Report
from engine.domain.delays import Delayed
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode
from engine.domain.opportunities import Hop


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
        watched: what was found beside these and no executor carries out, by why.
        traded_by_kind, profit_usd_by_kind: what was traded on paper, and what that came to,
            likewise.
        traded_live, profit_usd_live: what was signed and sent, which no other figure holds.
        crowded_out: how often a route found no room among the open ones.
        without_room, without_room_usd: how many routes are so now, and what the best gains.
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
        told_left_out, told_left_out_bps_max: pools of which a webhook told a large swap ahead and
            that are not waited for, as too many were told, and the largest of those swaps.
        mixed_shut: why orders together with a transaction stay on paper in any mode; empty if they
            are carried out for real in mode live, None of versions that did not say.
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
    loop_lag_us: dict[str, float] = msgspec.field(default_factory=dict)
    off: tuple[str, ...] = ()
    is_chat_blind: bool = False
    found_by_kind: dict[str, int] = msgspec.field(default_factory=dict)
    traded_by_kind: dict[str, int] = msgspec.field(default_factory=dict)
    profit_usd_by_kind: dict[str, Decimal] = msgspec.field(default_factory=dict)
    watched: dict[str, int] = msgspec.field(default_factory=dict)
    without_room: int = 0
    without_room_usd: float = 0.0
    traded_live: int = 0
    profit_usd_live: Decimal = Decimal(0)
    mixed_shut: str | None = None
    told_left_out: int = 0
    told_left_out_bps_max: int = 0


class VenuesReport(Report, frozen=True, kw_only=True):
    """All instruments."""

    basis: Basis
    market_note: str
    venues: list[VenueLine]
    instruments: list[InstrumentLine]


class WatchedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What no executor carries out, all of it as one.

    Attributes:
        found: by why, since the start.
        open: how many of them are followed now: there is room for few.
        best: the open one that gains most, None if none is open or nobody knows what any gains.
    """

    found: dict[str, int]
    open: int
    best: OpportunityLine | None


class OpportunitiesReport(Report, frozen=True, kw_only=True):
    """Recent opportunities of the most worth, or the newest, open ones first; what can be traded.

    Attributes:
        is_newest_first: chosen by their age, not by what they gain in USD after all costs.
        left_out: how many more are kept, and `left_out_open` how many of these are open.
        crowded_out, without_room, without_room_usd, displaced, unsized, pools_waiting: see
            `StatusReport`.
        watched: what cannot; None where nothing of it was found.
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
    watched: WatchedLine | None = None
    without_room: int = 0
    without_room_usd: float = 0.0
    is_newest_first: bool = False
    left_out: int = 0
    left_out_open: int = 0


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


class EngineLine(msgspec.Struct, frozen=True, kw_only=True):
    """One of several engines at a glance.

    Attributes:
        traded, profit_usd: on paper; `traded_live` and `profit_usd_live` what was sent.
        trouble: why it did not answer; then nothing else is known of it.
    """

    engine_id: str
    mode: Mode = Mode.OBSERVE
    is_killed: bool = False
    is_paused: bool = False
    books_live: int = 0
    traded: int = 0
    profit_usd: Decimal = Decimal(0)
    traded_live: int = 0
    profit_usd_live: Decimal = Decimal(0)
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
