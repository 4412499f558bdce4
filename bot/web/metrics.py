"""Metrics of all roles in Prometheus' text form, made of the reports that the phone shows.

Nothing is counted for it anywhere: the hot path has its counters, and a scrape asks for the same
reports as a person. Labels are roles, venues, chains, kinds and tasks, of which there are few;
never an id, an address or a text that came from outside.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from bot.web.guard import Guard
from bot.web.hooks.metrics import hook_samples
from bot.web.rates import Pace
from bot.web.route import Ask, Asked, Route
from engine.bus.chain_reports import ChainsReport
from engine.bus.health_reports import HealthReport
from engine.bus.reports import PnlReport, StatusReport
from engine.bus.request import Request
from engine.bus.use_reports import UseReport
from engine.bus.work_reports import ResourcesReport, WorkReport
from engine.domain.errors import SyndicateError
from engine.domain.health import Health
from engine.domain.people import Rank
from engine.requests.chains import GetChains
from engine.requests.health import GetHealth, GetUse
from engine.requests.money import GetPnl
from engine.requests.overview import GetStatus
from engine.requests.work import GetResources, GetWork

SCRAPE_S_MAX: Final = 2.0
"""A role that answers later is down in this scrape; the others are shown."""

BYTES_IN_MB: Final = 1_048_576
ASKED: Final[Mapping[str, Request[Any]]] = {
    "engine": GetStatus(),
    "ledger": GetPnl(days=1),
    "chains": GetChains(),
    "workers": GetWork(),
    "resources": GetResources(),
    "health": GetHealth(),
    "use": GetUse(),
}
Sample = tuple[tuple[str, ...], float | Decimal]
US_IN_S: Final = 1e6
MS_IN_S: Final = 1e3
S_IN_H: Final = 3_600.0


def metrics_route(ask: Ask, guard: Guard) -> Route:
    """Return the route that is scraped, with the key of a viewer."""

    async def scrape(asked: Asked) -> web.StreamResponse:
        del asked
        text = exposition(await _reports(ask), answered=guard.answered)
        return web.Response(
            status=HTTPStatus.OK, body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        )

    return Route(
        method="GET",
        path="/metrics",
        operation="metrics",
        tag="watch",
        summary="Metrics of all roles for Prometheus.",
        handler=scrape,
        rank=Rank.VIEWER,
        paces=(Pace.STATUS,),
        replies_as="text/plain",
    )


async def _reports(ask: Ask) -> dict[str, Any]:
    async def one(request: Request[Any]) -> Any:
        try:
            async with asyncio.timeout(SCRAPE_S_MAX):
                return await ask(request)
        except (SyndicateError, TimeoutError):
            return None

    found = await asyncio.gather(*(one(request) for request in ASKED.values()))
    return dict(zip(ASKED, found, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Collector:
    families: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def exposition(reports: Mapping[str, Any], *, answered: Mapping[int, int]) -> bytes:
    """Return reports as Prometheus reads them.

    Args:
        reports: by who answered, None for who did not.
        answered: answers of the gateway itself by status.
    """
    registry = CollectorRegistry()
    registry.register(_Collector([*_families(reports, answered)]))
    return generate_latest(registry)


def _families(reports: Mapping[str, Any], answered: Mapping[int, int]) -> Iterator[Metric]:
    up = [((name,), float(report is not None)) for name, report in reports.items()]
    yield _gauge("up", "Whether who answers this part did.", up, "part")
    yield _count(
        "gateway_answers",
        "Answers of the gateway by status.",
        [((str(status),), count) for status, count in sorted(answered.items())],
        "status",
    )
    if isinstance(reports.get("engine"), StatusReport):
        yield from _of_engine(reports["engine"])
    if isinstance(reports.get("ledger"), PnlReport):
        yield from _of_money(reports["ledger"])
    if isinstance(reports.get("chains"), ChainsReport):
        yield from _of_chains(reports["chains"])
    if isinstance(reports.get("workers"), WorkReport):
        yield from _of_work(reports["workers"])
    if isinstance(reports.get("resources"), ResourcesReport):
        yield from _of_roles(reports["resources"])
    if isinstance(reports.get("health"), HealthReport):
        yield from _of_health(reports["health"])
    if isinstance(reports.get("use"), UseReport):
        yield from _of_use(reports["use"])


def _of_engine(report: StatusReport) -> Iterator[Metric]:
    yield _gauge("mode", "1 for the mode in force.", [((report.mode,), 1)], "mode")
    yield from _single(report, _OF_ENGINE)
    for name, help_text, figures in (
        ("decision_latency_seconds", "Frame received to decided.", report.latency_us),
        ("loop_lag_seconds", "How late the loop comes to what is due.", report.loop_lag_us),
    ):
        samples = [((level,), us / US_IN_S) for level, us in figures.items()]
        yield _gauge(name, help_text, samples, "level")
    found = [((kind,), count) for kind, count in report.found_by_kind.items()]
    yield _count("opportunities_found", "Found, by where they trade.", found, "kind")
    traded = [(("paper",), report.traded), (("live",), report.traded_live)]
    yield _count("trades", "Trades of this run.", traded, "money")
    yield from _each(report.venues, "venue", _OF_VENUE)


def _of_money(report: PnlReport) -> Iterator[Metric]:
    live = report.live
    for name, help_text, paper, sent in (
        ("profit_day_usd", "Realised in a day, in USD.", report.realised_usd, live.realised_usd),
        ("expected_day_usd", "What that was to be.", report.expected_usd, live.expected_usd),
        ("trades_day", "Trades of a day.", report.executions, live.executions),
        ("wins_day", "Those of them that gained.", report.wins, live.wins),
    ):
        yield _gauge(name, help_text, [(("paper",), paper), (("live",), sent)], "money")
    upkeep = "What transactions of a day cost that carry no plan out, in USD."
    yield _gauge("upkeep_day_usd", upkeep, [((), live.upkeep_usd)])


def _of_chains(report: ChainsReport) -> Iterator[Metric]:
    chains = report.chains
    yield from _each(chains, "chain", _OF_CHAIN)
    lags = [((c.chain, name), ms / MS_IN_S) for c in chains for name, ms in c.lag_ms.items()]
    told = "From when a block was heard of until the engine was told."
    yield _gauge("chain_lag_seconds", told, lags, "chain", "level")
    for name, help_text, samples, is_count in hook_samples(chains):
        yield (_count if is_count else _gauge)(name, help_text, samples, "chain", "stream")


def _of_work(report: WorkReport) -> Iterator[Metric]:
    yield from _single(report, _OF_WORK)
    ended = [((end,), count) for end, count in report.ended.items()]
    yield _count("work_runs", "Runs by how they ended.", ended, "end")
    switches = report.switches
    stops = [(("mean",), switches.stop_us_mean), (("p99",), switches.stop_us_p99)]
    yield _gauge(
        "work_stop_seconds",
        "From trigger to last background instruction.",
        [(name, us / US_IN_S) for name, us in stops],
        "level",
    )
    states = [((task.name, task.state), 1) for task in report.tasks]
    yield _gauge("task_state", "1 for the state that a task is in.", states, "task", "state")


def _of_roles(report: ResourcesReport) -> Iterator[Metric]:
    yield from _each(report.roles, "role", _OF_ROLE)
    free = [((), report.free_mb * BYTES_IN_MB)]
    yield _gauge("machine_free_bytes", "Memory that is left.", free)


def _of_use(report: UseReport) -> Iterator[Metric]:
    budgets = [((b.name, b.unit, b.period), b.used / b.most) for b in report.budgets]
    told = "Used of a budget of the settings."
    yield _gauge("budget_used_ratio", told, budgets, "name", "unit", "period")
    yield _gauge("disk_free_bytes", "Free for data.", [((), report.free_mb * BYTES_IN_MB)])
    if report.full_in_h is not None:
        yield _gauge("disk_full_seconds", "Until full.", [((), report.full_in_h * S_IN_H)])
    near = [((one.name,), one.ratio) for one in report.bounds]
    yield _gauge("bound_used_ratio", "How near something is to its bound.", near, "what")
    kept = [((one.what,), one.mb * BYTES_IN_MB) for one in report.kept]
    yield _gauge("kept_bytes", "Kept on the disk.", kept, "what")
    yield from _each(report.uses, "name", _OF_PLACE)


def _of_health(report: HealthReport) -> Iterator[Metric]:
    states = {Health.WELL: 1.0, Health.DEGRADED: 0.5, Health.DOWN: 0.0}
    stands = [((c.name,), states[c.health]) for c in report.components if c.health in states]
    yield _gauge("component_health", "1 well, 0.5 degraded, 0 down.", stands, "component")
    shares = [((c.name,), c.available["24 h"]) for c in report.components if "24 h" in c.available]
    told = "Share of a day, as far as seen, in which it worked."
    yield _gauge("component_available_ratio", told, shares, "component")
    yield _gauge("incidents_open", "That are not over.", [((), len(report.open_incidents))])
    yield _count("incidents", "Since the watch began.", [((), report.incidents)])
    used = [(one, role) for one in report.recoveries for role in one.roles]
    tried = [((one.policy, role), one.roles[role]) for one, role in used]
    yield _count("recovery_attempts", "Tries to recover.", tried, "policy", "role")
    helped = [((one.policy,), one.successes) for one in report.recoveries]
    yield _count("recovery_successes", "Of what failed, what works again.", helped, "policy")
    took = [((one.policy,), one.recover_s_mean * one.successes) for one in report.recoveries]
    yield _count("recovery_seconds", "From failing to working.", took, "policy")
    ended = [((one.policy,), one.given_up) for one in report.recoveries]
    yield _count("recovery_given_up", "Not tried any further.", ended, "policy")
    yield _count("component_failures", "Since the watch began.", [((), report.failures)])


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of one thing; None where it has none now."""

    name: str
    help_text: str
    read: Callable[[Any], float | None]
    is_count: bool = False


_OF_ENGINE: Final = (
    _Figure("killed", "1 while the kill latch is set.", lambda it: it.is_killed),
    _Figure("paused", "1 while paused.", lambda it: it.is_paused),
    _Figure("uptime_seconds", "Since the run began.", lambda it: it.uptime_s),
    _Figure("records_waiting", "Records on their way.", lambda it: it.records_waiting),
    _Figure("plans", "Plans made.", lambda it: it.planned, is_count=True),
    _Figure(
        "told_left_out",
        "Pools that webhooks told of and that are not waited for.",
        lambda it: it.told_left_out,
        is_count=True,
    ),
)
_OF_VENUE: Final = (
    _Figure("venue_connected", "1 while connected.", lambda it: it.is_connected),
    _Figure("venue_books_live", "Books that may be traded on.", lambda it: it.books_live),
    _Figure(
        "venue_age_seconds",
        "Age of the newest change.",
        lambda it: None if it.age_ms is None else it.age_ms / MS_IN_S,
    ),
    _Figure("venue_frames", "Frames taken.", lambda it: it.frames, is_count=True),
    _Figure("venue_resyncs", "Books begun anew.", lambda it: it.resyncs, is_count=True),
)
_OF_CHAIN: Final = (
    _Figure("chain_head", "Number of the newest block taken.", lambda it: it.head),
    _Figure("chain_head_age_seconds", "Since it was made.", lambda it: it.head_age_s),
    _Figure("chain_behind_blocks", "What the nodes have more.", lambda it: it.behind_blocks),
    _Figure("chain_pools_live", "Pools that may be traded on.", lambda it: it.pools_live),
    _Figure("chain_pools_stale", "Pools that may not.", lambda it: it.pools_stale),
    _Figure(
        "chain_reorganisations", "Reorganisations.", lambda it: it.reorganisations, is_count=True
    ),
)
_OF_WORK: Final = (
    _Figure("work_efficiency_ratio", "Useful over available time.", lambda it: it.efficiency),
    _Figure("work_room", "Background runs there is room for.", lambda it: it.room),
    _Figure("work_running", "Background runs under way.", lambda it: it.running),
    _Figure("work_switches", "Pushed aside.", lambda it: it.switches.count, is_count=True),
    _Figure(
        "work_switches_failed",
        "Switches after which something still ran.",
        lambda it: it.switches.failed,
        is_count=True,
    ),
)
_OF_PLACE: Final = (
    _Figure("place_units_day", "Units of a venue or provider, of a day.", lambda it: it.units_day),
    _Figure("place_requests_day", "Requests of a day.", lambda it: it.requests_day),
    _Figure("place_bytes_day", "Sent and received.", lambda it: it.mb_day * BYTES_IN_MB),
    _Figure("place_connections", "Open now.", lambda it: it.connections),
)
_OF_ROLE: Final = (
    _Figure("role_memory_bytes", "Resident memory.", lambda it: it.memory_mb * BYTES_IN_MB),
    _Figure("role_cores", "Processor time per time.", lambda it: it.cores),
    _Figure("role_files", "Open files.", lambda it: it.files),
    _Figure("role_sockets", "Open sockets.", lambda it: it.sockets),
)


def _each(items: Iterable[Any], label: str, figures: Iterable[_Figure]) -> Iterator[Metric]:
    known = [((getattr(item, label),), item) for item in items]
    for figure in figures:
        read = [(name, figure.read(item)) for name, item in known]
        samples = [(name, value) for name, value in read if value is not None]
        yield (_count if figure.is_count else _gauge)(figure.name, figure.help_text, samples, label)


def _single(report: Any, figures: Iterable[_Figure]) -> Iterator[Metric]:
    for figure in figures:
        value = figure.read(report)
        if value is not None:
            yield (_count if figure.is_count else _gauge)(
                figure.name, figure.help_text, [((), value)]
            )


def _gauge(name: str, help_text: str, samples: Iterable[Sample], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"syndicate_{name}", help_text, labels=labels)
    for values, value in samples:
        family.add_metric([str(one) for one in values], float(value))
    return family


def _count(name: str, help_text: str, samples: Iterable[Sample], *labels: str) -> Metric:
    family = CounterMetricFamily(f"syndicate_{name}", help_text, labels=labels)
    for values, value in samples:
        family.add_metric([str(one) for one in values], float(value))
    return family
