"""Watches the health of an installation from beside its ledger, which every one has.

A mistake in here must not end what keeps the money: it ends the watch, and is shown.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from engine.bus.notices import Notice
from engine.bus.records import NoticeRecord
from engine.bus.transport import RoleCaller
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import SyndicateError
from engine.health.incidents import SETTLED_NS
from engine.health.keeping import Kept
from engine.health.watch import Watch
from engine.operate.clock import Clock
from engine.operate.lifeline import ROLES_ENVIRONMENT_NAME
from engine.settings.passing import is_set
from engine.settings.schema import Settings
from engine.storage.ledger import Ledger
from engine.wiring.bus import caller_to
from engine.wiring.health_looks import Looks, asked_of
from engine.wiring.markets import basis_of
from engine.wiring.paths import Paths
from engine.wiring.use_desk import UseMeasures

LOOK_S: Final = 5.0
PRUNE_ROUNDS: Final = 720
"""Of old changes: once an hour."""

OWN: Final = "ledger"
MEASURE_S: Final = 60.0
ON_THIS_MACHINE: Final = frozenset({"signer", "sender", "trader"})
"""These answer on their sockets of this machine, whatever carries the bus."""

log = logging.getLogger(__name__)


def roles_beside(environment: Mapping[str, str]) -> list[str]:
    """Return the roles that the supervisor runs; none where there is no supervisor."""
    return [one for one in environment.get(ROLES_ENVIRONMENT_NAME, "").split(",") if one]


@contextlib.asynccontextmanager
async def watched(
    settings: Settings, paths: Paths, ledger: Ledger, *, clock: Clock
) -> AsyncIterator[None]:
    """Watch all roles that run beside the ledger's, until the block ends."""
    roles = roles_beside(os.environ)
    callers: dict[str, RoleCaller] = {
        role: SocketCaller(paths.socket(role), role=role)
        if role in ON_THIS_MACHINE
        else caller_to(paths, role)
        for role in roles
        if asked_of(role) is not None
    }
    has_telegram = is_set(settings, "telegram", "bot_token", os.environ)
    looks = Looks(
        roles=roles,
        callers=callers,
        alone=OWN,
        tests=_tests(settings, ledger),
        is_shown=lambda component: has_telegram or component != "telegram",
        data_dir=paths.data_dir,
    )
    try:
        async with watching(settings, paths, ledger, looks, clock=clock):
            yield
    finally:
        for caller in callers.values():
            await caller.aclose()


@contextlib.asynccontextmanager
async def watching(
    settings: Settings,
    paths: Paths,
    ledger: Ledger,
    looks: Looks,
    *,
    clock: Clock,
    look_s: float = LOOK_S,
    settled_ns: int = SETTLED_NS,
) -> AsyncIterator[Watch]:
    """Look again and again until the block ends, and have the ledger answer and tell of it."""
    trouble, kept = "", None
    try:
        kept = Kept(paths.health)
    except SyndicateError as error:
        trouble = str(error)
    told: asyncio.Queue[Notice] = asyncio.Queue()
    watch = Watch(
        kept,
        basis=basis_of(settings),
        now_ns=clock(),
        retention_days=settings.data.retention_days,
        tell=told.put_nowait,
        trouble=trouble,
        settled_ns=settled_ns,
    )
    measures = UseMeasures(
        settings, paths, watch.uses, basis=basis_of(settings), tell=told.put_nowait
    )
    ledger.health_desk, ledger.use_desk = watch, measures
    tasks = [
        asyncio.create_task(_guarded(_look(watch, looks, clock, look_s, measures))),
        asyncio.create_task(_guarded(_measure(measures, clock))),
        asyncio.create_task(_guarded(_tell(ledger, told))),
    ]
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if kept is not None:
            with contextlib.suppress(SyndicateError):
                kept.close()


async def _look(
    watch: Watch, looks: Looks, clock: Clock, look_s: float, measures: UseMeasures
) -> None:
    rounds = 0
    while True:
        seen = await looks.look()
        at_ns = clock()
        watch.take(seen.sights, at_ns=at_ns)
        for role, tallied in seen.tallied.items():
            watch.take_tally(role, tallied, at_ns=at_ns)
        for role, used in seen.used.items():
            watch.uses.take(role, used, at_ns=at_ns)
        if seen.work is not None:
            measures.take_work(seen.work, at_ns=at_ns)
        watch.looked(at_ns=at_ns, everything=seen.is_whole)
        if rounds % PRUNE_ROUNDS == 0:
            watch.prune(at_ns=at_ns)
        rounds += 1
        await asyncio.sleep(look_s)


async def _measure(measures: UseMeasures, clock: Clock) -> None:
    while True:
        at_ns = clock()
        await asyncio.to_thread(measures.sample, at_ns)
        measures.look(at_ns)
        await asyncio.sleep(MEASURE_S)


async def _tell(ledger: Ledger, told: "asyncio.Queue[Notice]") -> None:
    count = 0
    while True:
        notice = await told.get()
        count += 1
        record = NoticeRecord(record_id=f"health-{notice.at_ns}-{count}", notice=notice)
        try:
            await ledger.append([record], generation=None)
        except SyndicateError as error:
            log.error("an incident could not be told: %s", error)  # noqa: TRY400 - said whole


async def _guarded(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        # The ledger goes on: it keeps the money, and the chat sees that looks are old.
        log.exception("the watch of components ended")


def _tests(settings: Settings, ledger: Ledger) -> dict[str, Callable[[], Awaitable[object]]]:
    tests: dict[str, Callable[[], Awaitable[object]]] = {"database": ledger.engine_ids}
    url = settings.bus.url
    if url is not None and url.startswith("redis"):
        from engine.bus.redis_client import FAILURES, connect  # noqa: PLC0415 - few have a server

        server = connect(url)

        async def ping() -> None:
            try:
                await server.ping()
            except FAILURES as error:
                raise ConnectionError(str(error)) from error

        tests["redis"] = ping
    return tests
