"""Discoveries as the ledger answers for them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.discovery_reports import (
    DiscoveriesKept,
    DiscoveriesReport,
    DiscoveryCounts,
    DiscoveryReport,
    EffectKept,
    Kept,
    Use,
)
from engine.bus.records import Appended
from engine.bus.reports import Unknown
from engine.domain.discoveries import FOUND_MAX, Discovery, Effect
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.storage import discovery_store, discovery_views
from engine.storage.discovery_store import LEFT_OUT, PRUNED_AT_ONCE, Finding
from engine.storage.discovery_views import Question
from engine.storage.opening import Clock

NAME_LENGTH_MAX: Final = 100
AT_NS_MAX: Final = 2**62
SIMILAR_MAX: Final = 50

Transact = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]


class Run(Protocol):
    """What a run of a task found, see `KeepDiscoveries`."""

    @property
    def task(self) -> str:
        """Its task."""
        ...

    @property
    def agent(self) -> str:
        """Whose task it is."""
        ...

    @property
    def task_run(self) -> str:
        """The run's name."""
        ...

    @property
    def at_ns(self) -> int:
        """When it was given what it rests on."""
        ...

    @property
    def basis(self) -> Basis:
        """Of what it is."""
        ...

    @property
    def found(self) -> Sequence[Discovery]:
        """What it found."""
        ...


class Discoveries:
    """The ledger's book of discoveries.

    Args:
        change: runs a transaction that changes something.
        transact: runs any, without counting it as a change.
        basis: whose discoveries are told; None for all.
    """

    def __init__(
        self, *, change: Transact, transact: Transact, clock: Clock, basis: Basis | None
    ) -> None:
        self._change = change
        self._transact = transact
        self._clock = clock
        self._basis = basis

    async def keep(self, run: Run) -> DiscoveriesKept:
        """Keep what a run found; see `KeepDiscoveries`.

        Raises:
            BadValueError: the run itself cannot be kept.
        """
        for name in (run.task, run.agent, run.task_run):
            if not (0 < len(name) <= NAME_LENGTH_MAX and name.isprintable()):
                raise BadValueError(
                    f"a run's task, agent and name have 1 to {NAME_LENGTH_MAX} characters"
                )
        if not 0 < run.at_ns < AT_NS_MAX:
            raise BadValueError(f"{run.at_ns} ns is no instant of a run")
        now_ns = self._clock()
        left_out = max(0, len(run.found) - FOUND_MAX)

        async def work(connection: AsyncConnection) -> list[Kept]:
            verdicts = [
                await discovery_store.keep(
                    connection,
                    Finding(
                        record_id=f"{run.task_run}-{place}",
                        task=run.task,
                        agent=run.agent,
                        task_run=run.task_run,
                        at_ns=run.at_ns,
                        basis=run.basis,
                        discovery=discovery,
                    ),
                    now_ns=now_ns,
                )
                for place, discovery in enumerate(run.found[:FOUND_MAX])
            ]
            if left_out:
                await discovery_store.count(connection, LEFT_OUT, left_out)
            return verdicts

        return DiscoveriesKept(verdicts=await self._change(work), left_out=left_out)

    async def keep_use(self, seq: int, use: Use) -> Appended | Unknown:
        """Note the input that an advice became."""
        is_known = await self._change(partial(discovery_store.keep_use, seq=seq, use=use))
        return Appended(count=1) if is_known else _unknown(seq)

    async def keep_change(self, seq: int, what: str) -> Appended | Unknown:
        """Note what was otherwise because of a discovery."""
        is_known = await self._change(
            partial(discovery_store.keep_change, seq=seq, what=what, now_ns=self._clock())
        )
        return Appended(count=1) if is_known else _unknown(seq)

    async def keep_effect(self, seq: int, effect: Effect) -> EffectKept | Unknown:
        """Note what a discovery changed."""
        is_ended = await self._change(
            partial(discovery_store.keep_effect, seq=seq, effect=effect, now_ns=self._clock())
        )
        return _unknown(seq) if is_ended is None else EffectKept(ended=is_ended)

    async def load(self, question: Question) -> DiscoveriesReport:
        """Load discoveries; see `GetDiscoveries`."""
        now_ns = self._clock()
        lines, left_out, in_force = await self._transact(
            partial(discovery_views.load, question=question, basis=self._basis, now_ns=now_ns)
        )
        return DiscoveriesReport(
            at_ns=now_ns,
            basis=self._basis or Basis.SANDBOX,
            lines=lines,
            left_out=left_out,
            in_force=in_force,
        )

    async def load_one(self, seq: int) -> DiscoveryReport | Unknown:
        """Load one discovery with its history."""
        report: DiscoveryReport | None = await self._transact(
            partial(discovery_views.load_one, seq=seq, now_ns=self._clock())
        )
        return _unknown(seq) if report is None else report

    async def load_similar(self, seq: int, *, limit: int) -> DiscoveriesReport | Unknown:
        """Load discoveries that are most like one."""
        compared = await self._transact(partial(discovery_views.load_compared, seq=seq))
        if compared is None:
            return _unknown(seq)
        line, others = compared
        lines = await asyncio.to_thread(
            discovery_views.most_alike, line, others, limit=max(1, min(limit, SIMILAR_MAX))
        )
        return DiscoveriesReport(
            at_ns=self._clock(), basis=line.basis, lines=lines, left_out=0, in_force=len(others)
        )

    async def count(self, since_ns: int, until_ns: int | None = None) -> DiscoveryCounts:
        """Sum up what was learned from an instant up to another, or up to now."""
        report: DiscoveryCounts = await self._transact(
            partial(
                discovery_views.load_counts,
                since_ns=since_ns,
                until_ns=AT_NS_MAX if until_ns is None else until_ns,
                basis=self._basis,
                now_ns=self._clock(),
            )
        )
        return report

    async def prune(self, *, old_at_ns: int) -> int:
        """End what expired, delete what is old or too much; return how much was deleted."""
        deleted, batch = 0, PRUNED_AT_ONCE
        while batch == PRUNED_AT_ONCE:
            batch = await self._transact(
                partial(discovery_store.prune, now_ns=self._clock(), old_at_ns=old_at_ns)
            )
            deleted += batch
        return deleted


def _unknown(seq: int) -> Unknown:
    return Unknown(what=f"there is no discovery {seq}")
