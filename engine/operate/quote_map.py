"""Who quotes what: each place's books and pools by pair, what stands there, and how fresh it is."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.bus.quote_report import QuoteLine, QuotesReport
from engine.core.pool_figures import figures_of
from engine.core.shared_rows import rows_of
from engine.detect.moving.pool_health import chain_of
from engine.domain.assets import AssetCode
from engine.domain.instruments import Kind
from engine.domain.units import NS_PER_MS
from engine.kernels.layout import ASK, BID
from engine.operate.core_parts import Core

BAND_RATIO: Final = Decimal("0.001")
"""Of a book it is told what stands within so much of its best prices."""

LEVELS_MAX: Final = 16


@dataclass(slots=True)
class _Cell:
    count: int = 0
    live: int = 0
    usd: float | None = None
    age_ms: int | None = None

    def add(self, usd: float | None, age_ms: int | None) -> None:
        """Add what is live."""
        self.live += 1
        if usd is not None:
            self.usd = (self.usd or 0.0) + usd
        if age_ms is not None:
            self.age_ms = age_ms if self.age_ms is None else min(self.age_ms, age_ms)


def quotes_report(core: Core, at_ns: int) -> QuotesReport:
    """Return a line for each place and pair."""
    cells: dict[tuple[str, str], _Cell] = {}
    for book, instrument in enumerate(core.board.instruments):
        if instrument.kind is Kind.SPOT and book not in core.board.former:
            cell = cells.setdefault((instrument.venue, str(instrument.pair)), _Cell())
            cell.count += 1
            if core.board.is_live(book):
                age_ns = core.freshness.age_ns(book, at_ns)
                age_ms = None if age_ns is None else max(age_ns, 0) // NS_PER_MS
                cell.add(_usd_of_book(core, book, at_ns), age_ms)
    for number, pool in core.moving_pools.terms.items():
        chain = chain_of(pool.venue)
        newest_ns = core.moving_pools.newest_at_ns(chain)
        is_fresh = core.moving_pools.is_fresh(chain, at_ns)
        prepared = core.pools.get(number)
        for row in rows_of(pool):
            cell = cells.setdefault((pool.venue, f"{row.base}-{row.quote}"), _Cell())
            cell.count += 1
            if prepared is None or not is_fresh or number in core.moving_pools.reasons:
                continue
            held = figures_of(pool, prepared.state).of(pool, row.base, row.quote)
            age_ms = None if newest_ns is None else max(at_ns - newest_ns, 0) // NS_PER_MS
            cell.add(_usd_of(core, (row.base, row.quote), held, at_ns), age_ms)
    return QuotesReport(
        basis=core.basis,
        lines=[
            QuoteLine(
                place=place,
                pair=pair,
                count=one.count,
                live=one.live,
                usd=one.usd,
                age_ms=one.age_ms,
            )
            for (place, pair), one in cells.items()
        ],
    )


def _usd_of_book(core: Core, book: int, at_ns: int) -> float | None:
    """Return what stands near a book's best prices, on both sides."""
    instrument = core.board.instruments[book]
    usd = core.valuation.usd_per(instrument.pair.base, at_ns)
    if usd is None:
        return None
    sides = core.board.top_levels(book, LEVELS_MAX)
    steps = 0
    for side, levels in zip((BID, ASK), sides, strict=True):
        if not levels:
            continue
        best = levels[0][0]
        reach = int(best * BAND_RATIO)
        end = best - reach if side == BID else best + reach
        steps += sum(size for price, size in levels if min(best, end) <= price <= max(best, end))
    return float(instrument.size_of(steps) * usd)


def _usd_of(
    core: Core, assets: tuple[AssetCode, AssetCode], held: tuple[float, float], at_ns: int
) -> float | None:
    """Return what a pool holds of two assets; one that nobody values is worth the other."""
    values = [core.valuation.usd_per(asset, at_ns) for asset in assets]
    known = [
        amount * float(usd) for amount, usd in zip(held, values, strict=True) if usd is not None
    ]
    return sum(known) * len(held) / len(known) if known else None
