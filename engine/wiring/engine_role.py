"""The engine role: connections, hot path, recording, and the engine's socket."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from engine.bus.lease import Lease, held_lease, keep
from engine.bus.notices import Started
from engine.bus.records import EngineState, StateRecord
from engine.bus.request import Caller
from engine.connectors.outbound import open_outbound
from engine.core.pipeline import Alarm
from engine.domain.modes import Basis
from engine.execute.plan_executor import Sender, Trader
from engine.market.matrix_file import shared_path
from engine.operate.aftermath import Aftermath
from engine.operate.awake import kept_awake
from engine.operate.beside import running_beside
from engine.operate.chat_sight import ChatSight
from engine.operate.clock import Clock, SteadyClock
from engine.operate.codes import Codes
from engine.operate.compiler_pages import release_compiler
from engine.operate.core_parts import Core
from engine.operate.ease import Ease
from engine.operate.engine_answers import EngineAnswers
from engine.operate.kill_latch import EngineLatches
from engine.operate.kill_signal import obey_kill_signal
from engine.operate.kill_switches import KillSwitches
from engine.operate.logs import name_in_logs
from engine.operate.loosening import watch_delays
from engine.operate.mode_word import ModeWord
from engine.operate.once import Once
from engine.operate.one_time_code import OneTimeCode
from engine.operate.outbox import Outbox
from engine.operate.own_core import own_core
from engine.operate.recorder import Recorder
from engine.operate.recording import EntryKind
from engine.operate.run_header import RunHeader
from engine.operate.running_role import running_role
from engine.operate.short_slice import ask_for_short_slices
from engine.operate.sight_watch import watch_sight
from engine.operate.silence import Silence
from engine.operate.silence_watch import watch_silence
from engine.operate.spread_watch import SpreadWatch
from engine.operate.step_up import StepUp
from engine.operate.world import LiveWorld
from engine.settings.schema import Settings
from engine.wiring.bus import caller_to, served
from engine.wiring.chains import open_streams
from engine.wiring.core import Surroundings, build_core
from engine.wiring.engine_inputs import intents_to, lists_of, run_venues, sessions_of
from engine.wiring.engine_recording import begin_segment, open_recording
from engine.wiring.engine_sights import looks_of, sights_of
from engine.wiring.holding import EngineHold
from engine.wiring.live import open_live
from engine.wiring.paths import Paths, prepare_engine
from engine.wiring.run_set_up import begin_run, open_venues
from engine.wiring.shared_prices import SharedPrices
from engine.wiring.ticks import Ticks

log = logging.getLogger(__name__)

DRAIN_S: Final = 2.5
LEASE_LOOK_S: Final = 0.1
LATCH_S: Final = 0.1
LIVE_DELAY_S: Final = 600
SPREADS_S: Final = 2.0
"""Each pair's gaps are sampled once in this time."""


async def run_engine(settings: Settings, paths: Paths) -> None:
    """Run the engine as a process of its own until told to stop.

    Raises:
        TransientError: the ledger, the sandbox or every venue is away.
        FatalError: something that only a person can mend.
    """
    ledger = caller_to(paths, "ledger")

    def hear(ended: str, why: str) -> None:
        if ended == "ledger":
            ledger.ended = why

    async with running_role(on_news=hear) as role:
        if refused := ask_for_short_slices():
            log.info("slices of processor time are the system's: %s", refused)
        try:
            async with (
                own_core(os.environ),
                open_engine(
                    settings,
                    paths,
                    ledger,
                    clock=SteadyClock(),
                    has_ledger=lambda: ledger.ended is None,
                ) as answers,
                served(paths, "engine", answers, on_fatal=role.on_fatal),
            ):
                # Without work beside it, its core has nobody to take the caches.
                with kept_awake(is_wanted=settings.workers.is_on):
                    await role.until_stopped()
        finally:
            await ledger.aclose()


@asynccontextmanager
async def open_engine(
    settings: Settings,
    paths: Paths,
    ledger: Caller,
    *,
    clock: SteadyClock,
    has_ledger: Callable[[], bool] = lambda: True,
) -> AsyncIterator[EngineAnswers]:
    """Connect to the venues and run the hot path until the block ends.

    Once it has no ledger any more it makes no plan, as nobody would keep what came of it.

    Raises:
        TransientError: the ledger, the sandbox or every venue is away.
        FatalError: something that only a person can mend.
    """
    prepare_engine(paths)
    latches = paths.latches()
    holding = EngineHold(settings, paths)
    obey_kill_signal(latches, told=holding.kill_by_signal)
    now_ns = clock.now_ns
    async with AsyncExitStack() as stack:
        lease = stack.enter_context(held_lease(paths.lease("engine"), what="engine"))
        outbound = await stack.enter_async_context(open_outbound(settings.network.proxy))
        venues = await open_venues(settings, paths, outbound, now_ns)
        live = stack.enter_context(open_live(settings, paths, ledger, now_ns))
        state, header = await begin_run(
            settings,
            venues,
            ledger,
            now_ns,
            sends_approved=live.sending.may_send,
            trades=live.trading.venues,
            mixed_shut=live.mixed_shut,
        )
        name_in_logs(run=header.run_id)
        mode_word = _mode_word(stack, paths, header)
        outbox = Outbox(
            ledger,
            generation=state.generation,
            has_ledger=has_ledger,
            engine_id=settings.engine.id,
        )
        stack.push_async_callback(outbox.drain, timeout_s=DRAIN_S)
        if state.mode is None:
            outbox.put(_first_state(header))
        recorder = await open_recording(stack, settings, paths, header)
        prices = SharedPrices(
            shared_path(paths.run), run_id=header.run_id, at_ns=header.started_at_ns
        )
        stack.callback(prices.close)
        core = build_core(
            header,
            _surroundings(
                settings,
                latches,
                outbox,
                recorder,
                lease=lease,
                prices=prices,
                alarm=holding.alarm,
                sender=live.sending.sender,
                trader=live.trading.trader,
            ),
        )
        stack.enter_context(holding.of(core))
        if recorder is not None:
            recorder.begin_with(partial(begin_segment, core))
        codes = Codes(_one_time_code(settings, state), outbox, now_ns)
        kill_switches = KillSwitches(
            latches,
            outbox,
            now_ns,
            engine_id=settings.engine.id,
            state=state,
            codes=codes,
            on_kill=holding.kill,
        )
        ticks = Ticks(core, outbox, clock, kill_switches, recorder)
        sessions = ticks.sessions = sessions_of(core, venues, ticks.watch, now_ns)
        lists = lists_of(settings, core, venues, sessions, watch=ticks.watch, clock=now_ns)
        answers = EngineAnswers(
            core,
            sights_of(
                core,
                venues,
                sessions,
                lists,
                latches=latches,
                loop_lag=ticks.loop_lag,
                outbox=outbox,
                recorder=recorder,
                prices=prices,
            ),
            latches=latches,
            kill_switches=kill_switches,
            outbox=outbox,
            clock=now_ns,
            lease=lease,
            once=Once(outbox, now_ns, target=settings.engine.id, outcomes=state.outcomes),
            step_up=StepUp(codes, basis=header.basis, delay_s=_delay_s(settings, header.basis)),
            silence=Silence(paths.home, now_ns),
            sight=ChatSight(settings.approvals.blind_s),
            delayed=state.delayed,
            mode_word=mode_word,
        )
        ticks.on_step = answers.step_clock
        answers.look = looks_of(core, ticks, recorder, answers.sight, now_ns)
        answers.approvals.on_answer = holding.approval
        outbox.on_intent = intents_to(core.hot_path, ticks.watch, now_ns)
        outbox.intended = live.trading.rehearse
        live.join(answers, core.hot_path, ticks.watch)
        _tell_start(core, latches, now_ns)
        release_compiler()
        async with running_beside() as run:
            run_venues(run, venues, lists, sessions)
            run(outbox.run(), ticks.run())
            run(
                *(
                    stream.run()
                    for stream in open_streams(venues.chains, core.hot_path, ticks.watch, now_ns)
                )
            )
            run(
                keep(lease, every_s=LEASE_LOOK_S),
                live.run(),
                holding.keep_looking(),
                _watch_spreads(core.spread_watch, now_ns),
                _watch_latches(kill_switches),
                _watch_aftermath(answers.aftermath),
                *(watch(answers) for watch in (watch_delays, watch_silence, watch_sight)),
            )
            yield answers


def _mode_word(stack: AsyncExitStack, paths: Paths, header: RunHeader) -> ModeWord:
    """Say the mode to the signer as long as the engine runs."""
    word = ModeWord(paths.engines / paths.engine_id)
    word.write(header.control.mode)
    stack.callback(word.remove)
    return word


def _first_state(header: RunHeader) -> StateRecord:
    """Return what keeps the mode of the first start, whatever the settings say later."""
    return StateRecord(
        record_id=f"{header.run_id}-s0",
        at_ns=header.started_at_ns,
        mode=header.control.mode,
        is_paused=header.control.is_paused,
        limits=header.limits,
        off=header.off,
        fees=header.fees,
        by="settings",
        action="first start",
    )


async def _watch_spreads(watch: SpreadWatch, clock: Clock) -> None:
    """Sample the gaps of all pairs in turn: reading the board changes nothing of the run."""
    ease = Ease()
    while True:
        await asyncio.sleep(ease.eased(SPREADS_S / max(len(watch.pairs), 1)))
        watch.sample_next(clock())


async def _watch_latches(kill_switches: KillSwitches) -> None:
    while True:
        kill_switches.watch()
        await asyncio.sleep(LATCH_S)


async def _watch_aftermath(aftermath: Aftermath) -> None:
    """Look what a kill left; the latches wait for nobody who is asked then."""
    while True:
        await aftermath.watch()
        await asyncio.sleep(LATCH_S)


def _surroundings(
    settings: Settings,
    latches: EngineLatches,
    outbox: Outbox,
    recorder: Recorder | None,
    *,
    lease: Lease,
    prices: SharedPrices,
    alarm: Alarm,
    sender: Sender,
    trader: Trader,
) -> Surroundings:
    def write_line(line: bytes) -> None:
        if recorder is not None:
            recorder.write(0, EntryKind.DECIDED, 0, 0, "", line)

    return Surroundings(
        world=LiveWorld(
            # Asked a last time for every plan: an engine that lost its place plans nothing.
            is_killed=lambda: not lease.is_held() or latches.is_killed(),
            is_ledger_behind=outbox.is_behind,
            recorder=recorder,
        ),
        put=outbox.put,
        log=write_line,
        recorder=recorder,
        opportunity_usd_min=settings.telegram.opportunity_usd_min,
        open_matrix=prices.open,
        alarm=alarm,
        sender=sender,
        trader=trader,
    )


def _tell_start(core: Core, latches: EngineLatches, clock: Clock) -> None:
    core.journal.notices.tell(
        Started(
            at_ns=clock(),
            basis=core.header.basis,
            run_id=core.header.run_id,
            mode=core.control.mode,
            is_killed=latches.is_killed(),
            is_paused=core.control.is_paused,
            market_note=core.header.market_note,
        )
    )


def _one_time_code(settings: Settings, state: EngineState) -> OneTimeCode | None:
    secret = settings.operator.totp_secret
    return None if secret is None else OneTimeCode(secret, state.codes)


def _delay_s(settings: Settings, basis: Basis) -> int:
    """Return how long the largest loosenings wait: on live markets, unless the settings say."""
    said = settings.operator.loosening_delay_s
    if said is not None:
        return said
    return LIVE_DELAY_S if basis is Basis.LIVE else 0
