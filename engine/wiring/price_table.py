"""The rows of the price matrix as a person or a program wants them: a table, or plain values."""

import os
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.kernels.matrix_layout import POOL
from engine.market.matrix_block import Place, RowKind
from engine.market.matrix_reader import PriceMatrixReader, PriceRow
from engine.market.row_cache import RowCache

NS_PER_MS: Final = 1_000_000
MS_PER_S: Final = 1_000

HEADINGS: Final = ("venue", "pair", "bid", "ask", "bid size", "ask size", "age", "live")
TEXT_COLUMNS: Final = 2
"""So many columns stand on the left, the others on the right."""

LINES_BESIDE: Final = 4
"""On a screen: the title, the headings, how many rows are left out, the cursor."""

LINES_OF_METRICS: Final = 2

HOME: Final = "\x1b[H"
END_OF_LINE: Final = "\x1b[K"
END_OF_SCREEN: Final = "\x1b[J"


class PriceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row.

    Attributes:
        venue: of a book; of a pool with its fee.
        kind: ``book`` or ``pool``.
        bid, ask: quote per base, None if absent; a pool's are after its fee.
        bid_size_base, ask_size_base: at the best price, None for a pool.
        age_ms: since the place last changed, None before the first time.
        state: ``yes`` if it is live, ``old`` if it is but has not changed for too long, else
            ``no``.
        version: the matrix's change counter at this change.
    """

    venue: str
    kind: str
    base: str
    quote: str
    bid: float | None
    ask: float | None
    bid_size_base: float | None
    ask_size_base: float | None
    age_ms: int | None
    state: str
    version: int


class MetricsLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader's copies did; see `market.row_cache.CacheMetrics`."""

    hits: int
    misses: int
    hit_ratio: float
    refreshes: int
    deferred: int
    access_ns_p50: int
    access_ns_p99: int
    access_ns_max: int


class PricesShown(msgspec.Struct, frozen=True, kw_only=True):
    """All rows at one look."""

    source: str
    generation: int
    rows: list[PriceLine]
    metrics: MetricsLine | None


def make_shown(
    reader: PriceMatrixReader,
    cache: RowCache,
    *,
    source: str,
    at_ns: int,
    age_ms_max: int,
    has_metrics: bool,
) -> PricesShown:
    """Bring the copies that matter most up to date, then take every row.

    Raises:
        WriterGoneError, BlockReplacedError, RowBusyError: as the cache does.
    """
    cache.refresh()
    rows = [
        _line(place, cache.get(row), at_ns=at_ns, age_ms_max=age_ms_max)
        for row, place in enumerate(reader.places)
    ]
    return PricesShown(
        source=source,
        generation=reader.generation,
        rows=rows,
        metrics=_metrics(cache) if has_metrics else None,
    )


def render_text(shown: PricesShown, *, rows_max: int | None = None) -> str:
    """Render a table; if there are too many rows, those that changed last stay."""
    rows = list(shown.rows)
    if rows_max is not None and len(rows) > rows_max:
        newest = sorted(range(len(rows)), key=lambda row: rows[row].version, reverse=True)
        rows = [rows[row] for row in sorted(newest[:rows_max])]
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [f"{len(shown.rows)} rows, {shown.source}", *(_joined(line, widths) for line in cells)]
    if len(rows) < len(shown.rows):
        left_out = len(shown.rows) - len(rows)
        lines.append(f"... and {left_out} rows that did not change as lately")
    if shown.metrics is not None:
        lines.append(_metrics_text(shown.metrics))
    return "\n".join(lines)


def in_place(shown: PricesShown, *, size: os.terminal_size) -> str:
    """Render a screen that replaces the one before."""
    beside = LINES_BESIDE if shown.metrics is None else LINES_BESIDE + LINES_OF_METRICS
    text = render_text(shown, rows_max=max(size.lines - beside, 1))
    lines = [line[: max(size.columns, 1)] + END_OF_LINE for line in text.split("\n")]
    return HOME + "\n".join(lines) + END_OF_SCREEN


def _line(place: Place, row: PriceRow, *, at_ns: int, age_ms_max: int) -> PriceLine:
    is_book = row.kind != POOL
    age_ms = max(at_ns - row.changed_at_ns, 0) // NS_PER_MS if row.changed_at_ns else None
    # A pool's price stands until the pool changes; a book's is doubtful if nothing moves it.
    is_old = place.kind is RowKind.BOOK and age_ms is not None and age_ms > age_ms_max
    return PriceLine(
        venue=place.name,
        kind=place.kind.value,
        base=place.base,
        quote=place.quote,
        bid=row.bid if row.is_live else None,
        ask=row.ask if row.is_live else None,
        bid_size_base=row.bid_size_base if row.is_live and is_book else None,
        ask_size_base=row.ask_size_base if row.is_live and is_book else None,
        age_ms=age_ms,
        state="no" if not row.is_live else "old" if is_old else "yes",
        version=row.version,
    )


def _metrics(cache: RowCache) -> MetricsLine:
    found = cache.metrics()
    return MetricsLine(
        hits=found.hits,
        misses=found.misses,
        hit_ratio=found.hit_ratio,
        refreshes=found.refreshes,
        deferred=found.deferred,
        access_ns_p50=found.access_ns_p50,
        access_ns_p99=found.access_ns_p99,
        access_ns_max=found.access_ns_max,
    )


def _metrics_text(metrics: MetricsLine) -> str:
    return (
        f"{metrics.hits} hits, {metrics.misses} misses ({metrics.hit_ratio:.1%} hits), "
        f"{metrics.refreshes} refreshed ahead, {metrics.deferred} left\n"
        f"access {metrics.access_ns_p50} ns median, {metrics.access_ns_p99} ns p99, "
        f"{metrics.access_ns_max} ns longest"
    )


def _cells(row: PriceLine) -> tuple[str, ...]:
    return (
        row.venue,
        f"{row.base}-{row.quote}",
        _number(row.bid),
        _number(row.ask),
        _number(row.bid_size_base),
        _number(row.ask_size_base),
        "-" if row.age_ms is None else f"{row.age_ms / MS_PER_S:.1f} s",
        row.state,
    )


def _number(value: float | None) -> str:
    """Write ten digits at most, never with an exponent."""
    return "-" if value is None else f"{Decimal(f'{value:.10g}'):f}"


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if column < TEXT_COLUMNS else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ).rstrip()
