"""The rows of the price matrix as a person or a program wants them: a table, or plain values."""

import math
import os
import textwrap
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.units import NS_PER_MS
from engine.kernels.matrix_layout import KIND
from engine.market.matrix_block import Place, RowKind
from engine.market.matrix_reader import PriceMatrixReader, PriceRow
from engine.market.row_cache import RowCache

HEADINGS: Final = ("venue", "pair", "bid", "ask", "bid size", "ask size", "age", "live")
TEXT_COLUMNS: Final = 2
"""So many columns stand on the left, the others on the right."""

SIZE_COLUMNS: Final = (4, 5)
FITS: Final = ((10, 10, 2), (10, 6, 2), (10, 5, 2), (9, 5, 1), (8, 4, 1), (8, 3, 1), (8, 0, 1))
"""Digits of prices and of sizes, and blanks between columns, tried until the table is as narrow as
the terminal; 0 digits leave a column out. A number is never cut, as it would be another one."""

AGES: Final = (
    (100_000, 1_000, "s", 1),
    (1_000_000, 1_000, "s", 0),
    (6_000_000, 60_000, "min", 0),
    (math.inf, 3_600_000, "h", 0),
)
"""An age below so many milliseconds is told in such a unit, with so many digits after the point."""

LINES_BESIDE: Final = 3
"""On a screen, beside the title: the headings, how many rows are left out, the cursor."""

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
        if place.kind is not RowKind.FORMER
    ]
    return PricesShown(
        source=source,
        generation=reader.generation,
        rows=rows,
        metrics=_metrics(cache) if has_metrics else None,
    )


def render_text(
    shown: PricesShown, *, columns: int | None = None, rows_max: int | None = None
) -> str:
    """Render a table; if there are too many rows, those that changed last stay."""
    rows = list(shown.rows)
    if rows_max is not None and len(rows) > rows_max:
        newest = sorted(range(len(rows)), key=lambda row: rows[row].version, reverse=True)
        rows = [rows[row] for row in sorted(newest[:rows_max])]
    lines = [*_title(shown, columns), *_table(rows, columns)]
    if len(rows) < len(shown.rows):
        left_out = len(shown.rows) - len(rows)
        lines.append(f"... and {left_out} rows that did not change as lately")
    if shown.metrics is not None:
        lines.append(_metrics_text(shown.metrics))
    return "\n".join(lines)


def in_place(shown: PricesShown, *, size: os.terminal_size) -> str:
    """Render a screen that replaces the one before."""
    beside = LINES_BESIDE + len(_title(shown, size.columns))
    beside += 0 if shown.metrics is None else LINES_OF_METRICS
    text = render_text(shown, columns=size.columns, rows_max=max(size.lines - beside, 1))
    lines = [line[: max(size.columns, 1)] + END_OF_LINE for line in text.split("\n")]
    return HOME + "\n".join(lines) + END_OF_SCREEN


def _line(place: Place, row: PriceRow, *, at_ns: int, age_ms_max: int) -> PriceLine:
    is_book = row.kind != KIND.POOL
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


def _title(shown: PricesShown, columns: int | None) -> list[str]:
    title = f"{len(shown.rows)} rows, {shown.source}"
    return [title] if columns is None else textwrap.wrap(title, max(columns, 1))


def _table(rows: Sequence[PriceLine], columns: int | None) -> list[str]:
    lines: list[str] = []
    for price_digits, size_digits, gap in FITS:
        cells = [HEADINGS, *(_cells(row, price_digits, size_digits) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        shown = [n for n in range(len(HEADINGS)) if size_digits or n not in SIZE_COLUMNS]
        lines = [_joined(line, widths, shown, gap) for line in cells]
        if columns is None or max(map(len, lines)) <= columns:
            break
    return lines


def _cells(row: PriceLine, price_digits: int, size_digits: int) -> tuple[str, ...]:
    return (
        row.venue,
        f"{row.base}-{row.quote}",
        _number(row.bid, price_digits),
        _number(row.ask, price_digits),
        _number(row.bid_size_base, size_digits),
        _number(row.ask_size_base, size_digits),
        _age(row.age_ms),
        row.state,
    )


def _age(age_ms: int | None) -> str:
    if age_ms is None:
        return "-"
    return next(
        f"{age_ms / unit_ms:.{digits}f} {unit}"
        for below_ms, unit_ms, unit, digits in AGES
        if age_ms < below_ms
    )


def _number(value: float | None, digits: int) -> str:
    """Write so many digits at most, never with an exponent."""
    return "-" if value is None else f"{Decimal(f'{value:.{digits}g}'):f}"


def _joined(cells: Sequence[str], widths: Sequence[int], shown: Sequence[int], gap: int) -> str:
    return (
        (" " * gap)
        .join(
            cells[column].ljust(widths[column])
            if column < TEXT_COLUMNS
            else cells[column].rjust(widths[column])
            for column in shown
        )
        .rstrip()
    )
