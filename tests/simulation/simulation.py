"""A run: markets, one machine, lives of an engine on it, and what happens, drawn from one seed."""

import asyncio
import gc
import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final
from zlib import crc32

from engine.bus.records import ExecutionRecord
from engine.core.inputs.switched import ControlState
from engine.domain.plans import MixedPlan
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.settings.schema import (
    CostsSettings,
    LimitsSettings,
    MarketsSettings,
    PaperSettings,
    RoutesSettings,
    Settings,
)
from engine.storage.ledger_settings import DATABASE_NAME
from tests.simulation import invariants
from tests.simulation.adviser import Adviser
from tests.simulation.chain import CHAIN, SimulatedChain
from tests.simulation.ledger_line import LedgerLine
from tests.simulation.life import Life, begin
from tests.simulation.machine import START_NS, Machine
from tests.simulation.markets import make_stage
from tests.simulation.operator import Operator
from tests.simulation.virtual_time import VirtualLoop, virtual_loop

MEMORY: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where runs have their folders: nothing here asks whether a disk keeps what was synced."""

LIFE_S = (0.5, 4.0)
RUN_S = 7.0
"""Shorter than the ledger's first scheduled job, whose thread would take real time."""

EVENTS_PER_S = 1.2
EVENTS = ("command",) * 12 + (
    "away",
    "away",
    "lost reply",
    "lost reply",
    "step",
    "sleep",
    "by hand",
)


@dataclass(slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        counts: events by kind, plans, executions, crashes and so on.
        failures: what did not hold, in words.
        digest: of all decisions; the same seed gives the same.
    """

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    digest: int = 0


class Run:
    """One run; made by `simulate`."""

    def __init__(self, seed: int, directory: Path, loop: VirtualLoop) -> None:
        self.outcome = Outcome(seed)
        rng = self._rng = random.Random(f"run {seed}")
        # Some runs pass midnight.
        start_ns = START_NS - START_NS % NS_PER_DAY - rng.choice([10, 40_000]) * NS_PER_S
        self._loop = loop
        self._machine = Machine(loop, directory, start_ns=start_ns)
        self._ledger = LedgerLine(self._machine, rng)
        self._operator = Operator(self._machine, self._ledger, rng)
        self._settings = _draw_settings(rng)
        self._stage, prices = make_stage(seed, seconds=RUN_S, epoch_ns=start_ns)
        self._chain = SimulatedChain(seed, prices)
        self._has_stepped = False
        # Which segments are replayed is drawn apart: it changes nothing of the run.
        self._adviser = Adviser(seed)
        self._replay_rng = random.Random(f"replays {seed}")

    async def play(self) -> Outcome:
        """Live one life after another until the time is over; the last ends in order."""
        while self._loop.time() < RUN_S:
            async with self._ledger.opened():
                while await self._live():
                    pass
                await self._check_end()
        stored = self._ledger.stored
        self._note("at the end", invariants.check_database(self._machine.directory, stored))
        self.outcome.failures += self._operator.failures
        return self.outcome

    async def _live(self) -> bool:
        """Live one life; return whether the ledger stays open for the next."""
        self._ledger.away_until_s = min(self._ledger.away_until_s, self._loop.time() + 3.0)
        life = await begin(
            self._machine,
            self._stage,
            self._chain,
            self._ledger,
            self._operator,
            settings=self._settings,
            rng=self._rng,
        )
        self.outcome.counts["lives"] += 1
        self._check_begun(life)
        self._ledger.losses += self._rng.random() < 0.3
        ends_s = self._loop.time() + self._rng.uniform(*LIFE_S)
        while self._loop.time() < ends_s:
            await asyncio.sleep(self._rng.choice([0.01, 0.02, 0.05]))
            self._stage.advance(self._machine.elapsed_ns())
            self._chain.advance(self._machine.elapsed_ns())
            life.pump()
            self.outcome.counts["advised"] += self._adviser.act(life)
            if self._rng.random() < EVENTS_PER_S * 0.03:
                self._happen(life)
        is_over = self._loop.time() >= RUN_S
        await (self._close(life) if is_over or self._rng.random() < 0.2 else self._crash(life))
        self._count(life)
        return not is_over and self._rng.random() < 0.7

    def _happen(self, life: Life) -> None:
        event = self._rng.choice(EVENTS)
        self.outcome.counts[event] += 1
        if event == "command":
            life.command()
        elif event == "away":
            self._ledger.away_until_s = self._loop.time() + self._rng.uniform(0.2, 6.0)
        elif event == "lost reply":
            self._ledger.losses += 1
        elif event == "step":
            self._has_stepped = True
            self._machine.step(self._rng.choice([-1, 1]) * self._rng.randrange(2, 900) * NS_PER_S)
        elif event == "sleep":
            self._has_stepped = True
            self._machine.sleep(self._rng.randrange(2, 20) * NS_PER_S)
        else:
            self._operator.kill_by_hand()

    def _check_begun(self, life: Life) -> None:
        now_ns = life.header.started_at_ns
        stored = self._ledger.stored
        day_start_ns = now_ns - now_ns % NS_PER_DAY
        self._note("restart", invariants.check_state(life.state, stored, day_start_ns))
        self._note("restart", invariants.check_restored(life))
        newest = self._ledger.state
        if newest is not None:
            expected = ControlState(mode=newest.mode, is_paused=newest.is_paused)
            if life.header.limits != newest.limits:
                self._fail(f"restart: {life.header.limits} restored, {newest.limits} is stored")
            if (life.header.off, life.header.fees) != (newest.off, newest.fees):
                self._fail(f"restart: {life.header.off} restored, {newest.off} is stored")
            if life.header.control != expected:
                self._fail(f"restart: {life.header.control} was restored, {expected} is stored")
        self._operator.restarted(life.header.control, is_killed=life.latches.is_killed())
        self._has_stepped = False

    async def _crash(self, life: Life) -> None:
        self.outcome.counts["crashes"] += 1
        recording = await life.crash()
        await self._ledger.settle()
        self._check_ended(life, recording, is_closed=False, is_drained=False)

    async def _close(self, life: Life) -> None:
        recording = await life.close()
        is_drained = not life.outbox.waiting
        self._check_ended(life, recording, is_closed=True, is_drained=is_drained)

    def _check_ended(
        self, life: Life, recording: Path, *, is_closed: bool, is_drained: bool
    ) -> None:
        when = f"end of life {self.outcome.counts['lives']}"
        stored = self._ledger.stored
        self._note(when, invariants.check_kept(life, stored, is_drained=is_drained))
        self._note(when, invariants.check_live(life, has_stepped=self._has_stepped))
        self._note(when, invariants.check_plans(life, self._settings))
        self._note(when, invariants.check_told(stored, life.header.run_id))
        rng = self._replay_rng
        self._note(when, invariants.check_replay(life, recording, rng, is_closed=is_closed))
        self.outcome.failures += [f"{when}: {one}" for one in life.failures]

    async def _check_end(self) -> None:
        await self._ledger.settle()

    def _count(self, life: Life) -> None:
        counts = self.outcome.counts
        executions = [one for one in life.put if isinstance(one, ExecutionRecord)]
        counts["plans"] += life.core.journal.counts.planned
        counts["executions"] += len(executions)
        counts["of 3 legs or more"] += sum(len(one.plan.opportunity.hops) > 2 for one in executions)
        counts["closing residuals"] += sum(
            any(one.execution.corrections_quote) for one in executions
        )
        counts["with residuals"] += sum(bool(one.execution.residuals) for one in executions)
        counts["late fills"] += sum(bool(one.execution.corrects) for one in executions)
        mixed = [one.execution for one in executions if isinstance(one.plan, MixedPlan)]
        counts["mixed"] += sum(one.is_traded for one in mixed)
        counts["mixed with residuals"] += sum(bool(one.residuals) for one in mixed)
        transactions = [one.execution for one in executions if one.execution.transaction]
        counts["transactions"] += sum(one.is_traded for one in transactions)
        counts["transactions reverted"] += sum(bool(one.why_reverted) for one in transactions)
        counts.update(life.link.counts)
        counts["blocks undone"] = self._chain.undone
        counts["inputs"] += life.core.hot_path.seq
        counts["kills"] = self._operator.kills
        counts["looser than told"] = self._operator.looser
        self.outcome.digest = crc32(b"".join(life.lines), self.outcome.digest)

    def _note(self, when: str, found: invariants.Findings) -> None:
        self.outcome.failures += [f"{when}: {one}" for one in found]

    def _fail(self, text: str) -> None:
        self.outcome.failures.append(text)


def simulate(seed: int, directory: Path, *, empty_database: Path) -> Outcome:
    """Play the run of a seed in an empty folder."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()  # what was imported: no collection has to look at it again
    gc.collect()  # engines of earlier runs are few objects with much memory
    shutil.copy(empty_database, directory / DATABASE_NAME)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        run = Run(seed, directory, loop)
        return runner.run(run.play())


def make_empty_database(directory: Path) -> Path:
    """Make a ledger without records, for runs to copy: the schema takes most of a second."""

    async def make() -> None:
        machine = Machine(virtual_loop(), directory, start_ns=START_NS)
        async with LedgerLine(machine, random.Random(0)).opened():
            pass

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(make())
    return directory / DATABASE_NAME


def _draw_settings(rng: random.Random) -> Settings:
    fee_bps = partial(rng.choice, [Decimal(1), Decimal(5), Decimal(10)])
    return Settings(
        markets=MarketsSettings(age_ms_max=rng.choice([1_000, 5_000])),
        costs=CostsSettings(
            fee_bps_taker={
                name: fee_bps() for name in ("binance", "coinbase", "bitstamp", "gemini", "kraken")
            }
        ),
        limits=LimitsSettings(
            net_edge_bps_min=Decimal(rng.choice([1, 5])),
            position_usd=Decimal(rng.choice([1_000, 20_000])),
            daily_loss_usd=Decimal(rng.choice([1, 500])),
            orders_per_minute_max=rng.choice([60, 1_000]),
        ),
        paper=PaperSettings(
            mode_at_first_start="paper",
            capital_usd=Decimal(rng.choice([5_000, 100_000])),
            seed=rng.randrange(1_000),
            late_fill_ratio=rng.choice([0, 0.3]),
        ),
        routes=RoutesSettings(
            gas_price_gwei={CHAIN: Decimal(rng.choice(["0.1", "1", "5"]))},
            flash_fee_bps=Decimal(rng.choice([0, 5])),
            legs_max=rng.choice([2, 3]),
        ),
    )
