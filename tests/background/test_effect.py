"""The end of a recording is played with and without what was advised, and the effect is stored."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from engine.bus.notices import StampedNotice
from engine.bus.request import Reply, Request
from engine.domain.advice import DatedAdvice, GasAdvice, PathAdvice, ThresholdProposal
from engine.domain.discoveries import Verdict
from engine.domain.errors import BadValueError, TransientError
from engine.domain.units import NS_PER_S
from engine.operate.recording import number_of, segments_of
from engine.requests.advise import Advise
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.tools.effect import ALL, Measured, hours_of, measure, run_effect
from engine.wiring.paths import Paths
from engine.wiring.recorded import judged, newest_run
from tests.background.world import World, run_world
from tests.simulation.chain import CHAIN
from tests.simulation.simulation import MEMORY, make_empty_database
from tests.storage.finding import effect, keep, load_one, run_of, tips
from tests.storage.makers import NOW_NS
from tests.storage.model import put_empty_ledger

SECONDS = 8.0
SEGMENT_BYTES = 1 << 16
"""So small that hours can begin at a checkpoint that knows advice."""

DEARER = GasAdvice(chain=CHAIN, ratio=5.0)
"""Gas that is reckoned with five times as dear as it is makes transactions not worth it."""


async def _advise(world: World) -> None:
    if world.elapsed_s() > 2.5:
        return
    until_ns = world.life.now_ns() + 3600 * NS_PER_S
    advice = DatedAdvice(discovery=1, until_ns=until_ns, advice=DEARER)
    await world.life.answers.answer(Advise(advice=(advice,)))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        for name in ("empty", "world"):
            (root / name).mkdir()
        yield run_world(
            1,
            root / "world",
            seconds=SECONDS,
            empty_database=make_empty_database(root / "empty"),
            beside=_advise,
            segment_bytes=SEGMENT_BYTES,
        )


@pytest.fixture(scope="module")
def measured(world: World) -> list[Measured]:
    found = hours_of(world.recording, hours=1.0)
    assert found.advised == {1: DEARER}
    proposal = ThresholdProposal(term="net_edge_bps_min", value=900.0, why="to try it")
    return list(measure(found, {1: DEARER, 2: proposal}, at_ns=5))


def test_what_was_advised_is_found_and_its_effect_is_the_difference(
    measured: list[Measured],
) -> None:
    together, _, alone = measured

    assert (together.seq, alone.seq) == (ALL, 1)
    assert together.effect == alone.effect
    assert alone.effect.given != alone.effect.withheld
    assert (alone.effect.verdict, alone.effect.blocks) == (Verdict.TOO_LITTLE, 0)
    assert alone.effect.measured_at_ns == 5


def test_a_proposal_is_played_as_if_somebody_had_taken_it(measured: list[Measured]) -> None:
    together, proposed, _ = measured

    assert proposed.effect.withheld == together.effect.given
    assert proposed.effect.given.captured < proposed.effect.withheld.captured


def test_of_pools_that_are_followed_a_replay_says_nothing() -> None:
    path = PathAdvice(chain=CHAIN, tokens=("ETH", "USD"), pools=("0xa", "0xb"))

    assert judged(effect(Verdict.NO_EFFECT), path).verdict is Verdict.TOO_LITTLE
    assert judged(effect(Verdict.EARNS), path).verdict is Verdict.EARNS
    assert judged(effect(Verdict.NO_EFFECT), DEARER).verdict is Verdict.NO_EFFECT


def test_hours_that_lie_before_a_recording_begin_with_it(world: World) -> None:
    found = hours_of(world.recording, hours=5.0)

    assert found.first == 1
    assert 0 <= found.since_ns - world.life.header.started_at_ns < NS_PER_S
    assert found.until_ns - found.since_ns == pytest.approx(SECONDS * NS_PER_S, rel=0.1)


def test_what_a_checkpoint_knows_of_advice_is_taken_out_too(world: World) -> None:
    """Advice from before the hours is in the state that they begin with."""
    first = max(number_of(segment) for segment in segments_of(world.recording))
    assert first > 1
    found = replace(hours_of(world.recording, hours=1.0), first=first)

    together, alone = measure(found, {1: DEARER}, at_ns=5)

    assert together.effect.given != together.effect.withheld
    assert alone.effect.withheld == together.effect.withheld


def test_without_a_recording_there_is_nothing_to_measure(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match="no run is recorded"):
        newest_run(Paths(tmp_path).recordings)


@dataclass
class LedgerOnly:
    """A facade behind which only the ledger answers."""

    ledger: Ledger

    async def ask(self, request: Request[Reply], /) -> Reply:
        return await self.ledger.answer(request)

    def notices(self, *, reader: str) -> AsyncIterator[StampedNotice]:
        raise TransientError(f"{reader} is told nothing")


async def test_an_effect_is_stored_with_its_discovery_and_printed(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths, settings = Paths(world.machine.directory), LedgerSettings(data_dir=tmp_path)
    put_empty_ledger(tmp_path)
    async with open_ledger(settings, clock=lambda: NOW_NS) as ledger:
        await keep(ledger, run_of(tips()))

        code = await run_effect(paths, LedgerOnly(ledger), hours=1.0, seq=1)

        stored = (await load_one(ledger, 1)).line.effect
        printed = msgspec.json.decode(capfd.readouterr().out, type=list[Measured])
        assert code == 0
        assert [(one.seq, one.is_stored, one.has_ended) for one in printed] == [
            (ALL, False, False),
            (1, True, False),
        ]
        assert stored == printed[1].effect
