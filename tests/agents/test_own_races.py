"""How ties within a block end is learned from our own transactions, and from nothing else."""

from typing import Any

import numpy as np
import pytest

from engine.agents.competing_bots import Rivals, competing_bots, races_of
from engine.agents.learning.own_races import OwnRaces, corrected
from engine.background.ports import Outcome
from engine.background.wants import RacesGiven
from engine.domain.advice import InclusionAdvice
from engine.domain.block_facts import BlockFact
from engine.domain.units import NS_PER_S
from tests.agents.worlds import START_NS, block, end, on_chain, swap

ROW = (0.4, 0.25, 0.15)
BOTS = competing_bots("base", "tester")
TAKEN = 0.5
"""Chance of each block that something open is taken in it."""


def raced(value: float, races: int, *, seed: int = 1) -> OwnRaces:
    """Race as often as said, where the number to be found is the given one."""
    chance, known = np.random.default_rng(seed), OwnRaces()
    for at in range(races):
        blocks = int(chance.integers(1, 3))
        came = bool(chance.random() < corrected(ROW, value)[blocks - 1])
        known = known.learn(ROW, blocks, came=came, at_ns=at)
    return known


@pytest.mark.parametrize("value", [1.0, 0.5, -0.6])
def test_what_our_own_races_say_is_found_from_the_cautious_side(value: float) -> None:
    found = [raced(value, 400, seed=seed).value for seed in range(8)]

    assert all(0 < one / value <= 1.15 for one in found)
    assert np.median(found) == pytest.approx(value, abs=0.2)


def test_races_that_end_as_is_seen_of_others_change_nothing() -> None:
    assert sum(raced(0.0, 150, seed=seed).value != 0 for seed in range(40)) <= 4


def test_few_races_change_nothing() -> None:
    assert raced(1.0, 2).value == 0.0
    assert OwnRaces().value == 0.0


def test_chances_stay_chances_that_fall_with_the_blocks() -> None:
    for value in np.linspace(-1, 1, 41):
        row = corrected(ROW, float(value))
        assert all(0 <= share <= 1 for share in row)
        assert list(row) == sorted(row, reverse=True)
    assert corrected(ROW, 1.0) == pytest.approx((1.0, 0.4, 0.25))
    assert corrected(ROW, 0.0) == ROW
    assert corrected(ROW, -1.0) == (0.0, 0.0, 0.0)


def even_race(seed: int, size: int, *, ties_won: float) -> tuple[list[BlockFact], RacesGiven]:
    """Make a chain where half of what is open is taken in each block, and races of ours in it."""
    chance, blocks, races = np.random.default_rng(seed), [], RacesGiven()
    for case in range(size):
        n = 3 * case
        lasts = min(int(chance.geometric(TAKEN)), 2)
        opener = swap(f"o{n}", "0x0", "ETH USDC", (1.0, 999.0), index=0)
        blocks += [heard(n, opener), heard(n + 1), heard(n + 2)]
        takes = (
            swap(f"a{n}", "0x0", "USDC ETH", (1_000.0, 1.0), index=1, sender="0xbot", usd=1e3),
            swap(f"a{n}", "0x1", "ETH USDC", (1.0, 1_001.0), index=2, sender="0xbot"),
        )
        blocks[n + lasts] = heard(n + lasts, *takes)
        is_first = lasts > 1 or chance.random() < ties_won
        add(races, n, came=bool(is_first))
    return blocks, races


def heard(number: int, *swaps: Any) -> BlockFact:
    return block(number, swaps=swaps, heard_at_ns=at_ns(number))


def at_ns(number: float) -> int:
    return START_NS + int(number * 2 * NS_PER_S)


def add(races: RacesGiven, number: int, *, came: bool) -> None:
    """Add a race that was decided on after a block was heard, and landed in the next one."""
    races.decided_at_ns.append(at_ns(number + 0.4))
    races.ended_at_ns.append(at_ns(number + 1.5))
    races.profit_usd.append(1.0)
    races.block.append(number + 1)
    races.came.append(came)


def inclusion(outcome: Outcome[Rivals]) -> InclusionAdvice:
    (advice,) = [one.advice for one in outcome.found if isinstance(one.advice, InclusionAdvice)]
    return advice


def test_a_race_that_is_even_is_entered_and_one_that_is_always_lost_is_not() -> None:
    ratios = []
    for ties_won in (0.0, 0.5, 1.0):
        blocks, races = even_race(4, 300, ties_won=ties_won)
        seen = inclusion(end(BOTS, on_chain(blocks))).ratio(1.0, 1)
        outcome = end(BOTS, on_chain(blocks, races=races))
        ratios.append(inclusion(outcome).ratio(1.0, 1))
        assert outcome.measured["own_races"] == 300
        assert f"of {outcome.measured['own_races']:.0f} own races won" in "".join(
            outcome.found[0].evidence
        )

    assert ratios[0] == seen
    assert ratios[1] == pytest.approx(seen + 0.5 * (1 - seen), abs=0.12)
    assert ratios[1] < ratios[2] <= 1


def test_where_nobody_else_is_seen_our_own_races_say_how_often_we_come_through() -> None:
    chance, races = np.random.default_rng(7), RacesGiven()
    came = (chance.random(120) < 0.68).tolist()
    for number, one in enumerate(came):
        add(races, number, came=one)
    blocks = [heard(number) for number in range(122)]
    few = end(BOTS, on_chain(blocks[:25], races=races))
    outcome = end(BOTS, on_chain(blocks, races=races))

    assert few.found == ()
    for blocks_on in (1, 2, 8):  # what others do elsewhere says nothing of this chain
        ratio = inclusion(outcome).ratio(1.0, blocks_on)
        assert ratio == pytest.approx(np.mean(came), abs=0.05)


def test_who_enters_no_race_any_more_believes_nothing_of_races_in_the_end() -> None:
    races = RacesGiven()
    for number in range(60):
        add(races, number, came=False)
    first = end(BOTS, on_chain([heard(number) for number in range(62)], races=races))
    later = [heard(number) for number in range(62, 15_000)]
    outcome = end(BOTS, on_chain(later), first.learned)

    assert inclusion(first).ratio(1.0, 1) < 0.1
    assert outcome.found == ()


def test_a_race_counts_once_however_often_it_is_given() -> None:
    blocks, races = even_race(5, 60, ties_won=1.0)
    first = end(BOTS, on_chain(blocks, races=races))
    again = end(BOTS, on_chain(blocks, races=races), first.learned)

    assert again.learned == first.learned


def test_races_of_which_it_is_not_known_when_they_began_do_not_count() -> None:
    races = RacesGiven()
    add(races, 5, came=True)
    after = [heard(9), heard(10)]
    not_yet = [heard(4), heard(5)]
    unheard = [block(4), block(5)]

    assert races_of(races, after) == races_of(races, not_yet) == []
    assert races_of(races, unheard) == []
    (race,) = races_of(races, [heard(4), heard(5), heard(6)])
    assert race.blocks == 1
