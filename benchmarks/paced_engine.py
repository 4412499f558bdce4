"""The receiver of the paced figures: the engine's own connection with the core behind it.

`python -m benchmarks.paced_engine PORT FOLDER INTERVAL_NS:FRAMES ...`, with the venue's certificate
in SSL_CERT_FILE. What came when is stored per connection.
"""

import asyncio
import gc
import os
import ssl
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import numpy as np
import uvloop

from benchmarks import paced_chain
from benchmarks.full_path import make_core
from benchmarks.paced_floor import Arrivals, Times, room_for
from benchmarks.paced_sender import PATIENCE_S, WARM_UP, Pace, recorded
from engine.background.hold import Hold, HoldTerms
from engine.background.switches import Trigger
from engine.connectors.limiter import Limiter
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.session import Accept, Session, SessionLimits
from engine.operate.clock import SteadyClock
from engine.operate.clock_watch import ClockWatch
from engine.operate.core_parts import Core
from engine.operate.own_core import own_core
from engine.operate.recorder import RecorderSettings, open_recorder
from engine.operate.short_slice import ask_for_short_slices
from engine.ports import Action, InputKind, RequestBudget
from engine.wiring.chains import open_streams
from engine.wiring.engine_inputs import accept_of
from engine.wiring.shared_prices import SharedPrices
from engine.wiring.ticks import TICK_S

HOLD_ENVIRONMENT_NAME = "SYNDICATE_BENCH_HOLD"
"""Names the page of background work; each tenth frame pushes that aside then."""

WARM_VARIABLE = "SYNDICATE_BENCH_WARM_MS"
"""The loop wakes up so often besides, for nothing, so that its core does not fall asleep."""

HELD_EACH = 10
HOLD_TERMS = HoldTerms(quiet_ns=10_000_000, longest_ns=10**9, held_ratio_max=0.99)

BLOCKS_VARIABLE = "SYNDICATE_BENCH_BLOCKS"
"""Names the socket of `paced_chain`, for a receiver that follows its pools too."""


class TimedTls(ssl.SSLObject):
    """Notes when bytes had been read from the socket, before they are decrypted."""

    arrivals: ClassVar[Arrivals]
    batch_at_ns: ClassVar[int] = 0

    def read(self, *wanted: Any) -> Any:
        """Decrypt; the first call after one that found nothing begins a batch of the socket."""
        of = TimedTls
        if not of.batch_at_ns:
            of.batch_at_ns = time.monotonic_ns()
        try:
            plain = super().read(*wanted)
        except ssl.SSLWantReadError:
            of.batch_at_ns = 0
            raise
        of.arrivals.add(len(plain), of.batch_at_ns)
        return plain


async def receive(port: int, pace: Pace, path: Path) -> None:
    """Receive one connection as the engine does: session, recorder, shared prices, ticks, core."""
    first_at_ns = recorded().frames[0][0]
    ahead_ns = time.time_ns() - first_at_ns
    clock = SteadyClock(wall_ns=lambda: time.time_ns() - ahead_ns)
    own = RecorderSettings(
        directory=path.parent / "recordings", segment_bytes=1 << 26, total_bytes_max=1 << 30
    )
    async with AsyncExitStack() as stack:
        recorder = await stack.enter_async_context(open_recorder(own, path.stem))
        prices = SharedPrices(path.with_suffix(".prices"), run_id=path.stem, at_ns=first_at_ns)
        stack.callback(prices.close)
        blocks = os.environ.get(BLOCKS_VARIABLE, "")
        core = make_core(
            recorded(),
            prices=prices,
            recorder=recorder,
            pools=paced_chain.snapshots() if blocks else (),
            chains={paced_chain.CHAIN: paced_chain.TERMS} if blocks else None,
        )
        client = await stack.enter_async_context(aiohttp.ClientSession())
        watch = ClockWatch(clock, core.hot_path.correct)
        hold = stack.enter_context(_hold())
        sources = {paced_chain.CHAIN: paced_chain.source(blocks)} if blocks else {}
        streams = open_streams(sources, core.hot_path, watch, clock.now_ns)
        timed = _Timed(accept_of(core.hot_path, 0, watch), WARM_UP + pace.frames, hold)
        session = Session(
            websocket_url=f"wss://127.0.0.1:{port}",
            rest=RestClient(
                client=client,
                base_url=f"https://127.0.0.1:{port}",
                limiter=Limiter(RequestBudget(weight_per_s=1.0), now_ns=clock.now_ns),
                limits=RestLimits(),
            ),
            accept=timed.accept,
            now_ns=clock.now_ns,
            jitter=lambda: 0.5,
            limits=SessionLimits(),
        )
        ssl.SSLContext.sslobject_class = TimedTls
        TimedTls.arrivals, TimedTls.batch_at_ns = Arrivals(room_for(pace)), 0
        gc.collect()
        gc.freeze()
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(session.run()),
                tasks.create_task(_tick(core, watch, session)),
                tasks.create_task(_keep_warm(float(os.environ.get(WARM_VARIABLE, "0")) / 1_000)),
                *(tasks.create_task(one.run()) for one in streams),
            ]
            await timed.is_whole.wait()
            live = sum(core.board.is_live(book) for book in range(len(core.board.instruments)))
            for task in running:
                task.cancel()
        gc.unfreeze()
        np.savez(path, bytes=TimedTls.arrivals.table(), frames=timed.table(), live=live)


class _Timed:
    """Takes a session's inputs and notes when each frame was handed over and decided on."""

    def __init__(self, accept: Accept, frames: int, hold: Hold | None) -> None:
        self._hold = hold
        self.is_whole = asyncio.Event()
        self._accept = accept
        self._began_ns = array("q", bytes(8 * frames))
        self._ended_ns = array("q", bytes(8 * frames))
        self._frames = frames
        self._count = 0

    def accept(self, kind: InputKind, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        if kind is not InputKind.FRAME or self._count == self._frames:
            return self._accept(kind, key, payload, at_ns)
        count = self._count
        self._began_ns[count] = time.monotonic_ns()
        if self._hold is not None and count % HELD_EACH == 0:
            self._hold.trigger(Trigger.OPPORTUNITY)
        actions = self._accept(kind, key, payload, at_ns)
        self._ended_ns[count] = time.monotonic_ns()
        self._count = count + 1
        if self._count == self._frames:
            self.is_whole.set()
        return actions

    def table(self) -> Times:
        """Return int64 (frames, 2): when handed over, when decided on."""
        return np.array([self._began_ns, self._ended_ns], np.int64).T


@contextmanager
def _hold() -> Iterator[Hold | None]:
    """Return by what background work is pushed aside, if there is any."""
    path = os.environ.get(HOLD_ENVIRONMENT_NAME)
    if path is None:
        yield None
        return
    loop = asyncio.get_running_loop()
    hold = Hold(
        "engine-paced",
        Path(path),
        terms=HOLD_TERMS,
        call_later=loop.call_later,
        call_soon=loop.call_soon,
    )
    hold.look()
    if hold.trouble:
        raise RuntimeError(hold.trouble)
    try:
        yield hold
    finally:
        hold.close()


async def _keep_warm(every_s: float) -> None:
    while every_s > 0:  # noqa: ASYNC110 - to wake up is all
        await asyncio.sleep(every_s)


async def _tick(core: Core, watch: ClockWatch, session: Session) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        for actions in core.hot_path.tick(watch.read()).values():
            session.perform(actions)


async def main(arguments: Sequence[str]) -> None:
    """Receive the paces in their order."""
    port, folder, *paces = arguments
    ask_for_short_slices()
    async with own_core(os.environ):
        for number, text in enumerate(paces):
            await receive(int(port), Pace.parse(text), Path(folder) / f"engine-{number}.npz")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
