"""Tasks that learn from our own trades and from what agents found, with known answers."""

import math
from typing import Any

import numpy as np
import pytest

from engine.agents.learning.paired import Paired
from engine.agents.sharing import lent, sharing
from engine.agents.strategy_effectiveness import LIMITS, STRATEGY_EFFECTIVENESS, TRADES
from engine.agents.success_patterns import SUCCESS_PATTERNS, WANT
from engine.agents.team_performance import FOUND, RUNS, TEAM_PERFORMANCE
from engine.background.ports import Discovery, Outcome
from engine.background.wants import (
    ExecutionsGiven,
    HistoryGiven,
    InForce,
    InForceGiven,
    LimitsGiven,
)
from engine.domain.advice import InclusionAdvice, PriorityAdvice, ThresholdProposal
from engine.domain.units import NS_PER_S
from tests.agents.worlds import START_NS, end, given

HOUR = (START_NS // 3_600 // NS_PER_S) % 24


def test_two_kinds_that_come_alike_are_told_apart_no_more_often_than_said() -> None:
    told_apart = 0
    for seed in range(60):
        chance, pair, most = np.random.default_rng(seed), Paired(), 1.0
        for mine, other in (chance.random((150, 2)) < 0.8).tolist():
            pair = pair.other(came=other).own(came=mine)
            most = max(most, pair.evidence)
        told_apart += most >= 20

    assert told_apart <= 7  # of 60 at 5 %: more come once in a hundred


def test_two_kinds_that_come_differently_are_told_apart() -> None:
    chance, pair = np.random.default_rng(1), Paired()
    for mine, other in chance.random((150, 2)).tolist():
        pair = pair.other(came=other < 0.9).own(came=mine < 0.5)

    assert pair.evidence > 1_000
    assert pair.share == pytest.approx(0.5, abs=0.1)
    assert pair.others_share == pytest.approx(0.9, abs=0.1)


def _executions(
    pairs: list[str], came: list[bool], *, edges: list[float] | None = None, gain: float = 1.0
) -> ExecutionsGiven:
    """Make a trade a second that gained or lost a dollar of one that was expected."""
    size = len(pairs)
    return ExecutionsGiven(
        closed_at_ns=[START_NS + n * NS_PER_S for n in range(size)],
        pair=pairs,
        venues=[("a", "b")] * size,
        net_edge_bps=edges or [20.0] * size,
        expected_usd=[gain] * size,
        realised_usd=[gain if one else -gain for one in came],
        outcome=["traded"] * size,
    )


def _patterns(seed: int, shares: tuple[float, float], size: int = 600) -> Outcome[Any]:
    chance = np.random.default_rng(seed)
    which = chance.integers(0, 2, size=size).tolist()
    came = [bool(chance.random() < shares[one]) for one in which]
    trades = _executions([("ETH-USD", "BTC-USD")[one] for one in which], came)
    return end(SUCCESS_PATTERNS, given({WANT: trades}))


def test_a_pair_that_comes_off_less_often_goes_last_and_the_other_is_left() -> None:
    outcome = _patterns(1, (0.9, 0.5))

    advice = [one.advice for one in outcome.found if one.advice]
    assert [one.subject for one in outcome.found] == ["pair BTC-USD", "pair ETH-USD"]
    (worse,) = advice
    assert isinstance(worse, PriorityAdvice)
    assert worse.pair == "BTC-USD"
    assert worse.ratio == pytest.approx(0.5 / 0.9, abs=0.1)


@pytest.mark.parametrize("seed", range(8))
def test_pairs_that_come_off_alike_are_told_apart_at_no_look(seed: int) -> None:
    chance = np.random.default_rng(seed)
    which = [("ETH-USD", "BTC-USD")[one] for one in chance.integers(0, 2, size=400).tolist()]
    came = (chance.random(400) < 0.8).tolist()
    learned = None
    for upto in range(20, 401, 20):
        trades = _executions(which[:upto], came[:upto])
        outcome = end(SUCCESS_PATTERNS, given({WANT: trades}), learned)
        learned = outcome.learned
        assert outcome.found == ()


def test_trades_that_were_looked_at_are_not_counted_again() -> None:
    trades = _executions(["ETH-USD"] * 10, [True] * 10)
    first = end(SUCCESS_PATTERNS, given({WANT: trades}))
    second = end(SUCCESS_PATTERNS, given({WANT: trades}), first.learned)

    assert second.learned == first.learned
    assert second.measured["trades"] == 10


def _strategy(seed: int, gains: tuple[float, float], size: int = 400) -> Outcome[Any]:
    """Trade at 11 and at 30 bps with such mean gains, under a limit of 10."""
    chance = np.random.default_rng(seed)
    which = chance.integers(0, 2, size=size).tolist()
    edges = [(11.0, 30.0)[one] for one in which]
    trades = _executions(["ETH-USD"] * size, [True] * size, edges=edges)
    realised = [gains[one] + float(chance.normal()) for one in which]
    changed = ExecutionsGiven(
        **{
            **{name: getattr(trades, name) for name in trades.__struct_fields__},
            "realised_usd": realised,
        }
    )
    return end(
        STRATEGY_EFFECTIVENESS,
        given({TRADES: changed, LIMITS: LimitsGiven(values={"net_edge_bps_min": 10.0})}),
    )


def _proposals(outcome: Outcome[Any]) -> list[ThresholdProposal]:
    return [one.advice for one in outcome.found if isinstance(one.advice, ThresholdProposal)]


def test_a_higher_limit_is_proposed_where_trades_just_above_it_lose() -> None:
    (proposal,) = _proposals(_strategy(1, (-0.7, 1.0)))

    assert (proposal.term, proposal.value) == ("net_edge_bps_min", 12.5)
    assert "lost" in proposal.why


def test_no_limit_is_proposed_where_trades_come_to_nothing_or_only_rich_ones_lose() -> None:
    assert not any(_proposals(_strategy(seed, (0.0, 0.0))) for seed in range(12))
    assert not _proposals(_strategy(2, (1.0, -0.7)))


def test_another_limit_is_judged_anew() -> None:
    before = _strategy(1, (-0.7, 1.0))
    what = given(
        {TRADES: _executions([], []), LIMITS: LimitsGiven(values={"net_edge_bps_min": 12.5})}
    )

    after = end(STRATEGY_EFFECTIVENESS, what, before.learned)

    assert after.found == ()
    assert after.measured["trades"] == 0


# What agents tell each other.


def _inclusion(chain: str, *rows: tuple[float, ...]) -> InclusionAdvice:
    return InclusionAdvice(chain=chain, edges_usd=(0.0, 1.0)[: len(rows)], ratios=rows)


def test_a_chain_without_own_cases_is_lent_the_least_of_what_others_know() -> None:
    known = (_inclusion("arbitrum", (0.4, 0.2), (0.2, 0.1)), _inclusion("base", (0.3, 0.25)))

    advice = lent(known, "polygon")

    assert advice is not None
    assert advice.edges_usd == (0.0, 1.0)
    assert advice.ratios == ((0.3, 0.2), (0.2, 0.1))
    assert lent(known, "base") is None
    assert lent(known[:1], "polygon") is None


def test_only_chains_that_lack_their_own_are_lent_to() -> None:
    task = sharing(("arbitrum", "base", "polygon"))
    known = tuple(
        Discovery(
            kind="inclusion",
            subject=chain,
            says=chain,
            figures={},
            score=1.0,
            holds_s=60.0,
            advice=_inclusion(chain, (0.3,)),
        )
        for chain in ("arbitrum", "base")
    )
    what = given({InForce(kinds=("inclusion",)): InForceGiven(discoveries=known)})

    assert [one.subject for one in end(task, what).found] == ["polygon"]


def test_the_work_of_an_agent_is_summed_up_with_the_effect_that_was_measured() -> None:
    what = given(
        {
            RUNS: HistoryGiven(
                agent=["x", "x", "y"],
                ended=["done", "hung", "done"],
                cpu_s=[1.0, 2.0, 3.0],
                found=[2, 0, 1],
            ),
            FOUND: InForceGiven(agent=["x", "x", "y"], effect_usd_hour=[1.5, 0.5, math.nan]),
        }
    )

    x, y = end(TEAM_PERFORMANCE, what).found

    assert (x.figures["effect_usd_hour"], x.figures["measured"]) == (2.0, 2.0)
    assert (x.figures["runs"], x.figures["failed_ratio"], x.figures["cpu_s"]) == (2, 0.5, 3)
    assert "of no measured effect yet" in y.says


def test_trades_of_which_something_is_not_known_are_left_out() -> None:
    trades = _executions(["ETH-USD"] * 9, [True] * 9, edges=[math.nan] * 9, gain=math.nan)

    patterns = end(SUCCESS_PATTERNS, given({WANT: trades}))
    bands = end(
        STRATEGY_EFFECTIVENESS,
        given({TRADES: trades, LIMITS: LimitsGiven(values={"net_edge_bps_min": 10.0})}),
    )

    assert patterns.measured["trades"] == bands.measured["trades"] == 0
