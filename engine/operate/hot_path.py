"""The hot path: one numbered input in, board changed, opportunities found, decided, executed.

Live runs and replays go through `accept`, so that the same inputs lead to the same decisions.
"""

import time
from array import array
from collections.abc import Sequence

from engine.core.input_list import INPUTS
from engine.core.inputs.corrected import CORRECTED
from engine.core.inputs.kind import NO_STREAM, Answers, AnyKind, Input
from engine.core.inputs.tick import TICK
from engine.core.middle import Middle
from engine.domain.corrections import Correction
from engine.domain.errors import BadValueError
from engine.market.board import Board
from engine.operate.latency import LatencyRing
from engine.operate.recorder import Recorder
from engine.ports import NO_ACTIONS, Action, InputKind


class HotPath:
    """Dispatches inputs to feeds and runs the pipeline around them.

    Its counts, like all that change with every frame, are kept in arrays of numbers: a frame leaves
    no object behind.

    Attributes:
        frames: number of frames per stream.
        lateness: how late each stream's frames come and are taken.
        latency: durations of frames, from receipt to decision.

    Args:
        kinds: the kinds of input that it takes.
    """

    def __init__(
        self,
        *,
        board: Board,
        middle: Middle,
        recorder: Recorder | None,
        kinds: Sequence[AnyKind] = INPUTS,
    ) -> None:
        self.frames = array("q", [0] * len(middle.feeds))
        self.lateness = middle.lateness
        self.latency = LatencyRing()
        self._frame_seqs = board.frame_seqs
        self._middle = middle
        self._feeds = middle.feeds
        self._pipeline = middle.pipeline
        self._recorder = recorder
        self._kinds = {kind.number: kind for kind in kinds}
        self._kinds_by_payload = {kind.payload: kind for kind in kinds if kind.payload is not bytes}

    @property
    def is_connected(self) -> Sequence[bool]:
        """Whether each stream's connection is open."""
        return self._middle.is_connected

    def knows_transaction(self, client_order_id: str) -> bool:
        """Say whether something of a transaction is known in this run."""
        return self._pipeline.knows_transaction(client_order_id)

    @property
    def stepped_ns(self) -> int:
        """Sum of all steps of the clock: instants before one are off by it."""
        return self._middle.stepped_ns

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
        self, number: int, *, stream: int, key: str, payload: bytes, at_ns: int
    ) -> Sequence[Action]:
        """Take one input of a connection and return what its session shall do."""
        if number == InputKind.FRAME:
            return self.frame(stream, payload, at_ns, key)
        return self.take(number, stream, key, payload, at_ns).get(stream, NO_ACTIONS)

    def take(
        self,
        number: int,
        stream: int,
        key: str,
        payload: bytes,
        at_ns: int,
        *,
        read: object = None,
    ) -> Answers:
        """Take one input that is no frame, by the number of its kind.

        Args:
            number: of its kind.
            stream: that it is of.
            key: see `Input`.
            payload: as it is recorded.
            at_ns: when it is taken.
            read: what is read of that payload, if somebody has done so.

        Raises:
            BadValueError: the recording that holds it is damaged.
        """
        kind = self._kinds.get(number)
        if kind is None:
            raise BadValueError(f"the recording is damaged: no input has the kind {number}")
        self._frame_seqs[0] += 1
        if self._recorder is not None:
            self._recorder.write(self.seq, number, stream, at_ns, key, payload)
        self._pipeline.before_input(at_ns)
        found = kind.decode(payload) if read is None else read
        answers = kind.take(self._middle, Input(stream, key, found, at_ns))
        kind.after(self._pipeline, at_ns)
        return answers

    def tick(self, at_ns: int) -> Answers:
        """Let time pass for everything."""
        return self.take(TICK.number, NO_STREAM, "", b"", at_ns)

    def correct(self, correction: Correction, at_ns: int) -> Answers:
        """Take a correction of the clock, which `at_ns` has already."""
        return self.take(CORRECTED.number, NO_STREAM, "", CORRECTED.encode(correction), at_ns)

    def command(self, payload: object, at_ns: int, *, is_read: bool = False) -> None:
        """Take what the operator asked of the core: the payload of an input.

        Args:
            payload: of the input.
            at_ns: when it is taken.
            is_read: whether it came as text of msgspec's, and so is what a replay reads: a large
                block is not read twice.
        """
        kind = self._kinds_by_payload[type(payload)]
        read = payload if is_read else None
        self.take(kind.number, NO_STREAM, "", kind.encode(payload), at_ns, read=read)
