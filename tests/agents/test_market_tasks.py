"""Tasks that foretell prices and what others do, on series whose makings are known."""

import numpy as np
import numpy.typing as npt
import pytest

from engine.agents.batch_posting import Steps, batch_posting, chance_within, usual_chance
from engine.agents.competitor_behaviour import Habits, competitor_behaviour
from engine.agents.learning.mids import pairs_now
from engine.agents.market_trend import MARKET_TREND, WANT, Market
from engine.agents.model_retraining import (
    ANEW,
    MODEL_RETRAINING,
    Seen,
    cases,
    fitted,
    walked_loss,
)
from engine.background.wants import PricesGiven
from engine.domain.advice import PriorityAdvice
from engine.domain.block_facts import BlockFact
from engine.domain.units import NS_PER_S
from tests.agents.worlds import START_NS, block, end, given, on_chain, swap

Floats = npt.NDArray[np.float64]
HABITS = competitor_behaviour("base")
POSTING = batch_posting("arbitrum", "tester")


def _books(mids: dict[str, float], lean: float = 0.0) -> PricesGiven:
    """Make two books a pair, about its middle, with so much more bid than asked."""
    names = [name for name in mids for _ in range(2)]
    return PricesGiven(
        at_ns=0,
        venue=["a", "b"] * len(mids),
        place=names,
        base=[name.split("-")[0] for name in names],
        quote=[name.split("-")[1] for name in names],
        chain=[""] * len(names),
        bid=[mids[name] * 0.999 for name in names],
        ask=[mids[name] * 1.001 for name in names],
        bid_size=[1 + lean] * len(names),
        ask_size=[1 - lean] * len(names),
    )


def _walk(changes: Floats, leans: Floats | None = None, every_s: float = 60.0) -> Market:
    """Look at one pair once a minute."""
    learned, log = None, 0.0
    for n, change in enumerate(changes.tolist()):
        log += change
        lean = 0.0 if leans is None else float(leans[n])
        what = given(
            {WANT: _books({"ETH-USD": float(np.exp(log))}, lean)},
            at_ns=START_NS + int(n * every_s) * NS_PER_S,
        )
        learned = end(MARKET_TREND, what, learned).learned
    assert isinstance(learned, Market)
    return learned


def test_prices_that_wander_are_foretold_by_nobody() -> None:
    opened = 0
    for seed in range(6):
        market = _walk(np.random.default_rng(seed).normal(scale=1e-3, size=250))
        opened += market.pairs["ETH-USD"].drift.tells.is_open

    assert opened <= 1


def test_a_price_that_follows_its_book_is_foretold_and_its_routes_go_last() -> None:
    chance = np.random.default_rng(1)
    leans = chance.uniform(-0.8, 0.8, size=900)
    moved = np.roll(leans, 1) * 1e-3 + chance.normal(scale=5e-4, size=900)

    market = _walk(moved, leans)

    drift = market.pairs["ETH-USD"].drift
    assert drift.tells.is_open
    # Of variances 1e-6 * 0.64 / 3 foretold and 0.25e-6 new.
    assert drift.tells.skill == pytest.approx(0.2133 / (0.2133 + 0.25), abs=0.08)
    what = given({WANT: _books({"ETH-USD": 1.0}, 0.8)}, at_ns=market.at_ns + 60 * NS_PER_S)
    (found,) = end(MARKET_TREND, what, market).found
    assert isinstance(found.advice, PriorityAdvice)
    assert found.advice.pair == "ETH-USD"
    assert found.advice.ratio < 1


def test_a_gap_between_looks_is_no_minute() -> None:
    market = _walk(np.full(50, 1e-3), every_s=600.0)

    assert market.pairs["ETH-USD"].drift.tells.judged == 0


def test_books_without_a_side_or_of_a_chain_are_no_price_of_a_pair() -> None:
    prices = PricesGiven(
        at_ns=0,
        venue=["a", "b", "c", "d"],
        place=["x"] * 4,
        base=["ETH"] * 4,
        quote=["USD"] * 4,
        chain=["", "", "", "base"],
        bid=[0.0, 100.0, float("nan"), 50.0],
        ask=[101.0, 121.0, 100.0, 51.0],
        bid_size=[1.0, 3.0, 1.0, 1.0],
        ask_size=[1.0, 1.0, 1.0, 1.0],
    )

    (pair,) = pairs_now(prices).values()

    assert pair.books == 1
    assert pair.log_mid == pytest.approx(np.log(110.0))
    assert pair.imbalance == pytest.approx(0.5)


# The richer model.


def test_walked_loss_is_that_of_each_fold_fitted_on_what_was_before() -> None:
    chance = np.random.default_rng(2)
    changes = chance.normal(size=(200, 2))
    seen, came = cases(changes, 1)
    assert np.array_equal(seen[0], changes[0])
    assert np.array_equal(came[0], changes[1])

    spoiled = changes.copy()
    spoiled[-1] = 1e6  # foretold, and of no fit but by looking ahead
    assert walked_loss(changes, 1, 10.0) > 1.0
    assert walked_loss(spoiled, 1, 10.0) == pytest.approx(1.0, abs=1e-3)


def test_a_model_of_what_was_made_by_known_weights_finds_them() -> None:
    changes = 1_000 * _made(3, 4_000, 0.5)
    seen, came = cases(changes, 1)

    assert fitted(seen, came, 1.0)[:, 1] == pytest.approx([0.5, 0.0], abs=0.05)
    assert walked_loss(changes, 1, 1.0) < 0.95


def _made(seed: int, size: int, follows: float) -> Floats:
    """Make changes of two pairs, the second of which follows the first."""
    changes = np.random.default_rng(seed).normal(scale=1e-3, size=(size, 2))
    changes[1:, 1] += follows * changes[:-1, 0]
    return changes


def _retrain(changes: Floats) -> tuple[Seen, int]:
    learned: Seen | None = None
    opened = 0
    logs = np.cumsum(changes, axis=0)
    for n, log in enumerate(logs.tolist()):
        mids = {"BTC-USD": float(np.exp(log[0])), "ETH-USD": float(np.exp(log[1]))}
        what = given({WANT: _books(mids)}, at_ns=START_NS + n * 300 * NS_PER_S)
        outcome = end(MODEL_RETRAINING, what, learned)
        learned, opened = outcome.learned, opened + bool(outcome.found)
    assert learned is not None
    return learned, opened


def test_a_model_is_fitted_each_day_and_acts_once_it_beats_prices_that_stay() -> None:
    seen, opened = _retrain(_made(4, 2 * ANEW - 1, 0.9))

    assert seen.versions == 1
    assert seen.model is not None
    assert seen.model.tells.skill > 0.1
    assert opened


def test_a_model_of_noise_never_acts() -> None:
    seen, opened = _retrain(_made(5, 2 * ANEW + 100, 0.0))

    assert seen.versions == 2
    assert seen.model is not None
    assert seen.model.tells.alpha == pytest.approx(0.05 / 6)
    assert not opened


# What others do.


def _taken_in(windows: list[bool]) -> list[BlockFact]:
    """Make blocks of base, 15 a window, with a take in those that have one."""
    blocks = []
    for window, has in enumerate(windows):
        for at in range(15):
            n = window * 15 + at
            trades = (
                swap(f"a{n}", "p2", "ETH USDC", (1.0, 1_010.0), index=1),
                swap(f"a{n}", "p1", "USDC ETH", (1_000.0, 1.0), index=2),
            )
            blocks.append(block(n, swaps=trades if has and at == 7 else ()))
    return blocks


def _habits(windows: list[bool]) -> Habits:
    learned = end(HABITS, on_chain(_taken_in(windows))).learned
    assert isinstance(learned, Habits)
    return learned


def test_takes_at_any_time_are_foretold_by_nobody() -> None:
    opened = 0
    for seed in range(6):
        windows = np.random.default_rng(seed).random(300) < 0.4
        opened += _habits(windows.tolist()).pairs["ETH-USDC"].tells.is_open

    assert opened <= 1


def test_takes_that_come_in_spells_are_foretold_and_the_pair_goes_last() -> None:
    chance = np.random.default_rng(1)
    windows = [True]
    while len(windows) < 400:
        windows.append(windows[-1] if chance.random() < 0.9 else not windows[-1])
    windows[-3:] = [True] * 3

    outcome = end(HABITS, on_chain(_taken_in(windows)))

    assert isinstance(outcome.learned, Habits)
    habit = outcome.learned.pairs["ETH-USDC"]
    assert habit.tells.is_open
    # Of 0.25 without and 0.9 * 0.1 with what is known.
    assert habit.tells.skill == pytest.approx(1 - 0.09 / 0.25, abs=0.15)
    (found,) = outcome.found
    assert isinstance(found.advice, PriorityAdvice)
    assert found.advice.ratio == pytest.approx(0.1, abs=0.1)


# When bytes change their price.


def _posted(apart_s: Floats) -> Steps:
    """Make a block every ten seconds, whose bytes cost something else after each time."""
    steps = np.cumsum(apart_s)
    blocks = [
        block(n, made_at_ns=START_NS + n * 10 * NS_PER_S, data_raw=int(1e12 * 1.1 ** (at % 2)))
        for n, at in enumerate(np.searchsorted(steps, np.arange(0, steps[-1], 10)).tolist())
    ]
    learned = end(POSTING, on_chain(blocks, "arbitrum")).learned
    assert isinstance(learned, Steps)
    return learned


def test_the_chance_of_a_step_is_counted_among_those_that_had_not_come_yet() -> None:
    apart_s = (100.0, 200.0, 300.0)
    usual = 1 - np.exp(-60 / 200)

    assert usual_chance(apart_s) == pytest.approx(usual)
    assert chance_within(apart_s, 150.0) == pytest.approx((1 + usual) / 3)
    assert chance_within(apart_s, 400.0) == pytest.approx(usual)


def test_batches_that_come_by_the_clock_are_due_when_they_are() -> None:
    chance = np.random.default_rng(1)
    steps = _posted(300 + chance.normal(scale=10, size=150))

    assert steps.tells.is_open
    assert np.median(steps.apart_s) == pytest.approx(300, abs=10)
    assert np.median(np.abs(steps.sizes)) == pytest.approx(np.log(1.1))


def test_batches_that_come_at_any_time_are_never_due() -> None:
    opened = 0
    for seed in range(6):
        chance = np.random.default_rng(seed)
        opened += _posted(15 + chance.exponential(300, size=150)).tells.is_open

    assert opened <= 1
