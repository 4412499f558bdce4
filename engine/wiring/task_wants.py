"""Gets what tasks want from ledger, engine and chains, before a run begins."""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from engine.background import wants
from engine.background.history import History
from engine.background.ports import Given, Task, Want
from engine.background.prices_now import read_prices
from engine.bus.request import Caller
from engine.bus.trials import GetTrials
from engine.domain.advice import ADVICE_MAX
from engine.domain.errors import BadValueError, SyndicateError, TransientError
from engine.domain.modes import Basis
from engine.domain.past import REVERTED, TRADED, Episode, Trade
from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock
from engine.requests.chains import GetBlockFacts, GetPoolRates
from engine.requests.discoveries import GetDiscoveries
from engine.requests.gas import GetGas
from engine.requests.overview import GetLimits
from engine.requests.past import GetEpisodes, GetPastTrades
from engine.wiring.advice_lines import chosen_lines, line_of
from engine.wiring.recorded import newest_run, whole_segments

NS_PER_H: Final = 3_600 * NS_PER_S
ASK_S: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Wants:
    """Obeys `runs.Fetch`.

    Attributes:
        chains: None where no chain is followed.
        sender: None where nothing is sent.
        recordings: parent of recorded runs; None where none is to be given.
        is_quiet: whether others leave a part of a core: only then a recording is played.
    """

    ledger: Caller
    engine: Caller
    chains: Caller | None
    sender: Caller | None = None
    prices_path: Path
    recordings: Path | None = None
    is_quiet: Callable[[], bool] = lambda: True
    tasks: Sequence[Task[Any]]
    history: History
    basis: Basis
    seed: int
    clock: Clock

    async def __call__(self, task: Task[Any], /) -> Given:
        """See `Fetch`."""
        at_ns = self.clock()
        answers: dict[Want[Any], object] = {}
        for want in task.wants:
            answers[want] = await self._fetch(want, at_ns)
        return Given(
            at_ns=at_ns,
            basis=self.basis,
            seed=seed_of(self.seed, task.name, at_ns),
            answers=answers,
        )

    async def _fetch(self, want: Want[Any], at_ns: int) -> object:
        fetch = _FETCH.get(type(want))
        if fetch is None:
            raise BadValueError(f"nobody gives {type(want).__name__}")
        return await fetch(self, want, at_ns)


def seed_of(seed: int, name: str, at_ns: int) -> int:
    """Return the seed of a run: the same for the same run, another for each."""
    digest = hashlib.blake2b(f"{seed}:{name}:{at_ns}".encode(), digest_size=7).digest()
    return int.from_bytes(digest)


async def _executions(of: Wants, want: wants.Executions, at_ns: int) -> wants.ExecutionsGiven:
    asked = GetPastTrades(since_ns=at_ns - _hours(want.hours) * NS_PER_H, most=_rows(want.limit))
    report = await of.ledger.call(asked, timeout_s=ASK_S)
    return wants.ExecutionsGiven(**_columns(Trade, report.trades), left_out=report.left_out)


async def _races(of: Wants, want: wants.Races, at_ns: int) -> wants.RacesGiven:
    asked = GetPastTrades(since_ns=at_ns - _hours(want.hours) * NS_PER_H, most=_rows(want.limit))
    report = await of.ledger.call(asked, timeout_s=ASK_S)
    given = wants.RacesGiven()
    for trade in report.trades:
        if trade.chain == want.chain and trade.block and trade.outcome in {TRADED, REVERTED}:
            given.decided_at_ns.append(trade.decided_at_ns)
            given.ended_at_ns.append(trade.closed_at_ns)
            given.profit_usd.append(trade.expected_usd)
            given.block.append(trade.block)
            given.came.append(trade.outcome == TRADED)
    return given


async def _opportunities(
    of: Wants, want: wants.Opportunities, at_ns: int
) -> wants.OpportunitiesGiven:
    asked = GetEpisodes(since_ns=at_ns - _hours(want.hours) * NS_PER_H, most=_rows(want.limit))
    report = await of.ledger.call(asked, timeout_s=ASK_S)
    columns = _columns(Episode, report.episodes)
    return wants.OpportunitiesGiven(**columns, left_out=report.left_out)


async def _prices(of: Wants, _want: wants.PricesNow, at_ns: int) -> wants.PricesGiven:
    return await asyncio.to_thread(read_prices, of.prices_path, at_ns=at_ns)


async def _pools(of: Wants, want: wants.Pools, _at_ns: int) -> wants.PoolsGiven:
    asked = GetPoolRates(chain=want.chain, most=_rows(want.limit))
    report = await _chains(of).call(asked, timeout_s=ASK_S)
    if not report.is_followed:
        raise TransientError(f"{want.chain} is not followed")
    given = wants.PoolsGiven(left_out=report.left_out)
    for pool in report.pools:
        given.dex.append(pool.dex)
        given.venue.append(pool.venue)
        given.place.append(pool.place)
        given.address.append(pool.address)
        given.tokens.append(pool.tokens)
        given.fee_bps.append(pool.fee_bps)
        given.usd.append(pool.usd)
        given.is_followed.append(pool.is_followed)
        given.log_rates.append(pool.log_rates)
    return given


async def _gas(of: Wants, _want: wants.GasNow, _at_ns: int) -> wants.GasGiven:
    report = await of.engine.call(GetGas(), timeout_s=ASK_S)
    given = wants.GasGiven()
    for line in report.chains:
        given.chain.append(line.chain)
        given.gwei.append(_float(line.gwei))
        given.now_gwei.append(_float(line.now_gwei))
        given.native_usd.append(_float(line.native_usd))
        given.is_old.append(line.too_old is not None)
    return given


async def _blocks(of: Wants, want: wants.Blocks, _at_ns: int) -> wants.BlocksGiven:
    asked = GetBlockFacts(chain=want.chain, last=_rows(want.blocks))
    report = await _chains(of).call(asked, timeout_s=ASK_S)
    return wants.BlocksGiven(blocks=tuple(report.blocks), left_out=report.left_out)


async def _in_force(of: Wants, want: wants.InForce, _at_ns: int) -> wants.InForceGiven:
    asked = GetDiscoveries(
        kinds=want.kinds, limit=_rows(want.limit), is_in_force=not want.has_ended
    )
    report = await of.ledger.call(asked, timeout_s=ASK_S)
    lines = sorted(report.lines, key=lambda line: line.seq)
    return wants.InForceGiven(
        discoveries=tuple(line.discovery for line in lines),
        at_ns=[line.found_at_ns for line in lines],
        task=[line.task for line in lines],
        agent=[line.agent for line in lines],
        effect_usd_hour=[
            math.nan if line.effect is None else line.effect.gain_usd_hour for line in lines
        ],
        left_out=report.left_out,
    )


async def _history(of: Wants, want: wants.History, _at_ns: int) -> wants.HistoryGiven:
    lines = [
        (task, run)
        for task in of.tasks
        if want.task in ("", task.name)
        for run in of.history.runs(task.name)[-_rows(want.runs) :]
    ]
    lines.sort(key=lambda line: (line[1].ended_at_ns, line[0].name))
    given = wants.HistoryGiven()
    for task, run in lines[-wants.ROWS_MAX :]:
        given.task.append(task.name)
        given.agent.append(task.agent)
        given.began_at_ns.append(run.begun_at_ns)
        given.wall_s.append(run.wall_s)
        given.cpu_s.append(run.cpu_s)
        given.held_s.append(run.held_s)
        given.ended.append(run.how.value)
        given.found.append(run.found)
    return given


async def _limits(of: Wants, _want: wants.Limits, _at_ns: int) -> wants.LimitsGiven:
    report = await of.engine.call(GetLimits(), timeout_s=ASK_S)
    values = {}
    for line in report.limits:
        if line.term and math.isfinite(number := _number(line.limit)):
            values[line.term] = number
    return wants.LimitsGiven(values=values)


async def _recorded(of: Wants, _want: wants.Recorded, _at_ns: int) -> wants.RecordedGiven:
    if of.recordings is None:
        raise TransientError("a recording; none is made here")
    if not of.is_quiet():
        raise TransientError("a quiet core: the machine is busy")
    asked = GetDiscoveries(is_advice=True, limit=ADVICE_MAX)
    report = await of.ledger.call(asked, timeout_s=ASK_S)
    lines = chosen_lines([line for line in report.lines if line.basis is of.basis])
    try:
        run = await asyncio.to_thread(newest_run, of.recordings)
        segments = await asyncio.to_thread(whole_segments, run)
    except BadValueError as error:
        raise TransientError(f"a recording: {error}") from error
    if not segments:
        raise TransientError("a recorded segment that is whole")
    limits: dict[str, float] = {}
    with suppress(SyndicateError):  # without an engine that answers none is tried
        limits = (await _limits(of, wants.Limits(), _at_ns)).values
    return wants.RecordedGiven(
        folder=str(run),
        limits=limits,
        segments=segments,
        advised=[
            wants.AdvisedNow(seq=line.seq, line=line_of(advice), advice=advice)
            for line in lines
            if (advice := line.discovery.advice) is not None
        ],
    )


async def _trials(of: Wants, _want: wants.Trials, _at_ns: int) -> wants.TrialsGiven:
    if of.sender is None:
        raise TransientError("a role that sends; nothing is signed here")
    report = await of.sender.call(GetTrials(), timeout_s=ASK_S)
    return wants.TrialsGiven(trials=tuple(report.trials[: wants.ROWS_MAX]))


_FETCH: Final[Mapping[type, Callable[[Wants, Any, int], Awaitable[object]]]] = {
    wants.Executions: _executions,
    wants.Races: _races,
    wants.Opportunities: _opportunities,
    wants.PricesNow: _prices,
    wants.Pools: _pools,
    wants.GasNow: _gas,
    wants.Blocks: _blocks,
    wants.InForce: _in_force,
    wants.History: _history,
    wants.Limits: _limits,
    wants.Trials: _trials,
    wants.Recorded: _recorded,
}


def _chains(of: Wants) -> Caller:
    if of.chains is None:
        raise TransientError("a chain; none is followed here")
    return of.chains


def _columns(row: type[Any], rows: Sequence[Any]) -> dict[str, list[Any]]:
    return {name: [getattr(one, name) for one in rows] for name in row.__struct_fields__}


def _hours(hours: int) -> int:
    return max(1, min(hours, wants.HOURS_MAX))


def _rows(count: int) -> int:
    return max(1, min(count, wants.ROWS_MAX))


def _float(value: Decimal | None) -> float:
    return math.nan if value is None else float(value)


def _number(text: str) -> float:
    """Read a limit as it is told, such as ``1,000.5``."""
    try:
        return float(Decimal(text.replace(",", "").split()[0]))
    except (InvalidOperation, IndexError):
        return math.nan
