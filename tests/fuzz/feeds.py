"""Mutated frames against every feed: ``python -m tests.fuzz.feeds --venue all --frames 1000000``.

After each frame: no exception, a row that went stale has a counted fault, and a live book is
neither crossed nor empty. After every `RENEWED_EVERY` frames a fresh, uncorrupted snapshot: the
book is right.
"""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from engine.kernels import layout
from engine.ports import FeedLimits, Fetch
from tests.connectors import recordings
from tests.connectors.dialects import DIALECTS
from tests.connectors.line import Line
from tests.connectors.test_recordings import RECORDINGS, advanced_trade
from tests.connectors.wire_frames import Frame
from tests.fuzz.mutations import MUTATIONS

RENEWED_EVERY = 250
RECORDED_SHARE = 0.1
ANSWERED_SHARE = 0.8
SPOILED_ANSWERS_SHARE = 0.2
SPOILED_SHARE = 0.5
"""Share of frames that are spoiled; the others keep rows live, so that there is much to spoil."""

_RECORDING_OF = {
    "coinbase": "coinbase-exchange",
    "gemini": "",
    "gemini-l2": "gemini-l2",
    "bitstamp": "bitstamp",
    "kraken": "",
    "binance": "binance",
    "binance-perpetual": "binance-perpetual-btcusdt",
    "ccxt-stream": "",
    "ccxt-poll": "",
}


@dataclass(slots=True)
class Summary:
    venue: str
    seed: int
    trials: int = 0
    spoiled: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    live_checks: int = 0
    renewals: int = 0
    seconds: float = 0.0

    def as_json(self) -> str:
        return json.dumps(
            {
                "venue": self.venue,
                "seed": self.seed,
                "trials": self.trials,
                "frames_spoiled": self.spoiled.total(),
                "spoiled": dict(sorted(self.spoiled.items())),
                "faults": dict(sorted(self.faults.items())),
                "reconnects": self.reconnects,
                "live_checks": self.live_checks,
                "renewals": self.renewals,
                "seconds": round(self.seconds, 1),
            }
        )


def fuzz(name: str, *, frames: int, seed: int) -> Summary:
    """Run one venue's trials until `frames` spoiled frames have been delivered.

    Raises:
        AssertionError: a rule was broken; the message names the trial and the frame.
    """
    started_s = time.perf_counter()
    summary = Summary(name, seed)
    line = Line(name, seed=seed, limits=FeedLimits(frame_bytes_max=100_000, audit_s=5))
    recorded = _recorded(name, line)
    line.connect()
    line.settle()
    while summary.spoiled.total() < frames:
        summary.trials += 1
        payload = b""
        try:
            payload = _trial(line, recorded, summary)
            if summary.trials % RENEWED_EVERY == 0:
                _renew(line)
                summary.renewals += 1
        except Exception as error:
            error.add_note(f"{name}, seed {seed}, trial {summary.trials}: {payload[:2000]!r}")
            raise
    for (_, fault), count in line.board.faults.items():
        summary.faults[str(fault)] += count
    summary.reconnects = len(line.reconnects)
    summary.seconds = time.perf_counter() - started_s
    return summary


def _trial(line: Line, recorded: list[bytes], summary: Summary) -> bytes:
    random = line.random
    if not line.is_connected:
        line.connect()
    line.flush()
    if line.fetches and random.random() < ANSWERED_SHARE:
        payload = _answer(line, line.fetches.popleft(), summary)
    else:
        is_recorded = recorded and random.random() < RECORDED_SHARE
        wire = random.choice(line.wires)
        frame = line.venue.frame(line.venue.truth.change(wire))
        payload = random.choice(recorded) if is_recorded else frame.payload
        if random.random() < SPOILED_SHARE:
            kind = random.choice(list(MUTATIONS))
            payload = MUTATIONS[kind](random, payload)
            summary.spoiled[kind] += 1
        _deliver(line, payload)
    if random.random() < 0.02:
        line.pass_time(0.3)
    summary.live_checks += _assert_sound(line)
    return payload


def _deliver(line: Line, payload: bytes) -> None:
    faults = sum(line.board.faults.values())
    live = [wire for wire in line.wires if line.is_live(wire)]
    line.deliver(Frame(payload))
    if any(not line.is_live(wire) for wire in live):
        assert sum(line.board.faults.values()) > faults, "a row went stale without a counted fault"


def _answer(line: Line, fetch: Fetch, summary: Summary) -> bytes:
    frame = line.venue.fetch(fetch.path)
    payload = frame.payload
    if line.random.random() < SPOILED_ANSWERS_SHARE:
        kind = line.random.choice(list(MUTATIONS))
        payload = MUTATIONS[kind](line.random, payload)
        summary.spoiled[kind] += 1
    line.answer(fetch, Frame(payload, frame.wire, frame.version))
    return payload


def _renew(line: Line) -> None:
    """Connect anew without spoiling anything; every book must then be the venue's."""
    if line.is_connected:
        line.lose()
    line.connect()
    line.settle()
    for wire in line.wires:
        line.change(wire)
    line.assert_true()
    assert all(line.is_live(wire) for wire in line.wires), "not live after a clean snapshot"


def _assert_sound(line: Line) -> int:
    state, levels = line.board.state, line.board.levels
    checked = 0
    for book in range(len(line.wires)):
        if not state[book, layout.IS_LIVE]:
            continue
        checked += 1
        bids = state[book, layout.COUNT + layout.BID]
        asks = state[book, layout.COUNT + layout.ASK]
        assert bids > 0, "a live book without bids"
        assert asks > 0, "a live book without asks"
        best_bid = levels[2 * book + layout.BID, bids - 1, layout.KEY]
        best_ask = -levels[2 * book + layout.ASK, asks - 1, layout.KEY]
        assert 0 < best_bid < best_ask, f"a live book is crossed: {best_bid} {best_ask}"
    return checked


def _recorded(name: str, line: Line) -> list[bytes]:
    """Return recorded frames under the names of this line's instruments."""
    recording = next((each for each in RECORDINGS if each.name == _RECORDING_OF[name]), None)
    if recording is None:
        return []
    frames = []
    for number, each in enumerate(recordings.read(recording.name)):
        if each.path or len(each.payload) > 5_000:
            continue
        payload = each.payload
        if name == "coinbase":
            payload = advanced_trade(payload, number)
        for old, new in zip(recording.wires, line.wires, strict=False):
            payload = payload.replace(old.encode(), new.encode())
            payload = payload.replace(old.upper().encode(), new.upper().encode())
        frames.append(payload)
    return frames


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.feeds")
    parser.add_argument("--venue", default="all", choices=["all", *DIALECTS])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    names = list(DIALECTS) if options.venue == "all" else [options.venue]
    for name in names:
        print(fuzz(name, frames=options.frames, seed=options.seed).as_json(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
