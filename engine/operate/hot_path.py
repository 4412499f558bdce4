"""The hot path: one numbered input in, board changed, opportunities found, decided, executed.

Live runs and replays go through `accept`, so that the same inputs lead to the same decisions.
"""

import time
from array import array
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.core.pipeline import Pipeline
from engine.domain.errors import BadValueError
from engine.market.board import Board
from engine.market.lateness import Lateness
from engine.operate.clock import Correction
from engine.operate.control import Control
from engine.operate.latency import LatencyRing
from engine.operate.market_rows import MarketRows
from engine.operate.recorder import Recorder
from engine.ports import NO_ACTIONS, Action, Feed, InputKind, Reconnect

NO_STREAM: Final = 65_535
"""Stream number of inputs that belong to no connection: ticks and commands."""


def encode_correction(correction: Correction) -> bytes:
    """Encode the payload of an input CORRECTED."""
    return msgspec.json.encode(correction)


def decode_correction(payload: bytes) -> Correction:
    """Decode the payload of an input CORRECTED.

    Raises:
        BadValueError: the recording that holds it is damaged.
    """
    try:
        return msgspec.json.decode(payload, type=Correction)
    except msgspec.MsgspecError as error:
        raise BadValueError(f"the recording is damaged: a correction: {error}") from error


class HotPath:
    """Dispatches inputs to feeds and runs the pipeline around them.

    Its counts, like all that change with every frame, are kept in arrays of numbers: a frame leaves
    no object behind.

    Attributes:
        frames: number of frames per stream.
        lateness: how late each stream's frames come and are taken.
        latency: durations of frames, from receipt to decision.
        stepped_ns: sum of all steps of the clock: instants before one are off by it.
    """

    def __init__(
        self,
        *,
        board: Board,
        feeds: Sequence[Feed],
        pipeline: Pipeline,
        control: Control,
        recorder: Recorder | None,
        lateness: Lateness,
        rows: MarketRows,
    ) -> None:
        self.frames = array("q", [0] * len(feeds))
        self.lateness = lateness
        self.is_connected = [False] * len(feeds)
        self.latency = LatencyRing()
        self.stepped_ns = 0
        self._frame_seqs = board.frame_seqs
        self._feeds = feeds
        self._pipeline = pipeline
        self._control = control
        self._recorder = recorder
        self._rows = rows

    @property
    def seq(self) -> int:
        """Number of the last input."""
        return self._frame_seqs[0]

    @seq.setter
    def seq(self, seq: int) -> None:
        self._frame_seqs[0] = seq

    def frame(self, stream: int, payload: bytes, at_ns: int, key: str = "") -> Sequence[Action]:
        """Take one frame: the fast way through `accept`.

        A frame that waited to be taken has its receive time as `key`: its book is as old as that,
        while decisions are made now.
        """
        started_ns = time.perf_counter_ns()
        self._frame_seqs[0] += 1
        if self._recorder is not None:
            self._recorder.write(self.seq, InputKind.FRAME, stream, at_ns, key, payload)
        self._pipeline.before_input(at_ns)
        wait_ns = max(at_ns - int(key), 0) if key else 0
        actions = self._feeds[stream].frame(payload, at_ns - wait_ns)
        lateness = self.lateness
        behind_ns = lateness.behind[stream][0]
        if wait_ns or not lateness.from_ns[stream] <= behind_ns <= lateness.to_ns[stream]:
            lateness.judge(stream, wait_ns, at_ns)
        self._pipeline.after_input(at_ns)
        self.frames[stream] += 1
        self.latency.add(time.perf_counter_ns() - started_ns)
        return actions

    def accept(
        self, kind: InputKind, *, stream: int, key: str, payload: bytes, at_ns: int
    ) -> Sequence[Action]:
        """Take one input of a connection and return what its session shall do."""
        if kind is InputKind.FRAME:
            return self.frame(stream, payload, at_ns, key)
        self._begin(kind, stream, key, payload, at_ns)
        feed = self._feeds[stream]
        actions: Sequence[Action] = NO_ACTIONS
        if kind is InputKind.OPENED:
            self.is_connected[stream] = True
            self.lateness.opened(stream)
            actions = feed.opened(at_ns)
        elif kind is InputKind.FETCHED:
            actions = feed.fetched(key, payload, at_ns)
        elif kind is InputKind.FETCH_FAILED:
            actions = feed.fetch_failed(key, payload.decode(errors="replace"), at_ns)
        elif kind is InputKind.LISTED:
            rows, is_changed = self._rows.take(stream, payload, at_ns)
            actions = feed.listed(rows, at_ns)
            if is_changed:
                self._pipeline.rows_changed(at_ns)
        elif kind is InputKind.CLOSED:
            self.is_connected[stream] = False
            actions = feed.closed(at_ns)
        self._pipeline.after_input(at_ns)
        return actions

    def tick(self, at_ns: int) -> list[Sequence[Action]]:
        """Let time pass for everything; returns what each stream's session shall do."""
        self._begin(InputKind.TICK, NO_STREAM, "", b"", at_ns)
        self.lateness.tick(at_ns)
        actions = [feed.tick(at_ns) for feed in self._feeds]
        self._pipeline.after_tick(at_ns)
        return actions

    def command(self, payload: bytes, at_ns: int) -> None:
        """Take what the operator asked of the core."""
        self._begin(InputKind.COMMAND, NO_STREAM, "", payload, at_ns)
        self._control.take(payload)
        self._pipeline.after_command(at_ns)

    def correct(self, correction: Correction, at_ns: int) -> list[Sequence[Action]]:
        """Take a correction of the clock, which `at_ns` has already; returns as `tick` does.

        No book outlives it. Whatever ends with it ends at the time that stood before.
        """
        before_ns = at_ns - correction.since_ns
        self._frame_seqs[0] += 1
        if self._recorder is not None:
            payload = encode_correction(correction)
            self._recorder.write(self.seq, InputKind.CORRECTED, NO_STREAM, at_ns, "", payload)
        self._pipeline.finish_executions()
        for feed in self._feeds:
            feed.closed(before_ns)
        self.lateness.corrected()
        self._pipeline.after_input(before_ns)
        self._pipeline.step_clock(correction.step_ns, at_ns)
        self.stepped_ns += correction.step_ns
        return [(Reconnect("the clock was corrected or the machine slept"),) for _ in self._feeds]

    def _begin(self, kind: InputKind, stream: int, key: str, payload: bytes, at_ns: int) -> None:
        self._frame_seqs[0] += 1
        if self._recorder is not None:
            self._recorder.write(self.seq, kind, stream, at_ns, key, payload)
        self._pipeline.before_input(at_ns)
