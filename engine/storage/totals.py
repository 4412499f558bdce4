"""Figures over executions: what an engine restores, what a person asks for."""

from collections import defaultdict
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import EngineState
from engine.bus.reports import PnlReport, TradeLine, TradesReport
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode
from engine.storage.tables import executions, operator_state

DAY_NS = 86_400 * 1_000_000_000
TRADES_MAX = 1_000
POINTS_MAX = 2_000


async def load_state(
    connection: AsyncConnection, *, day_start_ns: int, basis: Basis | None
) -> EngineState:
    """Load what an engine needs at start; profit and leftovers of `basis` only, if given."""
    newest = await connection.execute(
        select(operator_state.c.mode, operator_state.c.is_paused)
        .order_by(operator_state.c.seq.desc())
        .limit(1)
    )
    state = newest.one_or_none()
    today = await connection.execute(
        select(executions.c.profit_usd).where(executions.c.closed_at_ns >= day_start_ns, _of(basis))
    )
    return EngineState(
        mode=None if state is None else Mode(state.mode),
        is_paused=False if state is None else state.is_paused,
        realised_today_usd=f"{exact_sum(today.scalars()):f}",
        residuals=await _load_residuals(connection, basis=basis),
    )


async def load_trades(connection: AsyncConnection, *, limit: int) -> TradesReport:
    """Load the newest executions, `TRADES_MAX` at most."""
    total = await connection.execute(select(func.count()).select_from(executions))
    newest = await connection.execute(
        select(executions)
        .order_by(executions.c.closed_at_ns.desc(), executions.c.execution_id.desc())
        .limit(max(1, min(limit, TRADES_MAX)))
    )
    trades = [
        TradeLine(
            execution_id=row.execution_id,
            opportunity_id=row.opportunity_id,
            closed_at_ns=row.closed_at_ns,
            basis=Basis(row.basis),
            pair=row.pair,
            buy_venue=row.buy_venue,
            sell_venue=row.sell_venue,
            size_base=row.size_base,
            profit_usd=row.profit_usd,
            expected_usd=row.expected_usd,
            residual_base=row.residual_base,
        )
        for row in newest
    ]
    return TradesReport(trades=trades, total=total.scalar_one())


async def load_pnl(connection: AsyncConnection, *, since_ns: int, basis: Basis | None) -> PnlReport:
    """Load realised profit since an instant.

    All figures but `by_basis` are of `basis` only, if given. The curve is thinned to `POINTS_MAX`
    points; its last point always stands.
    """
    rows = await connection.execute(
        select(
            executions.c.closed_at_ns,
            executions.c.basis,
            executions.c.pair,
            executions.c.buy_venue,
            executions.c.sell_venue,
            executions.c.profit_usd,
            executions.c.expected_usd,
        )
        .where(executions.c.closed_at_ns >= since_ns)
        .order_by(executions.c.closed_at_ns, executions.c.execution_id)
    )
    by_basis: defaultdict[str, Decimal] = defaultdict(Decimal)
    by_route: dict[str, tuple[Decimal, int]] = {}
    points: list[tuple[int, Decimal]] = []
    realised = expected = Decimal(0)
    wins = 0
    for row in rows:
        by_basis[row.basis] = exact_sum((by_basis[row.basis], row.profit_usd))
        if basis is not None and row.basis != basis:
            continue
        realised = exact_sum((realised, row.profit_usd))
        expected = exact_sum((expected, row.expected_usd))
        wins += row.profit_usd > 0
        route = f"{row.pair} {row.buy_venue}→{row.sell_venue}"
        profit, count = by_route.get(route, (Decimal(0), 0))
        by_route[route] = exact_sum((profit, row.profit_usd)), count + 1
        points.append((row.closed_at_ns, realised))
    return PnlReport(
        since_ns=since_ns,
        realised_usd=realised,
        expected_usd=expected,
        executions=len(points),
        wins=wins,
        by_route=by_route,
        by_basis=dict(by_basis),
        points=_thin(points),
    )


async def _load_residuals(
    connection: AsyncConnection, *, basis: Basis | None
) -> list[tuple[VenueId, str, str]]:
    """Sum what executions left over: too much lies at the buy venue, too little at the sell one."""
    rows = await connection.execute(
        select(
            executions.c.buy_venue,
            executions.c.sell_venue,
            executions.c.base,
            executions.c.residual_base,
        ).where(executions.c.residual_sign != 0, _of(basis))
    )
    amounts: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        venue = row.buy_venue if row.residual_base > 0 else row.sell_venue
        place = (venue, row.base)
        amounts[place] = exact_sum((amounts[place], row.residual_base))
    return [
        (VenueId(venue), base, f"{amount:f}")
        for (venue, base), amount in sorted(amounts.items())
        if amount != 0
    ]


def _of(basis: Basis | None) -> ColumnElement[bool]:
    return true() if basis is None else executions.c.basis == basis.value


def _thin(points: list[tuple[int, Decimal]]) -> list[tuple[int, Decimal]]:
    step = -(-len(points) // POINTS_MAX) or 1
    return points[::-1][::step][::-1]
