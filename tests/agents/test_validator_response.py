"""How soon what waits is taken is measured, and tips count only where they foretell it."""

import numpy as np
import pytest

from engine.agents.validator_response import validator_response
from engine.background.ports import Discovery
from engine.domain.block_facts import BlockFact, Wait
from engine.domain.units import NS_PER_MS, NS_PER_S
from tests.agents.worlds import START_NS, block, end, on_chain

TASK = validator_response("polygon", "tester")
BLOCK_NS = 2 * NS_PER_S


def blocks(count: int, *, quick_by_tip: bool, seed: int = 1) -> list[BlockFact]:
    """One transaction a block; heard in the block's own time, or in that before it."""
    chance = np.random.default_rng(seed)
    made = []
    for number in range(count):
        told_ns = START_NS + number * BLOCK_NS
        tip_gwei = float(chance.exponential())
        is_quick = tip_gwei > 0.7 if quick_by_tip else chance.random() < 0.5
        wait_ns = (500 if is_quick else 3_500) * NS_PER_MS
        wait = Wait(heard_at_ns=told_ns - wait_ns, tip_gwei=tip_gwei)
        made.append(block(number, told_at_ns=told_ns, waits=(wait,)))
    return made


def found(made: list[BlockFact]) -> Discovery:
    (one,) = end(TASK, on_chain(made, "polygon")).found
    return one


def test_the_share_in_the_next_block_and_the_usual_wait_are_told() -> None:
    one = found(blocks(1_500, quick_by_tip=False))

    assert one.kind == "validator_response"
    assert one.figures["next_block_ratio"] == pytest.approx(0.5, abs=0.12)
    assert 500 <= one.figures["wait_ms"] <= 3_500
    assert one.figures["late_ms"] == pytest.approx(3_500, rel=0.15)
    assert one.advice is None


def test_tips_are_told_of_where_they_make_it_sooner_and_nowhere_else() -> None:
    assert "tips above" in found(blocks(1_500, quick_by_tip=True)).says
    for seed in range(5):
        assert "whatever it tips" in found(blocks(1_500, quick_by_tip=False, seed=seed)).says


def test_of_few_and_of_blocks_after_a_gap_nothing_is_said() -> None:
    assert end(TASK, on_chain(blocks(20, quick_by_tip=True), "polygon")).found == ()
    holes = [one for one in blocks(400, quick_by_tip=True) if one.number % 2]
    assert end(TASK, on_chain(holes, "polygon")).found == ()
