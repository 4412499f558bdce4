"""Figures over executions: what an engine restores, what a person asks for."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import EngineState, NoticeRecord
from engine.bus.reports import PnlPart, PnlReport, TradeLine, TradesReport
from engine.domain.assets import AssetCode
from engine.domain.delays import Delayed
from engine.domain.exact import exact_sum
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.live_start import LiveStart
from engine.domain.modes import Basis, Mode, Money, basis_of
from engine.domain.stories import TradeStory
from engine.domain.switched_off import Off
from engine.domain.units import NS_PER_DAY, NS_PER_MINUTE
from engine.storage import generations, outcomes, permit_store
from engine.storage.append import notice_row
from engine.storage.balances import load_holdings, load_opened
from engine.storage.drawdowns import load_drawdown_usd
from engine.storage.gas_paid import load_gas_usd
from engine.storage.insertion import insert_new
from engine.storage.intents import load_open_plans
from engine.storage.last_prices import load_last_prices
from engine.storage.latch_acts import load_codes, load_latch
from engine.storage.measured_edges import load_measured_edge
from engine.storage.residuals import load_left_over, load_residuals
from engine.storage.route_names import route_of
from engine.storage.sent_lately import load_failures, load_sent_at_ns
from engine.storage.tables.acts import operator_state
from engine.storage.tables.chats import notices
from engine.storage.tables.trades import executions
from engine.storage.upkeep import NO_UPKEEP, Upkeep, load_upkeep
from engine.storage.whose import Whose

TRADES_MAX = 1_000
POINTS_MAX = 2_000
PAGE_ROWS = 1_000
NOTHING_DELAYED = "[]"
FAILURES_NS: Final = 60 * NS_PER_MINUTE
"""Of what failed longer ago a venue has rested by far."""


async def load_state(
    connection: AsyncConnection,
    *,
    day_start_ns: int,
    at_ns: int,
    engine_id: str,
    basis: Basis | None,
    drawdown_since_ns: int = 0,
) -> EngineState:
    """Begin a generation of an engine at `at_ns` and load what it needs at start.

    Mode, profit, leftovers and holdings are of this engine only, and of `basis` only, if given. The
    one-time codes are of all engines, and so is a kill that names none.
    """
    whose, live = (
        Whose(engine_id=engine_id, basis=basis, money=money) for money in (Money.PAPER, Money.LIVE)
    )
    whatever = Whose(engine_id=engine_id, basis=basis)
    newest = await connection.execute(
        select(
            operator_state.c.mode,
            operator_state.c.is_paused,
            operator_state.c.limits,
            operator_state.c.at_ns,
            operator_state.c.delayed,
            operator_state.c.switched_off,
            operator_state.c.fees,
        )
        .where(operator_state.c.latch_act.is_(None), operator_state.c.engine_id == engine_id)
        .order_by(operator_state.c.seq.desc())
        .limit(1)
    )
    state = newest.one_or_none()
    generation, run_id = await generations.take_next(connection, at_ns=at_ns, engine_id=engine_id)
    left_over = await load_residuals(connection, whose=whose)
    open_plans = await load_open_plans(connection, whose=whatever)
    for number, notice in enumerate(
        await permit_store.end_all(connection, engine_id=engine_id, at_ns=at_ns)
    ):
        told = NoticeRecord(record_id=f"{run_id}-v{number}", notice=notice)
        await insert_new(connection, notices, notice_row(told))
    return EngineState(
        mode=None if state is None else Mode(state.mode),
        is_paused=False if state is None else state.is_paused,
        limits={} if state is None else read_limits(state.limits),
        realised_today_usd=f"{await _load_today_usd(connection, day_start_ns, whose):f}",
        residuals=left_over,
        open_plans=open_plans,
        last_prices=await load_last_prices(connection, left_over, whose=whose),
        generation=generation,
        run_id=run_id,
        holdings=await load_holdings(connection, whose=whose),
        changed_at_ns=await _load_changed_at_ns(connection, engine_id),
        delayed=() if state is None else read_delayed(state.delayed),
        off=() if state is None else read_off(state.switched_off),
        fees={} if state is None else read_fees(state.fees),
        latch=await load_latch(connection),
        own_latch=await load_latch(connection, engine_id),
        codes=await load_codes(connection),
        outcomes=await outcomes.load(connection),
        live=await _load_live(connection, day_start_ns, live, drawdown_since_ns),
        drawdown_usd=await load_drawdown_usd(connection, since_ns=drawdown_since_ns, whose=whose),
        gas_today_usd=await load_gas_usd(connection, since_ns=day_start_ns, whose=whose),
        sent_at_ns=await load_sent_at_ns(
            connection, since_ns=at_ns - NS_PER_MINUTE, whose=whatever, under_way=open_plans
        ),
        failures=await load_failures(connection, since_ns=at_ns - FAILURES_NS, whose=live),
        edge=await load_measured_edge(connection, whose=whose),
    )


async def _load_live(
    connection: AsyncConnection, day_start_ns: int, live: Whose, drawdown_since_ns: int
) -> LiveStart:
    left_over = await load_residuals(connection, whose=live)
    upkeep = await load_upkeep(connection, since_ns=day_start_ns, whose=live)
    return LiveStart(
        realised_today_usd=exact_sum(
            (await _load_today_usd(connection, day_start_ns, live), -upkeep.usd)
        ),
        residuals=tuple(left_over),
        last_prices=tuple(await load_last_prices(connection, left_over, whose=live)),
        holdings=tuple(await load_holdings(connection, whose=live)),
        opened=tuple(await load_opened(connection, whose=live)),
        drawdown_usd=await load_drawdown_usd(connection, since_ns=drawdown_since_ns, whose=live),
        gas_today_usd=exact_sum(
            (await load_gas_usd(connection, since_ns=day_start_ns, whose=live), upkeep.usd)
        ),
        edge=await load_measured_edge(connection, whose=live),
    )


def read_limits(text: str) -> dict[str, Decimal]:
    """Read what was written of limits."""
    return msgspec.json.decode(text, type=dict[str, Decimal])


def read_delayed(text: str) -> tuple[Delayed, ...]:
    """Read what was written of loosenings that wait."""
    return msgspec.json.decode(text, type=tuple[Delayed, ...])


def read_off(text: str) -> tuple[Off, ...]:
    """Read what was written of what is switched off."""
    return msgspec.json.decode(text, type=tuple[Off, ...])


def read_fees(text: str) -> dict[VenueId, FeeWord]:
    """Read what was written of fees."""
    return msgspec.json.decode(text, type=dict[VenueId, FeeWord])


async def _load_changed_at_ns(connection: AsyncConnection, engine_id: str) -> int:
    """Load when the operator last changed something: whatever tightens leaves nothing waiting."""
    state = operator_state.c
    newest = await connection.execute(
        select(state.at_ns)
        .where(
            state.latch_act.is_(None),
            state.engine_id == engine_id,
            state.delayed == NOTHING_DELAYED,
        )
        .order_by(state.seq.desc())
        .limit(1)
    )
    return newest.scalar_one_or_none() or 0


async def _load_today_usd(connection: AsyncConnection, day_start_ns: int, whose: Whose) -> Decimal:
    """Sum up the day, and what was lost on days to come before the clock was set back."""
    stored = await connection.execute(
        select(
            executions.c.closed_at_ns, executions.c.profit_usd, executions.c.correction_usd
        ).where(executions.c.closed_at_ns >= day_start_ns, whose.rows(executions))
    )
    rows = stored.all()
    end_ns = day_start_ns + NS_PER_DAY
    today = exact_sum(realised_usd(row) for row in rows if row.closed_at_ns < end_ns)
    later = exact_sum(realised_usd(row) for row in rows if row.closed_at_ns >= end_ns)
    return exact_sum((today, min(later, Decimal(0))))


async def load_trades(connection: AsyncConnection, *, limit: int) -> TradesReport:
    """Load the newest executions, `TRADES_MAX` at most, in the order in which they were stored."""
    total = await connection.execute(select(func.count()).select_from(executions))
    newest = await connection.execute(
        select(executions)
        .order_by(
            executions.c.seq.desc().nulls_last(),
            executions.c.closed_at_ns.desc(),
            executions.c.execution_id.desc(),
        )
        .limit(max(1, min(limit, TRADES_MAX)))
    )
    rows = newest.all()
    left_over = await load_left_over(connection, [row.execution_id for row in rows])
    trades = [
        TradeLine(
            execution_id=row.execution_id,
            opportunity_id=row.opportunity_id,
            closed_at_ns=row.closed_at_ns,
            basis=basis_of(Basis(row.basis), Money(row.money)),
            pair=row.pair,
            buy_venue=row.buy_venue,
            sell_venue=row.sell_venue,
            size_base=row.size_base,
            profit_usd=row.profit_usd,
            expected_usd=row.expected_usd,
            assets=tuple(hop.target for hop in plan.opportunity.hops),
            closes=None if plan.closes is None else plan.closes.held,
            left_over=left_over.get(row.execution_id, ()),
            story=decode_story(row.story),
            corrects=row.corrects or "",
            engine_id=row.engine_id,
            money=Money(row.money),
        )
        for row, plan in ((row, msgspec.json.decode(row.plan, type=_Plan)) for row in rows)
    ]
    return TradesReport(
        trades=trades,
        total=total.scalar_one(),
        engines=await generations.load_engine_ids(connection),
    )


class _Hop(msgspec.Struct):
    target: AssetCode


class _Route(msgspec.Struct):
    hops: tuple[_Hop, ...] = ()
    """What each leg receives; plans of two early versions have none."""


class _Closes(msgspec.Struct):
    held: Decimal


class _Plan(msgspec.Struct):
    """What a list of trades shows of a stored plan."""

    opportunity: _Route
    closes: _Closes | None = None


_OF_LIVE: Final = frozenset({"upkeep_usd", "upkeep", "unpriced"})
"""What paper has none of."""


class _Part:
    """The sum of one kind of money."""

    def __init__(self, engine_ids: Sequence[str]) -> None:
        self.by_route: dict[str, tuple[Decimal, int]] = {}
        self.by_engine = dict.fromkeys(engine_ids, (Decimal(0), 0))
        self.points: list[tuple[int, Decimal]] = []
        self.realised = self.expected = Decimal(0)
        self.count = self.wins = 0

    def add(self, row: Row[Any], *, has_points: bool) -> None:
        """Add an execution."""
        realised = realised_usd(row)
        self.realised = exact_sum((self.realised, realised))
        self.expected = exact_sum((self.expected, row.expected_usd))
        self.wins += row.profit_usd > 0
        _add(self.by_route, route_of(row), realised)
        _add(self.by_engine, row.engine_id, realised)
        self.count += 1
        if has_points:
            self.points.append((row.closed_at_ns, self.realised))

    def report(self) -> PnlPart:
        """Return what it came to."""
        return PnlPart(
            realised_usd=self.realised,
            expected_usd=self.expected,
            executions=self.count,
            wins=self.wins,
            by_route=dict(self.by_route),
            points=_thin(self.points),
            by_engine=dict(self.by_engine),
        )


class PnlSum:
    """Realised profit since an instant, summed up page by page, paper and live apart.

    The ledger has one connection: a long look in one transaction would hold up what is written.
    All figures but `by_basis` are of `basis` only, if given. The curve is thinned to `POINTS_MAX`
    points; its last point always stands.
    """

    def __init__(
        self,
        *,
        since_ns: int,
        basis: Basis | None,
        engine_ids: Sequence[str] = (),
        has_points: bool = True,
    ) -> None:
        self._has_points = has_points
        self._since_ns = since_ns
        self._basis = basis
        self._by_basis: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._parts = {money.value: _Part(engine_ids) for money in Money}
        self.upkeep = NO_UPKEEP

    def add(self, rows: Sequence[Row[Any]]) -> None:
        """Add a page."""
        for row in rows:
            if row.money == Money.PAPER:
                before = self._by_basis[row.basis]
                self._by_basis[row.basis] = exact_sum((before, realised_usd(row)))
            if self._basis is None or row.basis == self._basis:
                self._parts[row.money].add(row, has_points=self._has_points)

    def know(self, engine_ids: Sequence[str]) -> None:
        """Name engines that may have no trade yet."""
        for part in self._parts.values():
            for engine_id in engine_ids:
                part.by_engine.setdefault(engine_id, (Decimal(0), 0))

    def report(self) -> PnlReport:
        """Return what the pages came to."""
        paper, live = (self._parts[money.value].report() for money in Money)
        upkeep: Upkeep = self.upkeep
        return PnlReport(
            since_ns=self._since_ns,
            by_basis=dict(self._by_basis),
            live=msgspec.structs.replace(
                live, upkeep_usd=upkeep.usd, upkeep=upkeep.count, unpriced=upkeep.unpriced
            ),
            **{
                name: value
                for name, value in msgspec.structs.asdict(paper).items()
                if name not in _OF_LIVE
            },
        )


def _add(sums: dict[str, tuple[Decimal, int]], name: str, realised: Decimal) -> None:
    profit, count = sums.get(name, (Decimal(0), 0))
    sums[name] = exact_sum((profit, realised)), count + 1


async def load_pnl_page(
    connection: AsyncConnection, *, since_ns: int, after: Row[Any] | None
) -> list[Row[Any]]:
    """Load the next `PAGE_ROWS` executions since an instant, oldest first."""
    query = select(
        executions.c.closed_at_ns,
        executions.c.execution_id,
        executions.c.opportunity_id,
        executions.c.basis,
        executions.c.pair,
        executions.c.buy_venue,
        executions.c.sell_venue,
        executions.c.profit_usd,
        executions.c.correction_usd,
        executions.c.expected_usd,
        executions.c.engine_id,
        executions.c.money,
    ).where(executions.c.closed_at_ns >= since_ns)
    order = (executions.c.closed_at_ns, executions.c.execution_id)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(after.closed_at_ns, after.execution_id))
    found = await connection.execute(query.order_by(*order).limit(PAGE_ROWS))
    rows: list[Row[Any]] = list(found.all())  # type: ignore[arg-type] # a row of any columns
    return rows


def realised_usd(row: Row[*tuple[Any, ...]]) -> Decimal:
    """Return what an execution brought in; rows of earlier versions have no correction."""
    return exact_sum((row.profit_usd, row.correction_usd or Decimal(0)))


def decode_story(stored: str | None) -> TradeStory | None:
    """Return a stored story, None if another version wrote it."""
    try:
        return None if stored is None else msgspec.json.decode(stored, type=TradeStory)
    except msgspec.DecodeError:
        return None


def _thin(points: list[tuple[int, Decimal]]) -> list[tuple[int, Decimal]]:
    step = -(-len(points) // POINTS_MAX) or 1
    return points[::-1][::step][::-1]
