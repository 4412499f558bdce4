"""The venues and chains of a run as reports show them."""

from collections.abc import Callable, Mapping, Sequence

from engine.bus.reports import InstrumentLine, VenueLine
from engine.detect.moving.pool_health import chain_of
from engine.domain.instruments import VenueId
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.kernels.layout import ASK, BID, COUNT
from engine.operate.core_parts import Core


class VenueLines:
    """Makes a line of each.

    Args:
        notes: tells what a venue said that keeps us away, or why it is not in the run.
    """

    def __init__(self, core: Core, notes: Callable[[], Mapping[VenueId, str]]) -> None:
        self._core = core
        self._notes = notes

    def all(self, at_ns: int) -> list[VenueLine]:
        """Return all venues: connected ones, chains, and those that the run could not have."""
        core = self._core
        uptime_s = max((at_ns - core.started_at_ns) / NS_PER_S, 0.001)
        notes = self._notes()
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
        uptime_s = max((at_ns - core.started_at_ns) / NS_PER_S, 0.001)
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

    def instrument(self, book: int, at_ns: int) -> InstrumentLine:
        """Return the line of a book."""
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
