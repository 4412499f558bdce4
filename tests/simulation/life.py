"""One life of an engine: all its real parts, on connections without sockets, until it ends.

A crash drops everything at once. What goes on is what others hold: the ledger, the latch file, and
the part of the recording that had reached the disk.
"""

import asyncio
import random
import shutil
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

from engine.bus.lease import held_lease
from engine.bus.records import DepositRecord, EngineState, ExecutionRecord, IntentRecord, Record
from engine.connectors.rest import RestClient
from engine.connectors.session import Session
from engine.connectors.specs import all_specs
from engine.domain.advice import GAS_RATIO_MAX
from engine.domain.engines import MAIN
from engine.domain.gas import GasPrice
from engine.domain.plans import AtomicPlan, MixedPlan, OnChain, Part
from engine.operate.chat_sight import ChatSight
from engine.operate.clock import SteadyClock
from engine.operate.codes import Codes
from engine.operate.engine_answers import EngineAnswers
from engine.operate.engine_reports import Sights
from engine.operate.kill_latch import EngineLatches, KillLatch
from engine.operate.kill_switches import KillSwitches
from engine.operate.latency import LatencyRing
from engine.operate.once import Once
from engine.operate.outbox import Outbox
from engine.operate.recorder import FLUSH_S, Recorder, RecorderSettings
from engine.operate.recording import EntryKind
from engine.operate.run_header import RunHeader, encode_header
from engine.operate.silence import Silence
from engine.operate.step_up import StepUp
from engine.operate.world import LiveWorld
from engine.sandbox.stage import Stage
from engine.settings.schema import Settings
from engine.wiring.chains import _ChainInputs
from engine.wiring.core import Surroundings, build_core
from engine.wiring.engine_inputs import _list_of, accept_of, intents_to
from engine.wiring.engine_recording import begin_segment
from engine.wiring.engine_role import (
    _first_state,
    _tell_start,
    _watch_aftermath,
    _watch_latches,
)
from engine.wiring.markets import ChainSource
from engine.wiring.run_set_up import OpenVenues, VenueAccess, begin_run
from engine.wiring.ticks import Ticks
from tests.simulation.chain import AnyChain, AnyLink
from tests.simulation.connection import Connection
from tests.simulation.ledger_line import LedgerLine
from tests.simulation.machine import Machine
from tests.simulation.operator import Operator

VENUES = all_specs()

SEGMENT_BYTES = 1 << 15
"""So small that a life has several: replays begin at each."""
TOTAL_BYTES = 1 << 30
DRAIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What there is of an engine once the ledger has answered."""

    clock: SteadyClock
    connections: list[Connection]
    venues: OpenVenues
    state: EngineState
    header: RunHeader
    chain: AnyChain
    rng: random.Random
    segment_bytes: int


class Life:
    """An engine that runs; made by `begin`.

    Attributes:
        put: money that the journal handed to the outbox, in order.
        lines: the decision log.
        failures: plans that were not allowed.
    """

    def __init__(
        self,
        machine: Machine,
        ledger: LedgerLine,
        operator: Operator,
        *,
        settings: Settings,
        begun: Begun,
    ) -> None:
        self.put: list[ExecutionRecord | DepositRecord] = []
        self.lines: list[bytes] = []
        self.failures: list[str] = []
        self.state = state = begun.state
        self.header = begun.header
        self._machine = machine
        self._ledger = ledger
        self._operator = operator
        self._stack = ExitStack()
        lease = self._stack.enter_context(
            held_lease(machine.directory / "engine.lock", what="engine")
        )
        clock, venues = begun.clock, begun.venues
        self.now_ns = clock.now_ns
        self.latches = EngineLatches(
            KillLatch(machine.directory), KillLatch(machine.own_latch_directory)
        )
        self.connections = begun.connections
        self.outbox = Outbox(ledger, generation=state.generation)
        if state.mode is None:
            self.outbox.put(_first_state(self.header))
        self.recorder = _open_recorder(machine, self.header, begun.segment_bytes)
        self.core = build_core(self.header, self._surroundings(settings))
        codes = Codes(None, self.outbox, self.now_ns)
        self.kill_switches = KillSwitches(
            self.latches,
            self.outbox,
            self.now_ns,
            engine_id=MAIN,
            state=state,
            codes=codes,
        )
        self.recorder.begin_with(partial(begin_segment, self.core))
        self._ticks = Ticks(self.core, self.outbox, clock, self.kill_switches, self.recorder)
        watch = self._ticks.watch
        self.link = begun.chain.line(
            self.core,
            _ChainInputs(begun.chain.name, self.core.hot_path, watch, clock.now_ns),
            begun.rng,
        )
        # They do what sessions do, without sockets.
        sessions = self._ticks.sessions = cast("list[Session]", self.connections)
        self._accepts = [
            accept_of(self.core.hot_path, stream, self._ticks.watch)
            for stream in range(len(self.connections))
        ]
        self._lists = [
            _list_of(settings, of, session, accept, self.now_ns)
            for of, session, accept in zip(venues.access, sessions, self._accepts, strict=True)
        ]
        for venue_list, of in zip(self._lists, venues.access, strict=True):
            venue_list.take(of.listing)
        self.answers = EngineAnswers(
            self.core,
            _sights(self),
            latches=self.latches,
            kill_switches=self.kill_switches,
            outbox=self.outbox,
            clock=self.now_ns,
            lease=lease,
            once=Once(self.outbox, self.now_ns, target=MAIN, outcomes=state.outcomes),
            step_up=StepUp(codes, basis=self.header.basis, delay_s=0),
            silence=Silence(machine.directory, self.now_ns),
            sight=ChatSight(blind_s=3_600.0),
            delayed=state.delayed,
        )
        self.outbox.on_intent = intents_to(self.core.hot_path, self._ticks.watch, self.now_ns)
        _tell_start(self.core, self.latches, self.now_ns)
        self._tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(self.outbox.run()),
            asyncio.create_task(self._ticks.run()),
            asyncio.create_task(_watch_latches(self.kill_switches)),
            asyncio.create_task(_watch_aftermath(self.answers.aftermath)),
            asyncio.create_task(self._record()),
        ]
        self._commands: set[asyncio.Task[None]] = set()

    def pump(self) -> None:
        """Let every connection deliver what has arrived; raise what ended a task."""
        for connection, accept, venue_list in zip(
            self.connections, self._accepts, self._lists, strict=True
        ):
            if connection.list_wanted.is_set() or not venue_list.had.is_set():
                connection.list_wanted.clear()
                venue_list.take(connection.list())
            if venue_list.had.is_set():
                connection.pump(accept, self.now_ns())
        self.link.pump(self.now_ns())
        self.failures += self.link.check()
        for task in [*self._tasks, *self._commands]:
            if task.done():
                self._commands.discard(task)
                task.result()

    def command(self) -> None:
        """Let the operator give a command, beside any that is not answered yet."""
        act = self._operator.act(self.answers, self.now_ns())
        self._commands.add(asyncio.create_task(act))

    async def crash(self) -> Path:
        """Drop everything; return what of the recording is on the disk."""
        cut = self._machine.directory / "cut" / self.header.run_id
        if self.recorder.run_directory.exists():
            shutil.copytree(self.recorder.run_directory, cut)
        await self._drop()
        return cut

    async def close(self) -> Path:
        """End in order; return the recording."""
        await self._drop()
        await self.outbox.drain(timeout_s=DRAIN_S)
        return self.recorder.run_directory

    async def _drop(self) -> None:
        self.link.close()
        for connection in self.connections:
            connection.drop()
        tasks = [*self._tasks, *self._commands]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
        self.recorder.close()
        self._stack.close()

    async def _record(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            self.recorder.flush()

    def _surroundings(self, settings: Settings) -> Surroundings:
        return Surroundings(
            world=LiveWorld(
                is_killed=self.latches.is_killed,
                is_ledger_behind=self.outbox.is_behind,
                recorder=self.recorder,
            ),
            put=self._put,
            log=self._log,
            recorder=self.recorder,
            opportunity_usd_min=settings.telegram.opportunity_usd_min,
        )

    def _put(self, record: Record) -> None:
        if isinstance(record, ExecutionRecord | DepositRecord):
            self.put.append(record)
        if isinstance(record, ExecutionRecord | IntentRecord):
            self.failures += check_sent(record, self._ledger.intended, self.link)
        self.outbox.put(record)

    def _log(self, line: bytes) -> None:
        self.recorder.write(0, EntryKind.DECIDED, 0, 0, "", line)
        self.lines.append(line)
        if (
            line.startswith(b'["decided"')
            and b'"plan_id"' in line
            and not self._operator.may_plan()
        ):
            operator = self._operator
            self.failures.append(
                f"a plan was made with {operator.state}, killed: {operator.is_killed}"
            )


def check_sent(
    record: ExecutionRecord | IntentRecord, intended: AbstractSet[str], link: AnyLink
) -> Iterator[str]:
    """Say what was sent before the ledger had its intent, or does not go by the price of gas."""
    if isinstance(record, IntentRecord):
        plan = record.intent.plan
        is_behind = isinstance(plan, MixedPlan) and not (
            plan.first is Part.TRANSACTION and record.intent.transactions
        )  # what follows is as it was decided on
        if isinstance(plan, OnChain) and not is_behind and not _is_price_of(plan, link.gas):
            yield f"{plan.plan_id} has gas at {plan.gas.price_gwei}, not {link.gas.gwei} gwei"
        return
    execution = record.execution
    names = {one.client_order_id for one in execution.orders if one.fills}
    transaction = execution.transaction
    if transaction is not None and transaction.receipt is not None and not execution.void:
        names.add(transaction.client_order_id)
        assert isinstance(record.plan, AtomicPlan | MixedPlan)
        owed = _owed(record.plan, link.gas_before)
        # Orders may follow on it: what gas cost when it landed is known of what ends with that.
        is_last = transaction.receipt.landed_at_ns == execution.closed_at_ns
        if is_last and transaction.receipt.gas != owed:
            yield f"{execution.execution_id} paid {transaction.receipt.gas} for gas, not {owed}"
    for name in sorted(names - intended):
        yield f"{name} left before its intent was stored"


def _is_price_of(plan: OnChain, price: GasPrice) -> bool:
    """Say whether a plan reckons with what was told, or by advice with more."""
    if plan.advice is msgspec.UNSET:
        return plan.gas.price_gwei == price.gwei
    return price.gwei <= plan.gas.price_gwei <= Decimal(GAS_RATIO_MAX) * price.gwei


def _owed(plan: OnChain, price: GasPrice) -> Decimal:
    """Return what a transaction pays, worked out anew."""
    data_raw = price.data_fixed_raw + len(plan.steps) * price.data_leg_raw
    return plan.gas.units * price.gwei / 10**9 + Decimal(data_raw) / 10**18


async def begin(
    machine: Machine,
    stage: Stage,
    chain: AnyChain,
    ledger: LedgerLine,
    operator: Operator,
    *,
    settings: Settings,
    rng: random.Random,
    segment_bytes: int = SEGMENT_BYTES,
    waits_ratio: float = 0.01,
) -> Life:
    """Start an engine from what the ledger holds; see `Connection` for `waits_ratio`."""
    clock = machine.make_clock()
    connections = [
        Connection(
            stage, VENUES[name], next(iter(VENUES[name].feeds)), rng, waits_ratio=waits_ratio
        )
        for name in VENUES
        if name in stage.markets
    ]
    venues = _venues(connections, chain)
    state, header = await begin_run(settings, venues, ledger, clock.now_ns)
    begun = Begun(
        clock=clock,
        connections=connections,
        venues=venues,
        state=state,
        header=header,
        chain=chain,
        rng=rng,
        segment_bytes=segment_bytes,
    )
    return Life(machine, ledger, operator, settings=settings, begun=begun)


def _venues(connections: list[Connection], chain: AnyChain) -> OpenVenues:
    return OpenVenues(
        access=[
            VenueAccess(
                spec=of.spec,
                feed=of.feed,
                websocket_url="",
                proxy=None,
                rest=cast("RestClient", None),
                pairs=(),
                listing=of.list(),
                why="",
            )
            for of in connections
        ],
        notes={},
        market_note="simulated",
        pools=chain.snapshots(),
        chains={chain.name: ChainSource(url="", block_ms=chain.block_ms)},
    )


def _open_recorder(machine: Machine, header: RunHeader, segment_bytes: int) -> Recorder:
    own = RecorderSettings(
        directory=machine.recordings, segment_bytes=segment_bytes, total_bytes_max=TOTAL_BYTES
    )
    recorder = Recorder(own, header.run_id)
    recorder.write(0, EntryKind.HEADER, 0, header.started_at_ns, "", encode_header(header))
    return recorder


def _sights(life: Life) -> Sights:
    return Sights(
        is_killed=life.latches.is_killed,
        waiting=partial(getattr, life.outbox, "waiting"),
        recording=lambda: None,
        recording_failure=lambda: life.recorder.failure,
        prices_published=lambda: None,
        prices_failure=lambda: None,
        loop_lag=LatencyRing(),
        venue_notes=dict,
    )
