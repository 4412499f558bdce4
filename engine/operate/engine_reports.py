"""Reports of the engine role, made from the parts of its run."""

import asyncio
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import psutil

from engine.bus.reports import (
    EngineLine,
    ExactNow,
    InstrumentLine,
    LegLine,
    LimitsReport,
    OpportunitiesReport,
    PlaceShare,
    SplitNow,
    SpreadsReport,
    StatusReport,
    ValuesLine,
    VenueLine,
    VenuesReport,
    VersionReport,
    WhyReport,
    step_lines,
)
from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.limit_list import SLIPPAGE_BPS
from engine.detect.moving.pool_health import chain_of
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Opportunity
from engine.domain.orders import Execution, Purpose
from engine.domain.plans import AtomicPlan, Plan
from engine.domain.units import BPS_PER_UNIT, NS_PER_MS, NS_PER_S
from engine.kernels.layout import ASK, BID, COUNT
from engine.operate.core_parts import Core
from engine.operate.journal.recent import Entry
from engine.operate.latency import LatencyRing
from engine.quote.gap import Unconfirmed
from engine.quote.route_values import values_of_opportunity
from engine.quote.split import ConfirmedSplit, PlacePart


@dataclass(frozen=True, slots=True, kw_only=True)
class Sights:
    """What reports show of a run beside its core.

    Attributes:
        is_killed: reads the kill latch (not recorded: a report is no decision).
        waiting: number of records that the ledger does not have yet.
        recording: where the run is recorded, None if it is not to be.
        recording_failure: why recording stopped, None if it did not.
        prices_published: rows of the price matrix written so far, None without one.
        prices_failure: why there is no price matrix, None if there is.
        loop_lag: how late the loop's ticks were.
        venue_notes: tells what a venue said that keeps us away, or why it is not in the run.
    """

    is_killed: Callable[[], bool]
    waiting: Callable[[], int]
    recording: Callable[[], str | None]
    recording_failure: Callable[[], str | None]
    prices_published: Callable[[], int | None]
    prices_failure: Callable[[], str | None]
    loop_lag: LatencyRing
    venue_notes: Callable[[], Mapping[VenueId, str]]


class EngineReports:
    """Makes reports; nothing here changes the run."""

    def __init__(self, core: Core, sights: Sights) -> None:
        self._core = core
        self._sights = sights

    def status(self, at_ns: int) -> StatusReport:
        """Return the overview."""
        core = self._core
        return StatusReport(
            basis=core.header.basis,
            market_note=core.header.market_note,
            run_id=core.header.run_id,
            mode=core.control.mode,
            is_killed=self._sights.is_killed(),
            is_paused=core.control.is_paused,
            uptime_s=(at_ns - self._started_at_ns) // NS_PER_S,
            venues=self._venue_lines(at_ns),
            found=core.journal.counts.found,
            found_by_legs=self._found_by_legs(),
            planned=core.journal.counts.planned,
            traded=core.journal.counts.traded,
            refused=self._refused(),
            crowded_out=core.detector.crowded_out,
            displaced=core.detector.displaced,
            unsized=core.detector.unsized,
            pools_cut=core.detector.pools_cut,
            moves_refused=core.moving_pools.moves_refused,
            pools_waiting=core.detector.pools_waiting,
            profit_usd_paper=core.journal.counts.profit_usd,
            latency_us=core.hot_path.latency.summary_us(),
            loop_lag_us=self._sights.loop_lag.summary_us(),
            memory_mb={"engine": round(psutil.Process().memory_info().rss / 1_048_576, 1)},
            records_waiting=self._sights.waiting(),
            recording=self._sights.recording(),
            recording_failure=self._sights.recording_failure(),
            prices_published=self._sights.prices_published(),
            prices_failure=self._sights.prices_failure(),
        )

    def line(self, at_ns: int) -> EngineLine:
        """Return this engine at a glance, beside others."""
        core = self._core
        lines = self._venue_lines(at_ns)
        return EngineLine(
            engine_id=core.header.engine_id,
            mode=core.control.mode,
            is_killed=self._sights.is_killed(),
            is_paused=core.control.is_paused,
            books_live=sum(line.books_live for line in lines if not line.is_chain),
            traded=core.journal.counts.traded,
            profit_usd=core.journal.counts.profit_usd,
        )

    @property
    def _started_at_ns(self) -> int:
        """When the run started, by the clock as it is now."""
        return self._core.header.started_at_ns + self._core.hot_path.stepped_ns

    def _found_by_legs(self) -> dict[int, int]:
        return dict(sorted(self._core.journal.counts.found_by_legs.items()))

    def venues(self, at_ns: int) -> VenuesReport:
        """Return every instrument."""
        core = self._core
        return VenuesReport(
            basis=core.header.basis,
            market_note=core.header.market_note,
            venues=self._venue_lines(at_ns),
            instruments=[
                self._instrument_line(book, at_ns)
                for book in range(len(core.board.instruments))
                if book not in core.board.former
            ],
        )

    def opportunities(self, limit: int, at_ns: int) -> OpportunitiesReport:
        """Return open opportunities first, then recent ones, newest first."""
        core = self._core
        newest = list(reversed(core.journal.recent.newest))
        newest.sort(key=lambda entry: entry.closed_at_ns is not None)
        return OpportunitiesReport(
            basis=core.header.basis,
            market_note=core.header.market_note,
            opportunities=[entry.line(at_ns) for entry in newest[: max(limit, 0)]],
            found=core.journal.counts.found,
            found_by_legs=self._found_by_legs(),
            refused=self._refused(),
            crowded_out=core.detector.crowded_out,
            displaced=core.detector.displaced,
            unsized=core.detector.unsized,
            pools_waiting=core.detector.pools_waiting,
        )

    async def why(self, ref: str, at_ns: int) -> WhyReport | None:
        """Return the decision on a recent opportunity, None if it is not among them.

        Frames may be taken while shares of an open route are looked for.
        """
        core = self._core
        entry = core.journal.recent.find(ref)
        if entry is None:
            return None
        split_now = await self._split_now(entry, at_ns)
        execution = entry.execution
        return WhyReport(
            basis=core.header.basis,
            market_note=core.header.market_note,
            run_id=core.header.run_id,
            line=entry.line(at_ns),
            frame_seqs=entry.frame_seqs,
            gross_edge_bps=entry.opportunity.gross_edge_bps,
            later_refusals=[(reason.value, detail) for reason, detail in entry.later_refusals],
            ended=entry.ended,
            legs=_leg_lines(entry),
            execution_id=execution.execution_id if execution else None,
            profit_usd=execution.profit_usd if execution else None,
            expected_usd=execution.expected_usd if execution else None,
            story=execution.story if execution else None,
            values=self._values(entry.opportunity),
            exact_now=self._exact_now(entry),
            split_now=split_now,
        )

    def _values(self, seen: Opportunity) -> ValuesLine:
        terms = self._core.header.terms
        values = values_of_opportunity(
            seen,
            pools=self._core.pools,
            slippage_bps=self._core.decider.limits[SLIPPAGE_BPS],
            transfer_bps=terms.transfer_bps,
            flash_fee_bps=terms.flash_fee_bps,
            gas_prices_gwei=self._core.gas_prices_gwei,
        )
        gas_price = values.gas_price_break_even_gwei
        return ValuesLine(
            profit_expected=float(values.profit_expected),
            profit_worst=float(values.profit_worst),
            kill_move_bps=float(values.kill_move_ratio * BPS_PER_UNIT),
            gas_price_break_even_gwei=None if gas_price is None else float(gas_price),
            confidence=values.confidence.basis,
        )

    def _exact_now(self, entry: Entry) -> ExactNow | None:
        if entry.closed_at_ns is not None or entry.opportunity.is_gap:
            return None
        found = self._core.route_confirmer.confirm(entry.opportunity)
        if isinstance(found, Unconfirmed):
            return ExactNow(
                paid=Decimal(0), got=Decimal(0), profit_quote=Decimal(0), refusal=found.detail
            )
        return ExactNow(paid=found.paid, got=found.got, profit_quote=found.profit_quote)

    async def _split_now(self, entry: Entry, at_ns: int) -> SplitNow | None:
        if entry.closed_at_ns is not None:
            return None
        steps = self._core.split_confirmer.confirm_in_steps(entry.opportunity, at_ns)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: ConfirmedSplit | None = end.value
                break
            await asyncio.sleep(0)
        if found is None or entry.closed_at_ns is not None:
            return None
        return SplitNow(
            paid=found.route.paid,
            got=found.route.got,
            profit_quote=found.route.profit_quote,
            more_quote=found.more_quote,
            legs=tuple(tuple(_place_share(part) for part in leg) for leg in found.legs),
        )

    def limits(self, at_ns: int) -> LimitsReport:
        """Return all limits."""
        core = self._core
        return LimitsReport(
            basis=core.header.basis,
            market_note=core.header.market_note,
            limits=core.decider.limit_lines(at_ns),
        )

    def spreads(self, at_ns: int) -> SpreadsReport:
        """Return the gaps between books and the nearest misses."""
        core = self._core
        return SpreadsReport(
            basis=core.header.basis,
            market_note=core.header.market_note,
            least_edge_bps=float(core.decider.limits[EDGE_BPS]),
            spreads=core.spread_watch.now(at_ns),
            nearest=core.spread_watch.nearest(at_ns),
        )

    def version(self) -> VersionReport:
        """Return what runs here."""
        version, _, commit = self._core.header.version.partition("+")
        return VersionReport(
            version=version,
            commit=commit or "unknown",
            run_id=self._core.header.run_id,
            python=f"{platform.python_version()} on {os.uname().sysname}",
            started_at_ns=self._started_at_ns,
        )

    def _refused(self) -> dict[str, int]:
        refused = self._core.journal.counts.refused
        return {reason.value: count for reason, count in refused.most_common()}

    def _venue_lines(self, at_ns: int) -> list[VenueLine]:
        core = self._core
        uptime_s = max((at_ns - self._started_at_ns) / NS_PER_S, 0.001)
        notes = self._sights.venue_notes()
        lateness = core.hot_path.lateness
        lines = []
        for number, stream in enumerate(core.header.streams):
            frames = core.hot_path.frames[number]
            books = core.rows.books[number]
            age_ns = core.freshness.venue_age_ns(stream.venue, at_ns)
            lag_ns = lateness.lag_ns(number)
            lines.append(
                VenueLine(
                    venue=stream.venue,
                    is_connected=core.hot_path.is_connected[number],
                    books_live=core.freshness.fresh_books(stream.venue),
                    books=len(books),
                    age_ms=None if age_ns is None else max(age_ns, 0) // NS_PER_MS,
                    frames=frames,
                    frames_per_s=frames / uptime_s,
                    resyncs=core.board.resync_counts[stream.venue],
                    stale_s=core.freshness.stale_s(stream.venue, at_ns),
                    lag_ms=None if lag_ns is None else lag_ns // NS_PER_MS,
                    lag_ms_max=lateness.lags_ns_max[number] // NS_PER_MS,
                    unproven_s=self._unproven_s(books, at_ns),
                    wait_ms_max=lateness.waits_ns_max[number] // NS_PER_MS,
                    faults={
                        fault.value: count
                        for fault, count in sorted(core.board.faults_of(stream.venue).items())
                    },
                    note=notes.get(stream.venue, ""),
                )
            )
        lines += self._pool_venue_lines(at_ns)
        present = {stream.venue for stream in core.header.streams}
        lines += [_missing_line(venue, notes[venue]) for venue in notes if venue not in present]
        return lines

    def _pool_venue_lines(self, at_ns: int) -> list[VenueLine]:
        """Return the venues of pools whose blocks are followed: a block is a frame there."""
        core = self._core
        uptime_s = max((at_ns - self._started_at_ns) / NS_PER_S, 0.001)
        lines = []
        for venue, count in core.moving_pools.counts.items():
            chain = chain_of(venue)
            if not core.moving_pools.is_moving(chain):
                continue
            newest_at_ns = core.moving_pools.newest_at_ns(chain)
            blocks = core.moving_pools.block_count(chain)
            faults = core.moving_pools.faults_of(venue)
            lines.append(
                VenueLine(
                    venue=venue,
                    is_connected=core.moving_pools.is_fresh(chain, at_ns),
                    books_live=core.pool_health.fresh_pools(venue, at_ns),
                    books=count,
                    age_ms=None if newest_at_ns is None else (at_ns - newest_at_ns) // NS_PER_MS,
                    frames=blocks,
                    frames_per_s=blocks / uptime_s,
                    resyncs=0,
                    stale_s=core.pool_health.stale_s(venue, at_ns),
                    lag_ms=None,
                    lag_ms_max=0,
                    unproven_s=None,
                    wait_ms_max=0,
                    faults={fault.value: number for fault, number in sorted(faults.items())},
                    note="",
                    is_chain=True,
                )
            )
        return lines

    def _unproven_s(self, books: Sequence[int], at_ns: int) -> float | None:
        board = self._core.board
        times_ns = [board.unproven_ns(book, at_ns) for book in books if board.is_live(book)]
        longest_ns = max((one for one in times_ns if one is not None), default=None)
        return None if longest_ns is None else longest_ns / NS_PER_S

    def _instrument_line(self, book: int, at_ns: int) -> InstrumentLine:
        core = self._core
        board, instrument = core.board, core.board.instruments[book]
        bids, asks = board.top_levels(book, 1)
        age_ns = core.freshness.age_ns(book, at_ns)
        reason = board.stale_reasons[book]
        return InstrumentLine(
            venue=instrument.venue,
            pair=str(instrument.pair),
            kind=instrument.kind.value,
            is_live=board.is_live(book),
            stale_reason=reason.value if reason else None,
            age_ms=None if age_ns is None else max(age_ns, 0) // NS_PER_MS,
            bid=f"{instrument.price_of(bids[0][0]):f}" if bids else None,
            ask=f"{instrument.price_of(asks[0][0]):f}" if asks else None,
            levels=int(board.state[book, COUNT + BID] + board.state[book, COUNT + ASK]),
            note="" if board.is_live(book) else board.notes[book],
        )


def _missing_line(venue: VenueId, note: str) -> VenueLine:
    return VenueLine(
        venue=venue,
        is_connected=False,
        books_live=0,
        books=0,
        age_ms=None,
        frames=0,
        frames_per_s=0.0,
        resyncs=0,
        stale_s=0.0,
        lag_ms=None,
        lag_ms_max=0,
        wait_ms_max=0,
        unproven_s=None,
        faults={},
        note=note,
    )


def _place_share(part: PlacePart) -> PlaceShare:
    return PlaceShare(
        venue=part.place.venue,
        place=part.place.name,
        amount_in=part.amount_in,
        amount_out=part.amount_out,
        share_ratio=part.share_ratio,
    )


def _leg_lines(entry: Entry) -> list[LegLine]:
    if entry.execution is not None:
        if isinstance(entry.plan, AtomicPlan):
            return step_lines(entry.plan, entry.execution.transaction)
        return _executed_legs(entry.execution)
    return [] if entry.plan is None else _planned_legs(entry.plan)


def _planned_legs(plan: Plan) -> list[LegLine]:
    if isinstance(plan, AtomicPlan):
        return step_lines(plan, None)
    return [
        LegLine(
            venue=leg.venue,
            pair=str(leg.instrument.pair),
            side=leg.side.value,
            purpose=Purpose.LEG.value,
            size_base=leg.size_base,
            price_limit=leg.price_limit,
            filled_base=leg.size_base * 0,
            price_average=None,
            fee_quote=leg.fee_quote,
            fee_base=leg.fee_base,
            frame_seq=leg.frame_seq,
        )
        for leg in plan.legs
    ]


def _executed_legs(execution: Execution) -> list[LegLine]:
    lines = []
    for order in execution.orders:
        filled_base = order.filled_base
        paid_quote = sum(fill.price * fill.size_base for fill in order.fills)
        lines.append(
            LegLine(
                venue=order.instrument.venue,
                pair=str(order.instrument.pair),
                side=order.side.value,
                purpose=order.purpose.value,
                size_base=order.size_base,
                price_limit=order.price_limit,
                filled_base=filled_base,
                price_average=paid_quote / filled_base if filled_base and paid_quote else None,
                fee_quote=sum((fill.fee_quote for fill in order.fills), filled_base * 0),
                fee_base=sum((fill.fee_base for fill in order.fills), filled_base * 0),
                frame_seq=max((fill.frame_seq for fill in order.fills), default=0),
            )
        )
    return lines
