"""The engine role: connections, hot path, recording, and the engine's socket."""

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from engine.bus.lease import Lease, held_lease, keep
from engine.bus.notices import Started
from engine.bus.records import EngineState, IntentRecord, StateRecord
from engine.bus.request import Caller
from engine.connectors.outbound import open_outbound
from engine.connectors.session import Accept, Session, SessionLimits
from engine.core.inputs.intent_stored import IntentStored
from engine.core.inputs.listed import LISTED, InstrumentList
from engine.core.pipeline import Alarm
from engine.domain.errors import BadValueError, FatalError, SyndicateError, worst_of
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_S
from engine.execute.plan_executor import Sender, Trader
from engine.market.matrix_file import shared_path
from engine.operate.aftermath import Aftermath
from engine.operate.awake import kept_awake
from engine.operate.chat_sight import ChatSight
from engine.operate.clock import Clock, SteadyClock
from engine.operate.clock_watch import ClockWatch
from engine.operate.codes import Codes
from engine.operate.compiler_pages import release_compiler
from engine.operate.core_parts import Core
from engine.operate.ease import Ease
from engine.operate.engine_answers import EngineAnswers
from engine.operate.engine_reports import Sights
from engine.operate.hot_path import HotPath
from engine.operate.kill_latch import EngineLatches
from engine.operate.kill_signal import obey_kill_signal
from engine.operate.kill_switches import KillSwitches
from engine.operate.latency import LatencyRing
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.operate.logs import name_in_logs
from engine.operate.loosening import watch_delays
from engine.operate.mode_word import ModeWord
from engine.operate.once import Once
from engine.operate.one_time_code import OneTimeCode
from engine.operate.outbox import Outbox
from engine.operate.own_core import own_core
from engine.operate.recorder import Recorder, RecorderSettings, open_recorder
from engine.operate.recording import EntryKind, encode_beginning
from engine.operate.role_words import announce_ready
from engine.operate.run_header import RunHeader, encode_header
from engine.operate.short_slice import ask_for_short_slices
from engine.operate.sight_watch import watch_sight
from engine.operate.silence import Silence
from engine.operate.silence_watch import watch_silence
from engine.operate.spread_watch import SpreadWatch
from engine.operate.step_up import StepUp
from engine.operate.world import LiveWorld
from engine.ports import Action, InputKind, Listed
from engine.settings.schema import Settings
from engine.wiring.bus import caller_to, served
from engine.wiring.capital import capital_of
from engine.wiring.chains import open_streams
from engine.wiring.core import Surroundings, build_core
from engine.wiring.holding import EngineHold
from engine.wiring.lists import VenueList, fetch_list
from engine.wiring.live import open_live
from engine.wiring.paths import Paths, prepare_engine
from engine.wiring.run_set_up import (
    OpenVenues,
    VenueAccess,
    begin_run,
    open_venues,
)
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
    broken: list[FatalError] = []
    ledger = caller_to(paths, "ledger")

    def hear(role: str, why: str) -> None:
        if role == "ledger":
            ledger.ended = why

    async with stop_signals(ignores_interrupt=True, on_news=hear) as stop:

        def on_fatal(error: FatalError) -> None:
            broken.append(error)
            stop.set()

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
                served(paths, "engine", answers, on_fatal=on_fatal),
            ):
                keep_what_is_loaded()
                announce_ready()
                # Without work beside it, its core has nobody to take the caches.
                with kept_awake(is_wanted=settings.workers.is_on):
                    await stop.wait()
        finally:
            await ledger.aclose()
    if broken:
        raise broken[0]


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
        recorder = await _open_recorder(stack, settings, paths, header)
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
        sessions = ticks.sessions = _sessions(core, venues, ticks.watch, now_ns)
        lists = _lists(settings, core, venues, ticks, now_ns)
        answers = EngineAnswers(
            core,
            _sights(
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
        answers.approvals.on_answer = holding.approval
        outbox.on_intent = intents_to(core.hot_path, ticks.watch, now_ns)
        live.join(answers, core.hot_path, ticks.watch)
        _tell_start(core, latches, now_ns)
        release_compiler()
        try:
            async with asyncio.TaskGroup() as tasks:
                running = _start_tasks(tasks, venues, lists, ticks, outbox)
                running += [
                    tasks.create_task(stream.run())
                    for stream in open_streams(venues.chains, core.hot_path, ticks.watch, now_ns)
                ]
                running += [
                    tasks.create_task(watch)
                    for watch in (
                        keep(lease, every_s=LEASE_LOOK_S),
                        live.run(),
                        holding.keep_looking(),
                        _watch_spreads(core.spread_watch, now_ns),
                        _watch_latches(kill_switches, answers.aftermath),
                        *(watch(answers) for watch in (watch_delays, watch_silence, watch_sight)),
                    )
                ]
                try:
                    yield answers
                finally:
                    for task in running:
                        task.cancel()
        except* SyndicateError as group:
            raise worst_of(group) from None


def _sessions(core: Core, venues: OpenVenues, watch: ClockWatch, clock: Clock) -> list[Session]:
    return [
        Session(
            websocket_url=access.websocket_url,
            rest=access.rest,
            accept=accept_of(core.hot_path, stream, watch),
            now_ns=clock,
            jitter=random.random,
            limits=SessionLimits(),
            proxy=access.proxy,
        )
        for stream, access in enumerate(venues.access)
    ]


def _lists(
    settings: Settings, core: Core, venues: OpenVenues, ticks: Ticks, clock: Clock
) -> list[VenueList]:
    return [
        _list_of(settings, access, session, accept_of(core.hot_path, stream, ticks.watch), clock)
        for stream, (access, session) in enumerate(zip(venues.access, ticks.sessions, strict=True))
    ]


def _list_of(
    settings: Settings, access: VenueAccess, session: Session, accept: Accept, clock: Clock
) -> VenueList:
    def take(listing: Sequence[Listed]) -> None:
        capital = capital_of(settings.paper, [one.instrument for one in listing])
        payload = LISTED.encode(InstrumentList(listed=list(listing), capital=capital))
        session.perform(accept(InputKind.LISTED, "", payload, clock()))

    return VenueList(
        fetch=partial(fetch_list, access.spec, access.rest, access.pairs),
        take=take,
        wanted=session.list_wanted,
        trouble=access.why,
    )


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


def _start_tasks(
    tasks: asyncio.TaskGroup,
    venues: OpenVenues,
    lists: Sequence[VenueList],
    ticks: Ticks,
    outbox: Outbox,
) -> list[asyncio.Task[None]]:
    running = []
    for access, venue_list, session in zip(venues.access, lists, ticks.sessions, strict=True):
        venue_list.take(access.listing)
        running.append(tasks.create_task(_connected(session, venue_list)))
        running.append(tasks.create_task(venue_list.run()))
    running.append(tasks.create_task(outbox.run()))
    running.append(tasks.create_task(ticks.run()))
    return running


async def _connected(session: Session, venue_list: VenueList) -> None:
    """Keep a venue connected once it has an instrument to subscribe to."""
    await venue_list.had.wait()
    await session.run()


async def _watch_spreads(watch: SpreadWatch, clock: Clock) -> None:
    """Sample the gaps of all pairs in turn: reading the board changes nothing of the run."""
    ease = Ease()
    while True:
        await asyncio.sleep(ease.eased(SPREADS_S / max(len(watch.pairs), 1)))
        watch.sample_next(clock())


async def _watch_latches(kill_switches: KillSwitches, aftermath: Aftermath) -> None:
    while True:
        kill_switches.watch()
        aftermath.watch()
        await asyncio.sleep(LATCH_S)


def accept_of(hot_path: HotPath, stream: int, watch: ClockWatch) -> Accept:
    """Return what takes the inputs of a stream, behind a look at the clock if that is late."""
    frame, accept = hot_path.frame, hot_path.accept

    def take(kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        if at_ns >= watch.late_at_ns:
            at_ns = watch.read()
        if kind is InputKind.FRAME:
            return frame(stream, payload, at_ns, key)
        return accept(kind, stream=stream, key=key, payload=payload, at_ns=at_ns)

    return take


def intents_to(
    hot_path: HotPath, watch: ClockWatch, clock: Clock
) -> Callable[[IntentRecord, bool], None]:
    """Return what makes an input of each intent that the ledger has, or refuses for good."""

    def tell(record: IntentRecord, is_stored: bool) -> None:  # noqa: FBT001 - as it is called
        at_ns = clock()
        if at_ns >= watch.late_at_ns:
            at_ns = watch.read()
        names = [one.client_order_id for one in record.intent.sendables]
        hot_path.command(IntentStored(client_order_ids=names, is_refused=not is_stored), at_ns)

    return tell


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


async def _open_recorder(
    stack: AsyncExitStack, settings: Settings, paths: Paths, header: RunHeader
) -> Recorder | None:
    if not settings.recording.is_on:
        return None
    own = RecorderSettings(
        directory=paths.recordings,
        segment_bytes=settings.recording.segment_mb << 20,
        segment_ns=settings.recording.segment_s * NS_PER_S,
        total_bytes_max=settings.recording.total_mb_max << 20,
    )
    recorder = await stack.enter_async_context(open_recorder(own, header.run_id))
    recorder.write(0, EntryKind.HEADER, 0, header.started_at_ns, "", encode_header(header))
    return recorder


def begin_segment(core: Core) -> list[bytes]:
    """Return what a segment of a recording begins with now."""
    header, seq = encode_header(core.header), core.hot_path.seq
    try:
        return encode_beginning(header, seq, core.frame.save())
    except BadValueError:
        log.exception("no replay can begin at the next segment")
        return encode_beginning(header, seq, [])


def _sights(
    core: Core,
    venues: OpenVenues,
    sessions: Sequence[Session],
    lists: Sequence[VenueList],
    *,
    latches: EngineLatches,
    loop_lag: LatencyRing,
    outbox: Outbox,
    recorder: Recorder | None,
    prices: SharedPrices,
) -> Sights:
    def notes() -> dict[VenueId, str]:
        troubles = dict(venues.notes)
        for stream, access in enumerate(venues.access):
            left_out = core.rows.left_out[stream]
            parts = (
                sessions[stream].trouble,
                lists[stream].trouble,
                access.rest.limiter.note(),
                f"no room before a restart for {', '.join(left_out)}" if left_out else "",
            )
            troubles[access.spec.venue] = "; ".join(part for part in parts if part)
        return troubles

    return Sights(
        is_killed=latches.is_killed,
        waiting=lambda: outbox.waiting,
        recording=lambda: None if recorder is None else str(recorder.run_directory),
        recording_failure=lambda: None if recorder is None else recorder.failure,
        prices_published=prices.published,
        prices_failure=lambda: prices.failure,
        loop_lag=loop_lag,
        venue_notes=notes,
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
