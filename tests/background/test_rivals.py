"""Rivals take what opens on a chain as was counted from data; in the control nobody does."""

import math
import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median, pstdev
from tempfile import TemporaryDirectory

import pytest

from engine.agents.learning.takes import Take, takes_in
from engine.background.effects import Tally
from engine.bus.records import ExecutionRecord, Record
from engine.domain.units import NS_PER_S
from engine.wiring.counterfactual import play, unchanged
from tests.background.habits import CONTROL, PAIRS, RIVALS, Gas, Habits, draw_blocks, draw_gain_usd
from tests.background.rival_chain import APART_MS, RivalChain
from tests.background.world import run_world
from tests.simulation.markets import Prices
from tests.simulation.simulation import MEMORY, make_empty_database

HOUR_S = 3_600


def lived(habits: Habits, *, hours: float = 0.25, seed: int = 1) -> RivalChain:
    """A chain that so much time passed on, beside prices that stay."""
    chain = RivalChain(seed, Prices(random.Random(1)), habits, epoch_ns=1_800_000_000 * NS_PER_S)
    chain.advance(int(hours * HOUR_S) * NS_PER_S)
    return chain


def takes_of(chain: RivalChain) -> list[Take]:
    """What agents see taken in its blocks."""
    found: list[Take] = []
    openers: dict[str, int] = {}
    for block in chain.facts:
        takes, openers = takes_in(block, openers)
        found += takes
    return found


def test_what_rivals_take_is_seen_in_the_facts_of_blocks_with_what_opened_it() -> None:
    chain = lived(RIVALS)
    takes = takes_of(chain)

    assert len(chain.facts) == pytest.approx(900_000 / APART_MS, rel=0.02)
    assert len(takes) == chain.takes > 30
    assert all(take.blocks >= 0 and take.gain_usd > 0 for take in takes)
    assert {take.who[:5] for take in takes} == {"0xbot"}


def test_nobody_takes_anything_in_the_control_and_its_gas_stays() -> None:
    chain = lived(CONTROL)

    assert chain.openings > 30
    assert takes_of(chain) == []
    assert len({fact.base_fee_gwei for fact in chain.facts}) == 1


def test_openings_gain_what_was_counted() -> None:
    rng = random.Random(1)
    gains = sorted(draw_gain_usd(rng) for _ in range(4_000))

    assert [gains[int(share * 4_000)] for share in (0.25, 0.5, 0.75, 0.9)] == [
        pytest.approx(usd, rel=0.15) for usd in (0.199, 0.332, 0.81, 3.08)
    ]


def test_a_rival_gains_what_the_opening_was_drawn_to_gain() -> None:
    gains = [take.gain_usd for seed in (1, 2, 3) for take in takes_of(lived(RIVALS, seed=seed))]

    assert median(gains) == pytest.approx(0.332, rel=0.35)


def test_pairs_differ_in_how_soon_they_are_taken_in_as_was_counted() -> None:
    rng = random.Random(1)
    quick: dict[tuple[str, str], float] = defaultdict(float)
    for pair in PAIRS:
        blocks = [draw_blocks(rng, pair, draw_gain_usd(rng)) for _ in range(2_000)]
        quick[pair] = sum(block < 2 for block in blocks) / len(blocks)

    assert {pair: pytest.approx(share, abs=0.08) for pair, (_, share) in PAIRS.items()} == quick


def test_gas_changes_from_minute_to_minute_as_was_counted_and_comes_back() -> None:
    gas, levels = Gas(random.Random(1), 1.0, is_restless=True), []
    for _ in range(6 * 5_760):
        gas.step()
        levels.append(math.log(gas.gwei))
    minutes = levels[::6]
    changes = [after - before for before, after in pairwise(minutes)]

    assert pstdev(changes) == pytest.approx(0.1275, rel=0.15)
    assert pstdev(minutes) == pytest.approx(0.484, rel=0.25)


@pytest.mark.campaign
def test_an_engine_loses_races_among_rivals_and_none_where_nobody_competes() -> None:
    lost: dict[str, int] = {}
    won: dict[str, int] = {}
    for habits in (RIVALS, CONTROL):
        with TemporaryDirectory(dir=MEMORY) as place:
            root = Path(place)
            for name in ("empty", "world"):
                (root / name).mkdir()
            world = run_world(
                1,
                root / "world",
                seconds=600.0,
                empty_database=make_empty_database(root / "empty"),
                habits=habits,
            )
            records: list[Record] = []
            play(world.recording, first=0, put=records.append, change=unchanged)
        own = [
            one.execution
            for one in records
            if isinstance(one, ExecutionRecord) and one.execution.transaction is not None
        ]
        won[habits.name] = sum(one.is_traded for one in own)
        lost[habits.name] = len(own) - won[habits.name]
        tally = Tally(since_ns=world.life.header.started_at_ns)
        for record in records:
            tally.take(record)
        assert tally.found > 0
        assert world.life.failures == []

    # Of those that are not taken in their own block about two of three are in the next one.
    assert lost["rivals"] / (lost["rivals"] + won["rivals"]) == pytest.approx(0.65, abs=0.2)
    assert lost["control"] / (lost["control"] + won["control"]) < 0.3
