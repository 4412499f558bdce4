"""The demo: all roles on the sandbox, without a person, summed up as one JSON object."""

import asyncio
import contextlib
import logging
import socket
import time
from typing import Any, Final

import msgspec
import psutil

from engine.bus.chain_reports import ChainLine
from engine.bus.command import seal
from engine.bus.discovery_reports import DiscoveryCounts
from engine.bus.reports import StatusReport
from engine.bus.work_reports import WorkReport
from engine.domain.engines import MAIN
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.domain.units import NS_PER_HOUR
from engine.facade.engine import Facade
from engine.operate import exit_codes
from engine.operate.lifeline import stop_signals
from engine.operate.streams import put_out, say_last
from engine.operate.supervisor import Supervisor
from engine.requests.chains import GetChains
from engine.requests.discoveries import CountDiscoveries
from engine.requests.overview import GetStatus
from engine.requests.safety import SetMode
from engine.requests.work import GetWork
from engine.settings.schema import BusSettings, Settings
from engine.tools.demo_gateway import Outside
from engine.wiring.front_end import open_facade
from engine.wiring.local_chains import with_usual_chains
from engine.wiring.paths import Paths, prepare
from engine.wiring.run import role_specs, supervisor_lease

log = logging.getLogger(__name__)

PROGRESS_S: Final = 5
QUIET_S: Final = 6.0
"""So long before the end no webhook is posted: the gateway tells its counts every five seconds."""


async def run_demo(
    settings: Settings, paths: Paths, *, seconds: int, has_gateway: bool = False
) -> int:
    """Run for some seconds, telling progress on stderr; the last line on stdout is the JSON.

    With a gateway somebody posts webhooks to it and scrapes its metrics: see `demo_gateway`.
    """
    settings, paths = _demo_installation(settings, paths)
    outside: Outside | None = None
    if has_gateway:
        settings = _with_gateway(settings)
        outside = Outside(base=f"http://127.0.0.1:{settings.gateway.port}")
    supervisor = Supervisor(
        role_specs(settings, paths, has_bot=False),
        on_restart=lambda role, why, _: _progress(f"{role} was started again: {why}"),
    )
    end = asyncio.Event()
    started_ns = time.time_ns()
    summary: dict[str, Any] | None = None

    async def watch(facade: Facade) -> None:
        nonlocal summary
        await ready.wait()
        await facade.ask(
            seal(
                SetMode(mode=Mode.PAPER, is_confirmed=True),
                by="demo",
                at_ns=time.time_ns(),
                target=settings.engine.id,
            )
        )
        for second in range(1, seconds + 1):
            await asyncio.sleep(1)
            is_last = second == seconds
            if is_last or second % PROGRESS_S == 0:
                status = await _status(facade)
                if status is not None:
                    chains = await _chains(facade)
                    summary = summarise(status, chains, supervisor.pids())
                    summary["background"] = await _background(facade, since_ns=started_ns)
                    if outside is not None:
                        held_mb = summary["memory_mb"].get("gateway")
                        summary["gateway"] = outside.told(chains, memory_mb=held_mb)
                    _progress(_line(status, second, seconds))
        end.set()

    ready = asyncio.Event()
    _progress(f"starting the roles; the demo then runs for {seconds} s")
    with supervisor_lease(paths) as lease:
        async with (
            stop_signals(lease=lease) as stop,
            open_facade(paths, with_usual_chains(settings)) as facade,
            asyncio.TaskGroup() as tasks,
        ):
            watching = tasks.create_task(watch(facade))
            beside = [watching, tasks.create_task(_pass_on(stop, end))]
            if outside is not None:
                post_s = max(seconds - QUIET_S, seconds / 2)
                posting = outside.run(settings, paths, ready=ready, seconds=post_s)
                beside.append(tasks.create_task(posting))
            code = await supervisor.run(end, on_ready=ready.set)
            for task in beside:
                task.cancel()
    if summary is None:
        _progress(f"the demo ended before it could report; the logs are {paths.log('*')}")
        return code or exit_codes.TRANSIENT
    put_out(msgspec.json.encode(summary).decode() + "\n")
    return code


def _demo_installation(settings: Settings, paths: Paths) -> tuple[Settings, Paths]:
    """Give the demo a data directory of its own, on the sandbox, for itself and its roles."""
    directory = paths.data_dir / "demo"
    data = msgspec.structs.replace(settings.data, dir=str(directory), database_url=None)
    markets = msgspec.structs.replace(settings.markets, source="sandbox")
    own = msgspec.structs.replace(
        settings,
        data=data,
        markets=markets,
        bus=BusSettings(),
        engine=msgspec.structs.replace(settings.engine, id=MAIN),
    )
    return own, prepare(str(directory))


def _with_gateway(settings: Settings) -> Settings:
    """Turn the role on, at a port that is free now, so that it is none that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    own = msgspec.structs.replace(settings.gateway, is_on=True, port=port, trusts_proxy=False)
    return msgspec.structs.replace(settings, gateway=own)


def summarise(
    status: StatusReport, chains: list[ChainLine], pids: dict[str, int]
) -> dict[str, Any]:
    """Turn reports into the demo's JSON object."""
    return {
        "basis": status.basis,
        "market_note": status.market_note,
        "mode": status.mode,
        "venues": {
            line.venue: {
                "frames": line.frames,
                "frames_per_s": round(line.frames_per_s, 1),
                "resyncs": line.resyncs,
                "stale_s": round(line.stale_s, 3),
                "books_live": line.books_live,
                "faults": line.faults,
            }
            for line in status.venues
        },
        "chains": {
            line.chain: {
                "head": line.head,
                "blocks": line.counts.get("blocks", 0),
                "moves": line.counts.get("moves", 0),
                "pools_live": line.pools_live,
                "pools_stale": line.pools_stale,
                "stale": line.stale,
                "reorganisations": line.reorganisations,
                "deepest": line.deepest,
                "gaps": line.gaps,
                "lag_ms": line.lag_ms,
                "pending": line.pending,
                "tokens": line.tokens,
                "left_out": line.left_out,
                "trouble": line.trouble,
            }
            for line in chains
        },
        "opportunities": {
            "found": status.found,
            "found_by_kind": status.found_by_kind,
            "watched": status.watched,
            "found_by_legs": {str(legs): count for legs, count in status.found_by_legs.items()},
            "planned": status.planned,
            "traded": status.traded,
            "traded_by_kind": status.traded_by_kind,
            "refused": status.refused,
        },
        "profit_usd_paper": float(round(status.profit_usd_paper, 6)),
        "traded_live": status.traded_live,
        "profit_usd_live": float(round(status.profit_usd_live, 6)),
        "profit_usd_paper_by_kind": {
            kind: float(round(profit, 6)) for kind, profit in status.profit_usd_by_kind.items()
        },
        "latency_us": status.latency_us,
        "loop_lag_us": status.loop_lag_us,
        "memory_mb": memory_mb(pids),
        "run_id": status.run_id,
        "recording": status.recording,
    }


def memory_mb(pids: dict[str, int]) -> dict[str, float]:
    """Return the resident memory of each role, and of this process as the supervisor."""
    found = {"supervisor": _resident_mb(psutil.Process())}
    for role, pid in pids.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            found[role] = _resident_mb(psutil.Process(pid))
    return found


def _resident_mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 1_048_576, 1)


async def _status(facade: Facade) -> StatusReport | None:
    try:
        return await facade.ask(GetStatus())
    except TransientError as error:
        _progress(str(error))
        return None


async def _chains(facade: Facade) -> list[ChainLine]:
    try:
        return (await facade.ask(GetChains())).chains
    except TransientError:  # none is followed
        return []


async def _background(facade: Facade, *, since_ns: int) -> dict[str, Any] | None:
    """Sum background work up; None while its role does not answer."""
    try:
        work = await facade.ask(GetWork())
        counts = await facade.ask(CountDiscoveries(since_ns=since_ns))
    except TransientError:
        return None
    hours = (time.time_ns() - since_ns) / NS_PER_HOUR
    return summarise_work(work) | summarise_learned(counts, hours=hours)


def summarise_learned(counts: DiscoveryCounts, *, hours: float) -> dict[str, Any]:
    """Turn what was learned into a part of the demo's JSON object.

    Args:
        counts: of the demo.
        hours: how long it has run.
    """
    learned = counts.learned()
    return {
        "discoveries": learned.kinds,
        "discoveries_used": learned.used,
        "discoveries_changed": learned.changed,
        "discoveries_changed_per_hour": round(learned.changed / hours, 1),
        # Of these, by how many different things they are about.
        "discoveries_changed_subjects": {
            kind.kind: kind.changed_subjects for kind in counts.kinds if kind.changed_subjects
        },
        "effects": learned.effects,
        "effects_gain_usd_hour": round(learned.gain_usd_hour, 4),
    }


def summarise_work(work: WorkReport) -> dict[str, Any]:
    """Turn a report of background work into a part of the demo's JSON object."""
    switches = work.switches
    return {
        "runs": work.ended,
        "tasks": {
            task.name: {
                "state": task.state,
                "why": task.why,
                "runs": task.runs,
                "well": task.well,
                "mean_s": round(task.mean_s, 3),
            }
            for task in work.tasks
        },
        "efficiency": None if work.efficiency is None else round(work.efficiency, 4),
        "available_cpu_s": round(work.available_s, 2),
        "useful_cpu_s": round(work.useful_s, 2),
        "allowed_cpu_s": round(work.allowed_s, 2),
        "lost_cpu_s": {cause: round(lost_s, 2) for cause, lost_s in work.lost_s.items()},
        "nothing_due_ratio": nothing_due_ratio(work),
        "switches": {
            "count": switches.count,
            "failed": switches.failed,
            "stop_us_mean": round(switches.stop_us_mean, 1),
            "stop_us_p99": round(switches.stop_us_p99, 1),
            "stop_us_max": round(switches.stop_us_max, 1),
            "held_ms_mean": round(switches.held_ms_mean, 1),
            "resume_us_mean": round(switches.resume_us_mean, 1),
            "by_trigger": switches.by_trigger,
        },
        "memory_mb": round(work.memory_mb, 1),
        "trouble": work.trouble,
    }


def nothing_due_ratio(work: WorkReport) -> float | None:
    """Return in which share of the time that was there nothing was due; None if none was there."""
    if not work.allowed_s:
        return None
    return round(1 - work.available_s / work.allowed_s, 4)


async def _pass_on(stop: asyncio.Event, end: asyncio.Event) -> None:
    await stop.wait()
    end.set()


def _line(status: StatusReport, second: int, seconds: int) -> str:
    venues = [line for line in status.venues if not line.is_chain]
    frames = sum(line.frames for line in venues)
    live = sum(line.books_live for line in venues)
    blocks = max((line.frames for line in status.venues if line.is_chain), default=0)
    return (
        f"{second}/{seconds} s: {frames} frames, {blocks} blocks, {live} live books, "
        f"{status.found} opportunities, {status.planned} planned, {status.traded} traded, "
        f"{status.profit_usd_paper:.2f} USD on paper"
    )


def _progress(text: str) -> None:
    say_last(f"demo: {text}\n")
