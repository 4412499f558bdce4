"""What tasks learn with: each rule against what it promises."""

import itertools

import numpy as np
import pytest

from engine.agents.learning.covering import Bound
from engine.agents.learning.fee_rule import FeeLine
from engine.agents.learning.inclusion_prior import EDGES_USD, TAKEN, TAKEN_EARLIER
from engine.agents.learning.lasting import Lasting, row_of
from engine.agents.learning.recursive import unlearned
from engine.agents.learning.wager import ALPHA, Wager, alpha_of_trial
from tests.agents.worlds import surely_above

SEEDS = 120


def _ever_opens(seed: int, noise: str) -> bool:
    """Let weights learn what cannot be foretold, and look after every case."""
    chance = np.random.default_rng(seed)
    size = 250
    drawn = {
        "normal": chance.normal(size=size),
        "heavy": chance.standard_t(2, size=size),
        "restless": chance.normal(size=size) * np.exp(np.cumsum(chance.normal(size=size)) / 4),
    }[noise]
    weights, wager = unlearned(2), Wager()
    before = 0.0
    for came in drawn.tolist():
        signs = (before, 1.0)
        wager = wager.judge(model_loss=(came - weights.foretell(signs)) ** 2, naive_loss=came**2)
        if wager.is_open:
            return True
        weights = weights.learn(signs, came)
        before = came
    return False


@pytest.mark.parametrize("noise", ["normal", "heavy", "restless"])
@pytest.mark.parametrize("seeds", [40, pytest.param(1_000, marks=pytest.mark.campaign)])
def test_what_cannot_be_foretold_opens_no_wager_more_often_than_said(
    noise: str, seeds: int
) -> None:
    opened = sum(_ever_opens(seed, noise) for seed in range(seeds))

    assert surely_above(opened, seeds) <= ALPHA


def test_a_fair_coin_opens_a_wager_no_more_often_than_said() -> None:
    opened = 0
    for seed in range(SEEDS):
        wager = Wager()
        for better in np.random.default_rng(seed).choice([-0.5, 0.5], size=500).tolist():
            wager = wager.judge_bounded(model_loss=0.5, naive_loss=0.5 + better)
            if wager.is_open:
                opened += 1
                break

    assert surely_above(opened, SEEDS) <= ALPHA


def _after(wager: Wager, better: float, times: int) -> Wager:
    for _ in range(times):
        wager = wager.judge_bounded(model_loss=0.5, naive_loss=0.5 + better)
    return wager


def test_what_is_better_opens_a_wager_and_what_was_better_closes_it_again() -> None:
    better = _after(Wager(), 0.1, 200)

    assert better.is_open
    assert better.skill == pytest.approx(1 - 0.5 / 0.6)
    assert not _after(better, -0.1, 200).is_open


def test_trials_without_end_use_up_no_more_than_one_may() -> None:
    assert sum(alpha_of_trial(trial) for trial in range(1, 10_000)) < ALPHA


def test_weights_of_what_was_made_with_known_ones_are_found() -> None:
    chance = np.random.default_rng(3)
    weights = unlearned(3, keeps=1.0)
    for signs in chance.normal(size=(500, 3)).tolist():
        came = 2 * signs[0] - signs[1] + 0.1 * float(chance.normal())
        weights = weights.learn(signs, came)

    assert weights.weights == pytest.approx((2.0, -1.0, 0.0), abs=0.03)


def test_weights_equal_those_of_least_squares_with_a_ridge() -> None:
    chance = np.random.default_rng(4)
    signs, came = chance.normal(size=(40, 3)), chance.normal(size=40)
    weights = unlearned(3, ridge=0.5, keeps=1.0)
    for case, one in zip(signs.tolist(), came.tolist(), strict=True):
        weights = weights.learn(case, one)

    straight = np.linalg.solve(signs.T @ signs + 0.5 * np.eye(3), signs.T @ came)
    assert weights.weights == pytest.approx(straight.tolist())


def test_weights_stay_finite_where_nothing_ever_moves() -> None:
    weights = unlearned(2, keeps=0.9)
    for _ in range(2_000):
        weights = weights.learn((0.0, 0.0), 1.0)

    assert np.isfinite(weights.spread).all()
    assert weights.learn((1.0, 0.0), 1.0).weights[0] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("market", ["steady", "heavy", "jumping", "growing"])
def test_a_bound_holds_for_the_wanted_share_whatever_comes(market: str) -> None:
    chance = np.random.default_rng(5)
    size = 6_000
    drawn = {
        "steady": chance.normal(size=size),
        "heavy": chance.standard_t(2, size=size),
        "jumping": chance.normal(size=size) + 50 * (np.arange(size) > size / 2),
        "growing": chance.normal(size=size) * np.linspace(1, 3, size),
    }[market]
    bound = Bound(beyond=0.05)
    for came in drawn.tolist():
        bound = bound.learn(came)

    assert bound.covered == pytest.approx(0.95, abs=0.02)


def test_the_rule_of_a_base_fee_is_found_from_its_blocks() -> None:
    chance = np.random.default_rng(6)
    line = FeeLine()
    for full in chance.uniform(0, 1, size=200).tolist():
        line = line.learn(full, (full * 6 - 1) / 250)

    rule = line.rule()

    assert rule is not None
    assert (rule.denominator, rule.elasticity, rule.explained) == pytest.approx((250, 6, 1.0))


def test_no_rule_is_found_where_fees_follow_none() -> None:
    chance = np.random.default_rng(7)
    line, flat = FeeLine(), FeeLine()
    for full, change in chance.uniform(0, 1, size=(200, 2)).tolist():
        line, flat = line.learn(full, change - 0.5), flat.learn(0.5, 0.0)

    rule = line.rule()

    assert rule is None or rule.explained < 0.1
    assert flat.rule() is None


def _brier(rows: tuple[tuple[float, ...], ...], lasting: list[tuple[int, int]]) -> float:
    """Return the mean loss of the chance to outlive the next block, by row and blocks."""
    return float(np.mean([(float(blocks > 1) - rows[row][0]) ** 2 for row, blocks in lasting]))


def test_what_it_is_worth_foretold_how_long_an_opportunity_of_2023_lasted() -> None:
    later = [
        (row, blocks)
        for row, (whole, earlier) in enumerate(zip(TAKEN, TAKEN_EARLIER, strict=True))
        for blocks, (n, before) in enumerate(zip(whole, earlier, strict=True))
        for _ in range(n - before)
    ]
    before = Lasting(counts=tuple(tuple(map(float, row)) for row in TAKEN_EARLIER))

    by_edge = _brier(before.by_edge(TAKEN_EARLIER), later)
    as_one = _brier((before.as_one(TAKEN_EARLIER),) * len(EDGES_USD), later)

    assert len(later) == 261
    assert 0.01 < 1 - by_edge / as_one < 0.05


def test_shares_that_last_are_found_and_never_rise_with_the_blocks() -> None:
    chance = np.random.default_rng(8)
    lasting = Lasting()
    for edge_usd, taken in ((0.5, 0.3), (5.0, 0.8)):
        for blocks in chance.geometric(taken, size=3_000).tolist():
            lasting = lasting.learn(edge_usd, blocks)

    rows = lasting.by_edge()

    assert rows[row_of(0.5)][:3] == pytest.approx((0.7, 0.49, 0.343), abs=0.03)
    assert rows[row_of(5.0)][:3] == pytest.approx((0.2, 0.04, 0.008), abs=0.03)
    assert all(first >= then for row in rows for first, then in itertools.pairwise(row))
