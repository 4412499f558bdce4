"""The role `workers`: schedules background tasks, gives them what they want, keeps what they find.

The tasks run in processes below it, which get only what nobody else wants of the machine.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from engine.background.copy_stores import CopyStore, LedgerStore
from engine.background.history import History
from engine.background.machine import WorkMachine
from engine.background.nursery import Nursery, open_nursery
from engine.background.ports import Task
from engine.background.pressure import CORES_TIGHT
from engine.background.schedule import Schedule
from engine.background.task_words import TaskWords
from engine.background.timetable import check_tasks
from engine.background.trouble import Trouble
from engine.bus.lease import held_lease, keep
from engine.bus.notices import WorkTrouble
from engine.bus.records import NoticeRecord, Record, TaskActRecord
from engine.bus.request import Caller
from engine.bus.transport import RoleCaller
from engine.bus.unix_socket import SocketCaller
from engine.market.matrix_file import shared_path
from engine.operate.beside import running_beside
from engine.operate.clock import Clock, make_clock
from engine.operate.ease import Ease
from engine.operate.role_uses import LOOK_S, RoleUses
from engine.operate.running_role import running_role
from engine.settings.schema import Settings
from engine.wiring.bus import caller_to, served
from engine.wiring.chain_nodes import hears_of_chains
from engine.wiring.chain_processes import caller_of_chains, chain_roles
from engine.wiring.for_ledger import ForLedger
from engine.wiring.markets import basis_of
from engine.wiring.paths import Paths
from engine.wiring.task_findings import Findings
from engine.wiring.task_wants import Wants
from engine.wiring.work_answers import WorkAnswers
from engine.wiring.work_hold import open_hold
from engine.wiring.work_list import TASKS_AT, tasks_of

log = logging.getLogger(__name__)

OWN_MB: Final = 70
"""The role itself and the process from which runs are made; the rest is for runs."""

LEASE_LOOK_S: Final = 0.5

FREE_CORES: Final = CORES_TIGHT
"""With less of the cores left by others no recording is played: it would take for ever."""


async def run_workers(settings: Settings, paths: Paths) -> None:
    """Work in the background as a process of its own until told to stop.

    Raises:
        FatalError: the list of tasks cannot be scheduled, or what is switched off cannot be read.
    """
    roles = chain_roles(settings)
    callers: dict[str, RoleCaller] = {
        role: caller_to(paths, role) for role in ("ledger", "engine", *roles)
    }
    if settings.signer.signs != "off":  # it answers on its socket, whatever carries the bus
        callers["sender"] = SocketCaller(paths.socket("sender"), role="sender")
    asked = {**callers, "chains": caller_of_chains(callers, roles)}
    async with running_role() as role:
        try:
            with held_lease(paths.lease("workers"), what="workers") as lease:
                async with (
                    open_workers(settings, paths, asked, clock=make_clock()) as answers,
                    served(paths, "workers", answers, on_fatal=role.on_fatal),
                ):
                    await role.until_stopped(keep(lease, every_s=LEASE_LOOK_S))
        finally:
            for caller in callers.values():
                await caller.aclose()


@contextlib.asynccontextmanager
async def open_workers(
    settings: Settings,
    paths: Paths,
    callers: Mapping[str, Caller],
    *,
    clock: Clock,
    tasks: Sequence[Task[Any]] | None = None,
    tasks_at: str = TASKS_AT,
    is_idle: bool = True,
) -> AsyncIterator[WorkAnswers]:
    """Schedule and run tasks until the block ends; what runs then goes on the next time.

    Args:
        settings: of the installation.
        paths: of the installation.
        callers: the roles that are asked: ledger, engine, chains, the sender if there is one.
        clock: the wall clock.
        tasks: all of them; those of the settings if none are given.
        tasks_at: where their processes find the same list, as ``module:NAME``.
        is_idle: they get only what nobody else wants of the machine.
    """
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # a line or two for each run
    runs_mb = settings.workers.memory_mb - OWN_MB
    if tasks is None:
        tasks = tasks_of(measures_effects=settings.workers.measures_effects, runs_mb=runs_mb)
    check_tasks(tasks, memory_mb=runs_mb)
    folder, basis = paths.background, basis_of(settings)
    history = History(folder / "runs", [task.name for task in tasks])
    words = TaskWords(folder / "words.json")
    records = ForLedger(
        callers["ledger"], kind="background_work", basis=basis, clock=clock, rank=_rank
    )
    stores: list[CopyStore] = [LedgerStore(callers["ledger"])]
    if settings.bus.url is not None and settings.bus.url.startswith("redis"):
        from engine.background.redis_copies import RedisStore  # noqa: PLC0415 - few have a server

        stores.append(RedisStore(settings.bus.url))
    async with contextlib.AsyncExitStack() as stack:
        hold = await stack.enter_async_context(open_hold(paths.hold_page))

        def tell(trouble: Trouble) -> None:
            at_ns = clock()
            notice = WorkTrouble(at_ns=at_ns, basis=basis, task=trouble.task, what=trouble.what)
            name = f"work-{trouble.task or 'all'}-{at_ns}"
            records.store_later(NoticeRecord(record_id=name, notice=notice))

        nursery: Nursery = await stack.enter_async_context(
            open_nursery(
                folder=folder,
                tasks=tasks,
                tasks_at=tasks_at,
                basis=basis,
                tell=tell,
                stores=stores,
                on_group=hold.follow,
                clock=clock,
                is_idle=is_idle,
            )
        )
        hold.on_released = nursery.copies.wake
        machine = WorkMachine(
            at_once=settings.workers.at_once, cpu_s=lambda: nursery.spent().cpu_s, hold=hold
        )
        chains = callers["chains"] if hears_of_chains(settings) else None
        findings = Findings(
            ledger=callers["ledger"],
            engine=callers["engine"],
            chains=chains,
            basis=basis,
            clock=clock,
        )
        schedule = Schedule(
            tasks=tasks,
            runner=nursery,
            fetch=Wants(
                ledger=callers["ledger"],
                engine=callers["engine"],
                chains=chains,
                sender=callers.get("sender"),
                prices_path=shared_path(paths.run),
                recordings=paths.recordings,
                tasks=tasks,
                history=history,
                basis=basis,
                seed=settings.paper.seed,
                clock=clock,
                is_quiet=lambda: machine.pressure.cores_left >= FREE_CORES,
            ),
            take=findings,
            history=history,
            words=words,
            machine=machine,
            clock=clock,
            steady=time.monotonic,
            seed=settings.paper.seed,
            memory_mb=runs_mb,
            share_cores=settings.workers.share_cores,
        )
        uses, ease = RoleUses(), Ease()
        answers = WorkAnswers(
            tasks=tasks,
            schedule=schedule,
            runner=nursery,
            history=history,
            words=words,
            machine=machine,
            uses=uses,
            ease=ease,
            basis=basis,
            clock=clock,
            memory_mb_max=settings.workers.memory_mb,
            store=records.store,
            store_later=records.store_later,
            switches=hold.figures,
            trouble=lambda: hold.trouble or findings.trouble,
        )
        async with running_beside() as run:
            run(schedule.run(), hold.run(), findings.run(), records.run(), _look(uses, ease))
            yield answers


def _rank(record: Record) -> int:
    """What a person did counts more than what went wrong by itself, which is told again."""
    return int(isinstance(record, TaskActRecord))


async def _look(uses: RoleUses, ease: Ease) -> None:
    while True:
        uses.look()
        await asyncio.sleep(ease.eased(LOOK_S))
