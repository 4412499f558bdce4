"""A seeded world of hours: the sandbox's venues and a made-up chain, in virtual time.

The whole engine trades in it on paper, with the real ledger behind it, many times faster than real
time; what is recorded can be played again one way and another.
"""

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

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
from tests.background.habits import Habits
from tests.background.rival_chain import GWEI, RivalChain
from tests.simulation.chain import AnyChain, SimulatedChain
from tests.simulation.ledger_line import LedgerLine
from tests.simulation.life import Life, begin
from tests.simulation.machine import START_NS, Machine
from tests.simulation.markets import Temper, make_stage
from tests.simulation.operator import Operator
from tests.simulation.virtual_time import VirtualLoop, virtual_loop

LONG_S: Final = 10**9
"""No job of the ledger begins: its thread would take real time while virtual time runs on."""

SEGMENT_BYTES: Final = 8 << 20
STEP_S: Final = 0.05
CALM: Final = Temper(steps_per_s=1.0, stray_ratio=0.0006, faults="")
"""Gaps beyond the fees open now and then, not all the time."""

SLOW: Final = Temper(steps_per_s=1.0, stray_ratio=0.0003, wander_ratio=0.00003, faults="")
"""Prices wander by some 3 % a day, as real ones do, and few gaps between books are beyond their
fees: what there is to learn is the chain's."""

FEE_BPS: Final = Decimal(15)


@dataclass(slots=True)
class World:
    """A world that runs.

    Attributes:
        recording: where its inputs were recorded, once it is over.
    """

    machine: Machine
    ledger: LedgerLine
    life: Life
    chain: AnyChain
    recording: Path = Path()

    def elapsed_s(self) -> float:
        """Return how long it has run, virtually."""
        return virtual_loop().time()


Beside = Callable[[World], Awaitable[None]]
"""What happens in a world each second of its time; it takes none."""


async def _nothing(_world: World) -> None:
    pass


def run_world(
    seed: int,
    directory: Path,
    *,
    seconds: float,
    empty_database: Path,
    beside: Beside = _nothing,
    segment_bytes: int = SEGMENT_BYTES,
    habits: Habits | None = None,
) -> World:
    """Let a world run in an empty folder, and end in order.

    Args:
        seed: of all its chance.
        directory: where all of it is kept.
        seconds: how long it runs, in its own time.
        empty_database: which its ledger begins with.
        beside: what happens in it besides.
        segment_bytes: of its recording.
        habits: of those who trade on its chain; None is the simulation's chain, where none has any.
    """
    shutil.copy(empty_database, directory / DATABASE_NAME)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(
            _run(
                seed,
                directory,
                seconds=seconds,
                beside=beside,
                segment_bytes=segment_bytes,
                habits=habits,
            )
        )


async def _run(
    seed: int,
    directory: Path,
    *,
    seconds: float,
    beside: Beside,
    segment_bytes: int,
    habits: Habits | None,
) -> World:
    rng = random.Random(f"world {seed}")
    start_ns = START_NS - START_NS % NS_PER_DAY
    machine = Machine(virtual_loop(), directory, start_ns=start_ns)
    ledger = LedgerLine(machine, rng)
    ledger.settings = replace(ledger.settings, backup_s=LONG_S, retention_s=LONG_S)
    temper = CALM if habits is None else SLOW
    stage, prices = make_stage(seed, seconds=seconds, epoch_ns=start_ns, temper=temper)
    chain: AnyChain = (
        SimulatedChain(seed, prices)
        if habits is None
        else RivalChain(seed, prices, habits, epoch_ns=start_ns)
    )
    gwei = Decimal(1) if habits is None else Decimal(repr(GWEI)).quantize(Decimal("1e-6"))
    async with ledger.opened():
        life = await begin(
            machine,
            stage,
            chain,
            ledger,
            Operator(machine, ledger, rng),
            settings=settings_of(
                seed,
                gas_price_gwei={chain.name: gwei},
                fee_bps=FEE_BPS if habits is None else Decimal(habits.book_fee_bps),
            ),
            rng=rng,
            segment_bytes=segment_bytes,
            # What waits there is older than what the venue says of it: for good its stream is late.
            waits_ratio=0.0,
        )
        world = World(machine, ledger, life, chain)
        due_s = 1.0
        while virtual_loop().time() < seconds:
            await asyncio.sleep(STEP_S)
            stage.advance(machine.elapsed_ns())
            chain.advance(machine.elapsed_ns())
            life.pump()
            if virtual_loop().time() >= due_s:
                due_s += 1.0
                await beside(world)
        world.recording = await life.close()
        await ledger.settle()
    return world


def settings_of(
    seed: int, *, gas_price_gwei: dict[str, Decimal], fee_bps: Decimal = FEE_BPS
) -> Settings:
    """Return what the engine of a world is set to."""
    return Settings(
        markets=MarketsSettings(age_ms_max=5_000),
        costs=CostsSettings(
            fee_bps_taker=dict.fromkeys(("binance", "coinbase", "bitstamp", "gemini"), fee_bps)
        ),
        limits=LimitsSettings(
            net_edge_bps_min=Decimal(1),
            position_usd=Decimal(20_000),
            daily_loss_usd=Decimal(500),
            orders_per_minute_max=1_000,
        ),
        paper=PaperSettings(mode_at_first_start="paper", capital_usd=Decimal(100_000), seed=seed),
        routes=RoutesSettings(gas_price_gwei=gas_price_gwei, flash_fee_bps=Decimal(0), legs_max=3),
    )


def instant(world: World) -> int:
    """Return a world's time, in nanoseconds since 1970."""
    return world.machine.wall_ns() // NS_PER_S * NS_PER_S
