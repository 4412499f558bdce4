"""Frame bytes to decision, per venue, from recorded frames, on one core.

The engine's own hot path takes every frame: decode, sequence check, book, screen, decide.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness
from benchmarks.core_market import plenty
from benchmarks.real_frames import Recorded, all_recorded, binance, instruments_of
from engine.bus.shared_file import SHARED_FOLDER
from engine.core.inputs.switched import ControlState
from engine.domain.chains import BlockTerms
from engine.domain.instruments import Instrument
from engine.domain.modes import Basis, Mode
from engine.operate.core_parts import Core
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import FORMAT_VERSION
from engine.operate.run_header import RunHeader, RunTerms, StreamSpec, VenueTerms
from engine.operate.world import LiveWorld
from engine.pools.snapshots import PoolSnapshot
from engine.ports import Fetch, InputKind
from engine.wiring.core import Surroundings, build_core
from engine.wiring.shared_prices import SharedPrices

ANSWER_FRAMES = 60
"""A recorded REST book must not be older than the first changes kept for it."""

FRAMES_OF_EACH = 15_000
"""Frames of each venue in the figure of all."""

POSITION_USD = Decimal(10)
"""So little that paper trades leave the books as good as untouched, and no limit is met: a refused
route would be decided on again every second."""

FRAMES_A_FLUSH = 250
"""A thousand frames a second, and four flushes."""

FRAMES_LEAST = 20_000
"""A recording shorter than this is played again on a new connection."""


def make_core(
    recorded: Recorded,
    *,
    prices: SharedPrices | None = None,
    recorder: Recorder | None = None,
    others: Sequence[Instrument] = (),
    pools: Sequence[PoolSnapshot] = (),
    chains: Mapping[str, BlockTerms] | None = None,
) -> Core:
    """Build the engine's core for one venue's recording, sharing prices and recording or not.

    `others` are instruments that no recording moves; `pools` stand still but for those of `chains`.
    """
    own = instruments_of(recorded)
    venue_terms = VenueTerms(
        fee_bps_taker=Decimal(10), latency_ms_median=20.0, latency_ms_p99=100.0
    )
    header = RunHeader(
        format_version=FORMAT_VERSION,
        run_id="bench",
        basis=Basis.REPLAY,
        market_note="recorded frames",
        started_at_ns=recorded.frames[0][0],
        version="bench",
        instruments=[*own, *others],
        streams=[StreamSpec(venue=recorded.venue, feed=recorded.feed, books=list(range(len(own))))],
        pools=list(pools),
        bridges=[],
        terms=RunTerms(
            venues=dict.fromkeys([recorded.venue, *(one.venue for one in others)], venue_terms),
            transfer_bps=Decimal(2),
            limits={
                "position_usd": POSITION_USD,
                "orders_per_minute_max": Decimal(1_000_000),
                "age_ms_max": Decimal(600_000),
            },
            audit_s=3_600,
            legs_max=4,
            flash_fee_bps=Decimal(0),
            gas_prices_gwei={"ethereum": Decimal(0)},
            seed=1,
            chains=dict(chains or {}),
        ),
        control=ControlState(mode=Mode.PAPER, is_paused=False),
        limits={},
        capital=[],
        realised_today_usd=Decimal(0),
        residuals=[],
        holdings=plenty([*own, *others]),
    )
    return build_core(
        header,
        Surroundings(
            world=LiveWorld(is_killed=lambda: False, is_ledger_behind=lambda: False, recorder=None),
            put=lambda _record: None,
            log=lambda _line: None,
            recorder=recorder,
            opportunity_usd_min=Decimal(1),
            open_matrix=prices.open if prices else None,
        ),
    )


def inputs_of(recorded: Recorded) -> list[tuple[InputKind, str, bytes, int]]:
    """Return the inputs of one connection; REST answers come `ANSWER_FRAMES` after the request."""
    hot_path = make_core(recorded).hot_path
    first_at_ns = recorded.frames[0][0]
    inputs: list[tuple[InputKind, str, bytes, int]] = []
    due: dict[int, list[str]] = {}

    def take(kind: InputKind, key: str, payload: bytes, at_ns: int, number: int) -> None:
        inputs.append((kind, key, payload, at_ns))
        for action in hot_path.accept(kind, stream=0, key=key, payload=payload, at_ns=at_ns):
            if isinstance(action, Fetch) and action.key in recorded.fetched:
                due.setdefault(number + ANSWER_FRAMES, []).append(action.key)

    take(InputKind.OPENED, "", b"", first_at_ns, 0)
    for number, (at_ns, payload) in enumerate(recorded.frames):
        take(InputKind.FRAME, "", payload, at_ns, number)
        for key in due.pop(number, []):
            take(InputKind.FETCHED, key, recorded.fetched[key], at_ns, number)
    return inputs


def time_frames(recorded: Recorded, core: Core) -> np.ndarray[Any, Any]:
    """Play a recording until there are enough frames; returns how long each took, in ns."""
    hot_path = core.hot_path
    calls: list[Callable[[], object]] = []
    is_frame: list[bool] = []
    inputs = inputs_of(recorded)
    while len(calls) < FRAMES_LEAST:
        for kind, key, payload, at_ns in inputs:
            if kind is InputKind.FRAME:
                calls.append(partial(hot_path.frame, 0, payload, at_ns))
            else:
                calls.append(
                    partial(hot_path.accept, kind, stream=0, key=key, payload=payload, at_ns=at_ns)
                )
            is_frame.append(kind is InputKind.FRAME)
    durations_ns = harness.time_calls(calls)[is_frame]
    live = sum(core.board.is_live(book) for book in range(len(recorded.wire_names)))
    if live < len(recorded.wire_names) // 2:
        raise RuntimeError(f"only {live} of {len(recorded.wire_names)} books of {recorded.venue}")
    return durations_ns


def rows_of(name: str, durations_ns: np.ndarray[Any, Any]) -> list[harness.Row]:
    """Return latency and throughput of frames."""
    frames_per_s = 1e9 * len(durations_ns) / float(durations_ns.sum())
    return [
        harness.row(name, durations_ns),
        harness.scalar(f"{name}.throughput", "frames/s", frames_per_s),
    ]


def measure_sharing() -> harness.Row:
    """Measure the full path while each changed book is published for other processes."""
    recorded = binance()
    parent = SHARED_FOLDER if SHARED_FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        prices = SharedPrices(Path(folder) / "prices", run_id="bench", at_ns=0)
        durations_ns = time_frames(recorded, make_core(recorded, prices=prices))
        if not prices.published():
            raise RuntimeError(f"nothing was published: {prices.failure}")
        prices.close()
    return harness.row(f"full_path.{recorded.venue}.sharing_prices", durations_ns)


def measure_recording() -> harness.Row:
    """Measure what recording adds to each frame on the hot path."""
    frames = binance().frames
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        own = RecorderSettings(
            directory=Path(directory), segment_bytes=1 << 26, total_bytes_max=1 << 30
        )
        recorder = Recorder(own, "bench")
        calls = [
            partial(recorder.write, number, InputKind.FRAME, 0, at_ns, "", payload)
            for number, (at_ns, payload) in enumerate(frames)
        ]
        written = count(1)

        def flush_now_and_then() -> None:
            if next(written) % FRAMES_A_FLUSH == 0:
                recorder.flush()

        row = harness.measure("recorder.write", calls, between=flush_now_and_then)
        recorder.close()
    return row


def measure() -> list[harness.Row]:
    """Measure every venue, as many frames of each together, and what recording adds."""
    rows: list[harness.Row] = []
    parts = []
    for recorded in all_recorded():
        durations_ns = time_frames(recorded, make_core(recorded))
        rows += rows_of(f"full_path.{recorded.venue}", durations_ns)
        parts.append(durations_ns[:FRAMES_OF_EACH])
    rows += rows_of("full_path.all_venues", np.concatenate(parts))
    return [*rows, measure_sharing(), measure_recording()]


if __name__ == "__main__":
    harness.print_table(measure())
