"""Reports of the engine role, made from the parts of its run."""

import math
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil

from engine.bus.place_reports import FeesReport, PlacesReport
from engine.bus.quote_report import QuotesReport
from engine.bus.reports import (
    Declined,
    EngineLine,
    LimitsReport,
    OpportunitiesReport,
    SpreadsReport,
    StatusReport,
    VenuesReport,
    VersionReport,
    WatchedLine,
    WhyReport,
)
from engine.decide.bounds.edge import EDGE_BPS
from engine.domain.instruments import VenueId
from engine.domain.switched_off import Off, PlaceKind
from engine.domain.units import NS_PER_S
from engine.operate.core_parts import Core
from engine.operate.journal.recent import Entry
from engine.operate.latency import LatencyRing
from engine.operate.places import fees_report, find_fee_venue, find_place, places_report
from engine.operate.quote_map import quotes_report
from engine.operate.venue_lines import VenueLines
from engine.operate.why_report import make_why_report


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
        self._venues = VenueLines(core, sights.venue_notes)

    def status(self, at_ns: int) -> StatusReport:
        """Return the overview."""
        core = self._core
        without_room, without_room_usd = core.detector.without_room
        return StatusReport(
            basis=core.basis,
            market_note=core.header.market_note,
            run_id=core.header.run_id,
            mode=core.control.mode,
            is_killed=self._sights.is_killed(),
            is_paused=core.control.is_paused,
            is_chat_blind=core.control.is_blind,
            uptime_s=(at_ns - self._core.started_at_ns) // NS_PER_S,
            venues=self._venues.all(at_ns),
            found=core.journal.counts.found,
            found_by_legs=self._found_by_legs(),
            found_by_kind=dict(sorted(self._core.journal.counts.found_by_kind.items())),
            watched=dict(core.journal.counts.watched.most_common()),
            traded_by_kind=dict(sorted(core.journal.counts.traded_by_kind.items())),
            profit_usd_by_kind=dict(sorted(core.journal.counts.profit_usd_by_kind.items())),
            planned=core.journal.counts.planned,
            traded=core.journal.counts.traded,
            refused=self._refused(),
            crowded_out=core.detector.crowded_out,
            without_room=without_room,
            without_room_usd=without_room_usd,
            displaced=core.detector.displaced,
            unsized=core.detector.unsized,
            pools_cut=core.detector.pools_cut,
            moves_refused=core.moving_pools.moves_refused,
            told_left_out=core.moving_pools.told_ahead.left_out,
            told_left_out_bps_max=core.moving_pools.told_ahead.left_out_bps_max,
            pools_waiting=core.detector.pools_waiting,
            profit_usd_paper=core.journal.counts.profit_usd,
            traded_live=core.journal.counts.traded_live,
            profit_usd_live=core.journal.counts.profit_usd_live,
            latency_us=core.hot_path.latency.summary_us(),
            loop_lag_us=self._sights.loop_lag.summary_us(),
            memory_mb={"engine": round(psutil.Process().memory_info().rss / 1_048_576, 1)},
            records_waiting=self._sights.waiting(),
            recording=self._sights.recording(),
            recording_failure=self._sights.recording_failure(),
            prices_published=self._sights.prices_published(),
            prices_failure=self._sights.prices_failure(),
            off=tuple(one.name for one in core.decider.off.all),
            mixed_shut=core.decider.mixed_shut,
        )

    def line(self, at_ns: int) -> EngineLine:
        """Return this engine at a glance, beside others."""
        core = self._core
        lines = self._venues.all(at_ns)
        return EngineLine(
            engine_id=core.header.engine_id,
            mode=core.control.mode,
            is_killed=self._sights.is_killed(),
            is_paused=core.control.is_paused,
            books_live=sum(line.books_live for line in lines if not line.is_chain),
            traded=core.journal.counts.traded,
            profit_usd=core.journal.counts.profit_usd,
            traded_live=core.journal.counts.traded_live,
            profit_usd_live=core.journal.counts.profit_usd_live,
        )

    def _found_by_legs(self) -> dict[int, int]:
        return dict(sorted(self._core.journal.counts.found_by_legs.items()))

    def venues(self, at_ns: int) -> VenuesReport:
        """Return every instrument."""
        core = self._core
        return VenuesReport(
            basis=core.basis,
            market_note=core.header.market_note,
            venues=self._venues.all(at_ns),
            instruments=[
                self._venues.instrument(book, at_ns)
                for book in range(len(core.board.instruments))
                if book not in core.board.former
            ],
        )

    def quotes(self, at_ns: int) -> QuotesReport:
        """Return who quotes what."""
        return quotes_report(self._core, at_ns)

    def opportunities(
        self, limit: int, at_ns: int, *, is_newest_first: bool = False
    ) -> OpportunitiesReport:
        """Return those of the most worth, or the newest, and among these the open ones first."""
        core = self._core
        without_room, without_room_usd = core.detector.without_room
        kept = core.journal.recent.listed()
        if not is_newest_first:
            kept.sort(key=_worth_usd, reverse=True)
        shown, left_out = kept[: max(limit, 0)], kept[max(limit, 0) :]
        shown.sort(key=lambda entry: entry.closed_at_ns is not None)
        return OpportunitiesReport(
            basis=core.basis,
            market_note=core.header.market_note,
            opportunities=[entry.line(at_ns) for entry in shown],
            is_newest_first=is_newest_first,
            left_out=len(left_out),
            left_out_open=sum(entry.closed_at_ns is None for entry in left_out),
            found=core.journal.counts.found,
            found_by_legs=self._found_by_legs(),
            refused=self._refused(),
            crowded_out=core.detector.crowded_out,
            without_room=without_room,
            without_room_usd=without_room_usd,
            displaced=core.detector.displaced,
            unsized=core.detector.unsized,
            pools_waiting=core.detector.pools_waiting,
            watched=self._watched(at_ns),
        )

    def _watched(self, at_ns: int) -> WatchedLine | None:
        """Return what no executor carries out, None if nothing of it was found."""
        journal = self._core.journal
        if not journal.counts.watched:
            return None
        is_open = [one for one in journal.recent.watched if one.closed_at_ns is None]
        valued = [one for one in is_open if one.profit_usd is not None]
        best = max(valued, key=lambda one: one.profit_usd or 0.0, default=None)
        return WatchedLine(
            found=dict(journal.counts.watched.most_common()),
            open=len(is_open),
            best=None if best is None else best.line(at_ns),
        )

    async def why(self, ref: str, at_ns: int) -> WhyReport | None:
        """Return the decision on a recent opportunity, None if it is not among them."""
        return await make_why_report(self._core, ref, at_ns)

    def limits(self, at_ns: int) -> LimitsReport:
        """Return all limits."""
        core = self._core
        return LimitsReport(
            basis=core.basis,
            market_note=core.header.market_note,
            limits=core.decider.limit_lines(at_ns),
        )

    def places(self, kind: PlaceKind) -> PlacesReport:
        """Return all venues, or pairs, that can be switched off."""
        return places_report(self._core, kind)

    def place(self, kind: PlaceKind, said: str, at_ns: int) -> Off | Declined:
        """Return what the operator names, as it would be off from now on."""
        return find_place(self._core, kind, said, at_ns=at_ns)

    def fees(self) -> FeesReport:
        """Return all fees that are reckoned with."""
        return fees_report(self._core)

    def fee_venue(self, said: str) -> VenueId | Declined:
        """Return the venue that the operator names, if its fee can be set."""
        return find_fee_venue(self._core, said)

    def spreads(self, at_ns: int) -> SpreadsReport:
        """Return the gaps between books and the nearest misses."""
        core = self._core
        return SpreadsReport(
            basis=core.basis,
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
            started_at_ns=self._core.started_at_ns,
        )

    def _refused(self) -> dict[str, int]:
        refused = self._core.journal.counts.refused
        return {reason.value: count for reason, count in refused.most_common()}


def _worth_usd(entry: Entry) -> float:
    """Return what an opportunity gains after all costs; what nobody can value comes last."""
    return -math.inf if entry.profit_usd is None else entry.profit_usd
