"""A recorded run with live orders replays byte for byte from each of its segments, with no port."""

from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, cast

import msgspec
import pytest
from msgspec import structs

from engine.bus.records import ExecutionRecord, IntentRecord, Record
from engine.core.input_list import INPUTS
from engine.core.inputs.intent_stored import IntentStored
from engine.core.inputs.kind import NO_ANSWERS, Answers, Input, Kind
from engine.core.inputs.leftovers_closed import LeftoversClosed
from engine.core.inputs.order_told import OrderTold
from engine.core.inputs.switched import ControlState
from engine.core.inputs.venue_seen import VenueLooked
from engine.core.middle import Middle
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode
from engine.domain.orders_told import HeldAtVenue, OrderNews, VenueSeen
from engine.domain.plans import is_closing, is_live
from engine.operate.approval_desk import Engine
from engine.operate.closings import ClosingDesk
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import EntryKind, number_of, segments_of
from engine.operate.run_header import RunHeader, encode_header
from engine.operate.world import LiveWorld
from engine.portfolio.fee_set import TOLD_S_MAX
from engine.ports import LevelForm
from engine.tools.replaying import replay
from engine.wiring.core import build_core
from engine.wiring.engine_recording import begin_segment
from tests.execute.live_books import MS, Desk
from tests.reference.run_core import make_header, make_surroundings
from tests.reference.world import START_NS, make_instrument, write_side

VENUES: Final = ("here", "there")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A whole book."""

    book: int
    bid: str
    ask: str


def _show(core: Middle, given: Input[Shown]) -> Answers:
    shown = given.payload
    bids, asks = write_side([(shown.bid, "2")]), write_side([(shown.ask, "2")])
    core.pipeline._board.replace(shown.book, LevelForm.PAIRS, bids, asks, given.at_ns)
    return NO_ANSWERS


SHOWN: Final = Kind(number=78, name="shown", payload=Shown, take=_show)
KINDS: Final = (*INPUTS, SHOWN)


def header_of() -> RunHeader:
    made = make_header([make_instrument(one) for one in VENUES], [])
    terms = structs.replace(
        made.terms,
        waits_for_intents=True,
        trades={VenueId(one): Decimal(10**9) for one in VENUES},
        limits={"age_ms_max": Decimal(600_000), "position_usd": Decimal(100_000)},
    )
    live = ControlState(mode=Mode.LIVE, is_paused=False)
    return structs.replace(made, terms=terms, control=live)


class Run:
    """A run in which all that is told of its orders is mixed up, and its recording.

    Attributes:
        lines: its decision log, by segment.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.random, header = Random(seed), header_of()
        self.tiers = Random(f"tiers {seed}")
        settings = RecorderSettings(directory=directory, segment_bytes=1, total_bytes_max=1 << 30)
        self.recorder = Recorder(settings, header.run_id)
        self.recorder.write(0, EntryKind.HEADER, 0, 0, "", encode_header(header))
        self.lines: list[list[bytes]] = [[]]
        self.records: list[Record] = []
        self.desk = Desk(self.random)
        self.is_killed = False
        self.at_ns, self.stored, self.number = START_NS, 0, 0
        self.heard: set[str] = set()
        self.untold: list[OrderNews] = []
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
        )
        self.hot_path = (core := build_core(header, around)).hot_path
        self.closings = ClosingDesk(core, cast("Engine", None), lambda: self.at_ns)
        self.recorder.begin_with(partial(begin_segment, core))

    def play(self) -> Path:
        """Carry it out; return where its recording is."""
        for turn in range(60):
            if turn % 10 == 9:
                self.lines.append([])
                self.recorder.flush()
            if turn % 8 == 0:
                for venue in VENUES:
                    seen = _seen(venue, self.at_ns, self.tiers)
                    self._command(VenueLooked(seen=seen, is_whole=True))
            bid = self.random.choice(["100.00", "101.00", "102.00"])
            ask = f"{Decimal(bid) + Decimal('0.10'):f}"
            self._command(Shown(book=turn % 2, bid=bid, ask=ask))
            if self.random.random() < 0.7:
                self._store()
            self._tell()
            self._close()
            self.is_killed = self.random.random() < 0.05
            self._tick(self.random.choice([10, 1_100]))
        self._tick(1_000)
        self.recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
        self.recorder.close()
        return self.recorder.run_directory

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

    def _close(self) -> None:
        """Say yes to closing whatever is left over, now and then, and now and then twice."""
        lines = self.closings.report().closings if self.random.random() < 0.3 else []
        if terms := [one.terms for one in lines if one.terms is not None]:
            self._command(LeftoversClosed(closings=tuple(terms * 2), by="somebody"))

    def _tell(self) -> None:
        for name, news in self.desk.news.items():
            if name not in self.heard:
                self.heard.add(name)
                self.untold += [*news, *self.random.choices(news, k=len(news))]
        self.random.shuffle(self.untold)
        for _ in range(min(self.random.randint(0, 8), len(self.untold))):
            self.number += 1
            self._command(OrderTold(number=self.number, news=self.untold.pop()))


def _seen(venue: str, at_ns: int, tiers: Random) -> VenueSeen:
    """Return what a venue shows: its fees change in the middle of plans, and words get too old."""
    held = [
        HeldAtVenue(asset=AssetCode(asset), free=Decimal(amount), held=Decimal(0))
        for asset, amount in (("USD", 10_000), ("BTC", 100))
    ]
    return VenueSeen(
        venue=VenueId(venue),
        told=0,
        at_ns=at_ns,
        held=tuple(held),
        taker_bps=tiers.choice([None, Decimal(1), Decimal("2.5"), Decimal(5)]),
        fees_at_ns=at_ns - TOLD_S_MAX * 1_000 * MS + tiers.choice([2_000, 20_000]) * MS,
    )


@pytest.mark.parametrize(
    ("venues", "mode", "basis"),
    [
        (VENUES, Mode.LIVE, Basis.SANDBOX_LIVE),
        (VENUES, Mode.APPROVE, Basis.SANDBOX_LIVE),
        (VENUES, Mode.PAPER, Basis.SANDBOX),
        ((), Mode.LIVE, Basis.SANDBOX),
    ],
)
def test_what_a_run_reports_is_live_as_soon_as_orders_may_be_placed_for_real(
    venues: tuple[str, ...], mode: Mode, basis: Basis
) -> None:
    header = header_of()
    trades = {VenueId(one): Decimal(1) for one in venues}
    header = structs.replace(
        header,
        terms=structs.replace(header.terms, trades=trades, sends_live=False),
        control=ControlState(mode=mode, is_paused=False),
    )

    assert build_core(header, make_surroundings()).basis is basis


@pytest.mark.parametrize("seed", range(4))
def test_a_run_with_live_orders_replays_byte_for_byte_from_each_of_its_segments(
    tmp_path: Path, seed: int
) -> None:
    made = Run(tmp_path, seed)
    run = made.play()
    executions = [one for one in made.records if isinstance(one, ExecutionRecord)]
    assert any(one.execution.is_traded for one in executions)
    assert all(is_live(one.plan) for one in executions)
    assert any(is_closing(one.execution.opportunity_id) for one in executions)
    assert sum(line.startswith(b'["fee told"') for of in made.lines for line in of) > 3

    for segment in segments_of(run):
        first = number_of(segment)
        replayed: list[bytes] = []
        result = replay(run, lines=replayed, first=first, kinds=KINDS)

        assert result.is_complete
        assert result.first_difference is None
        assert replayed == [line for of in made.lines[first - 1 :] for line in of]
