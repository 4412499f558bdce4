"""Live mixed plans under way replay byte for byte from each segment of a recording, portless."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest
from msgspec import structs

from engine.bus.records import ExecutionRecord, IntentRecord, Record
from engine.core.input_list import INPUTS
from engine.core.inputs.intent_stored import IntentStored
from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.inputs.order_told import OrderTold
from engine.core.inputs.transaction_told import TransactionTold
from engine.core.middle import Middle
from engine.domain.orders_told import OrderNews
from engine.domain.plans import MixedPlan, Part
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import EntryKind, number_of, segments_of
from engine.operate.run_header import encode_header
from engine.operate.world import LiveWorld
from engine.tools.replaying import replay
from engine.wiring.core import build_core
from engine.wiring.engine_recording import begin_segment
from tests.execute.live_books import MS, Desk
from tests.execute.live_mixed import ChainDesk, News, live_plan
from tests.execute.mixed_worlds import BETWEEN, BOOKS
from tests.reference.run_core import make_header, make_surroundings
from tests.reference.world import START_NS, make_instrument


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that nobody decides on yet: it stands for the decision."""

    plan: MixedPlan


def _begin(core: Middle, given: Input[Began]) -> Answers:
    core.decider.resume(given.payload.plan)
    core.pipeline._executors.start(given.payload.plan, given.at_ns)
    return NO_ANSWERS


BEGAN: Final = Kind(number=79, name="began", payload=Began, take=_begin)
KINDS: Final = (*INPUTS, BEGAN)


class Run:
    """A run in which all that is told of both parts of its plans is mixed up, and its recording.

    Attributes:
        lines: its decision log, by segment.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.random = Random(seed)
        books = [make_instrument("a", pair, lot="0.001") for pair in BOOKS]
        made = make_header(books, [BETWEEN])
        header = structs.replace(made, terms=structs.replace(made.terms, waits_for_intents=True))
        settings = RecorderSettings(directory=directory, segment_bytes=1, total_bytes_max=1 << 30)
        self.recorder = Recorder(settings, header.run_id)
        self.recorder.write(0, EntryKind.HEADER, 0, 0, "", encode_header(header))
        self.lines: list[list[bytes]] = [[]]
        self.records: list[Record] = []
        self.desk, self.chain = Desk(self.random), ChainDesk(self.random)
        self.is_killed = False
        self.at_ns, self.stored, self.number = START_NS, 0, 0
        self.heard: set[str] = set()
        self.untold: list[News] = []
        around = replace(
            make_surroundings(log=self._log, recorder=self.recorder),
            world=LiveWorld(
                is_killed=lambda: self.is_killed,
                is_ledger_behind=lambda: False,
                recorder=self.recorder,
            ),
            kinds=KINDS,
            put=self.records.append,
            trader=self.desk,
            sender=self.chain,
        )
        self.hot_path = (core := build_core(header, around)).hot_path
        self.recorder.begin_with(partial(begin_segment, core))

    def play(self) -> Path:
        """Carry it out; return where its recording is."""
        for turn in range(60):
            if turn % 8 == 0:
                self.lines.append([])
                self.recorder.flush()
            if turn % 3 == 0:
                self._start(turn)
            for _ in range(2):
                if self.random.random() < 0.8:
                    self._store()
                self._tell()
            self.is_killed = self.random.random() < 0.05
            self._tick(self.random.choice([10, 400]))
        self._tick(1_000)
        self.recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
        self.recorder.close()
        return self.recorder.run_directory

    def _start(self, number: int) -> None:
        plan = live_plan(BETWEEN, self.random.choice([*Part]))
        name = f"r1-{number + 1}"
        self._command(
            Began(
                plan=structs.replace(
                    plan,
                    plan_id=f"{name}-p",
                    opportunity=structs.replace(plan.opportunity, opportunity_id=name),
                    decided_at_ns=self.at_ns,
                    deadline_ns=self.at_ns + 1_000 * MS,
                )
            )
        )

    def _log(self, line: bytes) -> None:
        self.recorder.write(0, EntryKind.DECIDED, 0, 0, "", line)
        self.lines[-1].append(line)

    def _command(self, payload: object) -> None:
        self.at_ns += self.random.choice([1, 5, 40]) * MS
        self.hot_path.command(payload, self.at_ns)

    def _tick(self, ms: int) -> None:
        self.at_ns += ms * MS
        self.hot_path.tick(self.at_ns)

    def _store(self) -> None:
        intents = [one.intent for one in self.records if isinstance(one, IntentRecord)]
        for intent in intents[self.stored :]:
            names = [one.client_order_id for one in intent.sendables]
            is_refused = self.random.random() < 0.1
            self._command(IntentStored(client_order_ids=names, is_refused=is_refused))
        self.stored = len(intents)

    def _tell(self) -> None:
        told: dict[str, Sequence[News]] = {**self.desk.news, **self.chain.news}
        for name, news in told.items():
            if name not in self.heard:
                self.heard.add(name)
                self.untold += [*news, *self.random.choices(news, k=len(news))]
        self.random.shuffle(self.untold)
        for _ in range(min(self.random.randint(0, 12), len(self.untold))):
            self.number += 1
            word = self.untold.pop()
            if isinstance(word, OrderNews):
                self._command(OrderTold(number=self.number, news=word))
            else:
                self._command(TransactionTold(number=self.number, news=word))


@pytest.mark.parametrize("seed", range(2))
def test_a_run_with_live_mixed_plans_replays_byte_for_byte_from_each_of_its_segments(
    tmp_path: Path, seed: int
) -> None:
    made = Run(tmp_path, seed)
    run = made.play()
    executions = [one for one in made.records if isinstance(one, ExecutionRecord)]
    assert any(one.execution.transaction and one.execution.orders for one in executions)
    assert any(one.execution.corrects for one in executions)

    for segment in segments_of(run):
        first = number_of(segment)
        replayed: list[bytes] = []
        result = replay(run, lines=replayed, first=first, kinds=KINDS)

        assert result.is_complete
        assert result.first_difference is None
        assert replayed == [line for of in made.lines[first - 1 :] for line in of]
