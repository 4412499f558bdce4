"""Tasks about where liquidity lies and which paths there are, against what a plain search finds."""

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from engine.agents.bridge_gaps import WANT, bridge_gaps, gaps_now
from engine.agents.learning.long_cycles import Edge, cycles_from, graph_of
from engine.agents.liquidity_map import Row, gap_between, liquidity_map
from engine.agents.path_discovery import TRIED_S, path_discovery
from engine.background.ports import Outcome, Want
from engine.background.wants import (
    Blocks,
    BlocksGiven,
    Opportunities,
    OpportunitiesGiven,
    Pools,
    PoolsGiven,
    PricesGiven,
)
from engine.domain.advice import PathAdvice, PoolsAdvice
from engine.domain.units import NS_PER_S
from tests.agents.worlds import START_NS, block, end, given, swap

PATHS = path_discovery("base")
MAP = liquidity_map(Row(chain="base", name="map", agent="tester", every_s=600.0))
GAPS = bridge_gaps("polygon", "tester")

Rates = dict[tuple[str, str], float]


def _edges(rates: Rates) -> list[Edge]:
    return [
        Edge(source=source, target=target, pool="".join(sorted((source, target))), gain=gain)
        for (source, target), gain in rates.items()
    ]


def _market(seed: int, tokens: int = 8) -> Rates:
    """Make rates of assets with values far apart, a fee of 10 bps, and a little off."""
    chance = np.random.default_rng(seed)
    values = chance.normal(scale=3, size=tokens).tolist()
    rates: Rates = {}
    for one in range(tokens):
        for other in range(one):
            off = float(chance.normal(scale=1.2e-3))
            gain = values[one] - values[other] + off
            rates[f"T{one}", f"T{other}"] = gain - 1e-3
            rates[f"T{other}", f"T{one}"] = -gain - 1e-3
    return rates


def _plain(rates: Rates, legs: int) -> dict[tuple[str, ...], float]:
    """Try all ways, slowly."""
    tokens = sorted({source for source, _ in rates})
    found = {}
    for way in permutations(tokens, legs):
        gain = sum(rates[pair] for pair in zip(way, (*way[1:], way[0]), strict=True))
        if way[0] == min(way) and gain >= 0:
            found[way] = gain
    return found


@pytest.mark.parametrize("seed", range(4))
def test_long_cycles_are_those_that_a_plain_search_finds(seed: int) -> None:
    rates = _market(seed)
    graph = graph_of(_edges(rates))

    found = {
        cycle.tokens: cycle.gain
        for start in sorted(graph.out)
        for cycle in cycles_from(graph, start, 5, 0.0)
    }

    plain = _plain(rates, 5)
    assert found.keys() == plain.keys()
    assert found == pytest.approx(plain, abs=1e-9)
    assert plain


def test_a_fair_market_has_no_cycle_and_few_ways_are_looked_at() -> None:
    values = np.random.default_rng(9).normal(size=40).tolist()
    rates = {
        (f"T{one:02}", f"T{other:02}"): values[one] - values[other] - 1e-3
        for one in range(40)
        for other in range(40)
        if one != other
    }
    graph = graph_of(_edges(rates))

    assert not any(cycles_from(graph, start, 5, 0.0) for start in sorted(graph.out))
    assert graph.visits == 0


def _pools(*rows: tuple[str, str, str, float, bool], rates: Rates | None = None) -> PoolsGiven:
    """Make pools of address, DEX, assets as ``ETH USDC``, USD in them, and whether followed."""
    assets = [tuple(row[2].split()) for row in rows]
    return PoolsGiven(
        address=[row[0] for row in rows],
        dex=[row[1] for row in rows],
        venue=[f"{row[1]}@base" for row in rows],
        place=[f"{row[2]} {row[0]}" for row in rows],
        tokens=assets,
        usd=[row[3] for row in rows],
        is_followed=[row[4] for row in rows],
        log_rates=[
            tuple(
                (source, target, rates[source, target])
                for source, target in (tokens, tokens[::-1])
                if rates and row[4]
            )
            for row, tokens in zip(rows, assets, strict=True)
        ],
    )


def _paths(
    pools: PoolsGiven,
    learned: object = None,
    *,
    seen: tuple[tuple[str, ...], ...] = (),
    after_s: int = 0,
) -> Outcome[Any]:
    answers: dict[Want[Any], object] = {
        Pools(chain="base", limit=512): pools,
        Opportunities(hours=6, limit=2_000): OpportunitiesGiven(
            venues=[("one@base", "two@base")] * len(seen), places=list(seen)
        ),
    }
    return end(PATHS, given(answers, at_ns=START_NS + after_s * NS_PER_S), learned)


def _ring(gain: float) -> PoolsGiven:
    """Make five assets in a ring, with so much gained once around."""
    rates: Rates = {}
    names = "ABCDE"
    for at, name in enumerate(names):
        after = names[(at + 1) % 5]
        rates[name, after], rates[after, name] = gain / 5, -gain / 5 - 0.01
    around = zip(names, names[1:] + names[0], strict=True)
    rows = [(f"0x{one}", "dex", f"{one} {then}", 1e6, True) for one, then in around]
    return _pools(*rows, rates=rates)


def test_a_cycle_of_five_legs_that_gains_is_advised_and_one_that_does_not_is_not() -> None:
    (found,) = _paths(_ring(0.002)).found

    assert isinstance(found.advice, PathAdvice)
    assert found.advice.tokens == ("A", "B", "C", "D", "E")
    assert found.advice.pools == ("0xA", "0xB", "0xC", "0xD", "0xE")
    assert found.figures["edge_bps"] == pytest.approx(20)
    assert _paths(_ring(-0.002)).found == ()


def test_a_rich_pool_beside_a_followed_one_is_advised_and_let_go_if_it_brings_nothing() -> None:
    pools = _pools(
        ("0xold", "one", "ETH USDC", 1e6, True),
        ("0xnew", "two", "ETH USDC", 5e4, False),
        ("0xpoor", "two", "ETH USDC", 10.0, False),
        ("0xother", "two", "ETH CAT", 5e6, False),
    )

    first = _paths(pools)
    (found,) = first.found
    assert isinstance(found.advice, PathAdvice)
    assert found.advice.pools == ("0xnew", "0xold")

    useful = _paths(
        pools, first.learned, seen=(("ETH USDC 0xold", "ETH USDC 0xnew"),), after_s=TRIED_S + 60
    )
    useless = _paths(pools, first.learned, after_s=TRIED_S + 60)
    assert len(useful.found) == 1
    assert useless.found == ()
    assert _paths(pools, useless.learned, after_s=2 * TRIED_S).found == ()


# Where trades go.


def _traded(seed: int, shares: tuple[float, ...], size: int = 500) -> Outcome[Any]:
    chance = np.random.default_rng(seed)
    pools = _pools(*((f"0x{n}", f"dex{n}", "ETH USDC", 1e6, True) for n in range(len(shares))))
    blocks = tuple(
        block(n, swaps=(swap(f"t{n}", f"0x{at}", "ETH USDC", (1.0, 1_000.0)),))
        for n, at in enumerate(chance.choice(len(shares), p=shares, size=size).tolist())
    )
    return end(MAP, given({MAP.wants[0]: BlocksGiven(blocks=blocks), MAP.wants[1]: pools}))


def test_pools_that_are_traded_in_more_than_they_hold_weigh_more() -> None:
    outcome = _traded(1, (0.7, 0.1, 0.1, 0.1))

    (advice,) = [one.advice for one in outcome.found if one.advice]
    assert isinstance(advice, PoolsAdvice)
    weights = dict(advice.weights)
    # The root of 0.7 over 0.25, of what 500 trades have told of it by now.
    assert weights["0x0"] == pytest.approx(math.sqrt(0.7 / 0.25), abs=0.2)
    assert max(weights["0x1"], weights["0x2"], weights["0x3"]) < 0.9


def test_trades_that_go_where_liquidity_lies_weigh_nothing() -> None:
    opened = sum(
        any(one.advice for one in _traded(seed, (0.25,) * 4, size=250).found) for seed in range(8)
    )

    assert opened <= 2


def test_the_map_names_pairs_that_several_dexes_have() -> None:
    pools = _pools(
        ("0x1", "one", "ETH USDC", 1e6, True),
        ("0x2", "two", "USDC ETH", 3e6, True),
        ("0x3", "one", "ETH CAT", 9e6, True),
        ("0x4", "two", "ETH CAT", 9e6, False),
    )
    what = given({Blocks(chain="base", blocks=2_000): BlocksGiven(blocks=()), MAP.wants[1]: pools})

    (found,) = end(MAP, what).found

    assert found.subject == "base ETH-USDC"
    assert found.figures["liquidity_usd"] == 4e6
    assert found.figures["most_ratio"] == 0.75


def test_the_gap_between_pools_is_what_is_left_after_selling_at_one_and_buying_at_another() -> None:
    one = (("ETH", "USDC", 1.001), ("USDC", "ETH", -1.003))
    other = (("ETH", "USDC", 0.9985), ("USDC", "ETH", -1.0005))

    assert gap_between([one, other]) == pytest.approx(1.001 - 1.0005)
    assert gap_between([one, one]) == pytest.approx(-0.002)
    assert gap_between([one, ()]) is None


# Between chains.


def _chains(*rows: tuple[str, float]) -> PricesGiven:
    size = len(rows)
    return PricesGiven(
        at_ns=0,
        venue=["dex"] * size,
        place=["0x"] * size,
        base=["ETH"] * size,
        quote=["USDC"] * size,
        chain=[chain for chain, _ in rows],
        bid=[mid * 0.999 for _, mid in rows],
        ask=[mid * 1.001 for _, mid in rows],
        bid_size=[0.0] * size,
        ask_size=[0.0] * size,
    )


def test_a_gap_between_chains_is_what_is_left_beyond_both_fees() -> None:
    assert gaps_now(_chains(("polygon", 1_010.0), ("base", 1_000.0), ("", 1.0)), "polygon") == {
        "ETH-USDC base": pytest.approx(math.log(1_010 * 0.999 / (1_000 * 1.001)))
    }
    assert gaps_now(_chains(("polygon", 1_001.0), ("base", 1_000.0)), "polygon") == {
        "ETH-USDC base": 0.0
    }


def test_a_gap_is_told_once_it_stood_for_three_looks_of_the_same_sign() -> None:
    learned: Any = None
    told: list[int] = []
    for mid in (1_010.0, 1_010.0, 990.0, 990.0, 990.0, 1_000.0):
        what = given({WANT: _chains(("polygon", mid), ("base", 1_000.0))})
        outcome = end(GAPS, what, learned)
        learned, told = outcome.learned, [*told, len(outcome.found)]

    assert told == [0, 0, 0, 0, 1, 0]
