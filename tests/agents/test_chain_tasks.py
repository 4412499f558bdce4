"""Tasks of chains, on blocks whose makings are known."""

import numpy as np
import pytest
from msgspec.structs import replace

from engine.agents.block_timing import Row as TimingRow
from engine.agents.block_timing import Timing, block_timing
from engine.agents.competing_bots import Rivals, competing_bots
from engine.agents.gas_costs import Costs, _learn, gas_costs
from engine.agents.gas_costs import Row as CostRow
from engine.agents.learning.takes import MONEY, gains_of, pair_of, takes_in
from engine.background.ports import Outcome
from engine.detect.graph.live_graph import COUNTED_IN
from engine.domain.advice import BlockTimeAdvice, GasAdvice, InclusionAdvice, TipAdvice
from engine.domain.block_facts import BlockFact, Swap
from tests.agents.worlds import block, end, heard, on_chain, priced, swap

COSTS = gas_costs(CostRow(chain="base", name="costs", agent="tester", kind="gas_trend"))
TIMES = block_timing(
    TimingRow(chain="base", name="times", agent="tester", kind="block_time", has_rule=True)
)
QUICK_TIMES = block_timing(
    TimingRow(chain="arbitrum", name="times", agent="tester", kind="block_time", has_rule=False)
)
BOTS = competing_bots("base", "tester")


def _costs(log_costs: list[float]) -> Costs:
    learned = end(COSTS, on_chain(priced(log_costs, steps=2))).learned
    assert isinstance(learned, Costs)
    return learned


def _gas_advice(outcome: Outcome[Costs]) -> GasAdvice:
    (advice,) = [one.advice for one in outcome.found if isinstance(one.advice, GasAdvice)]
    return advice


def _pull(seed: int, size: int = 1_500, pull: float = 0.2) -> list[float]:
    """Make costs that are drawn back to their usual, by such a share each step."""
    chance, log = np.random.default_rng(seed), 1.0
    made = []
    for shock in chance.normal(scale=0.02, size=size).tolist():
        log += pull * (1.0 - log) + shock
        made.append(log)
    return made


# What a transaction costs when it lands.


def test_costs_that_wander_open_no_trend_and_no_restlessness() -> None:
    opened = 0
    for seed in range(12):
        chance = np.random.default_rng(seed)
        learned = _costs((1 + np.cumsum(chance.normal(scale=0.02, size=600))).tolist())
        opened += learned.trend_tells.is_open + learned.restless_tells.is_open

    assert opened <= 3  # 24 at 5 %: more than three come once in a hundred


def test_costs_drawn_back_to_the_usual_are_foretold_by_as_much_as_can_be() -> None:
    learned = _costs(_pull(1))

    assert learned.trend_tells.is_open
    # Of a pull k the changes' variance is 2 s^2 / (2 - k), that of what comes new s^2.
    assert learned.trend_tells.skill == pytest.approx(0.2 / 2, abs=0.05)


def test_restless_times_are_told_from_quiet_ones_and_the_bound_follows_them() -> None:
    chance = np.random.default_rng(2)
    scale = np.where((np.arange(2_000) // 100) % 2, 0.05, 0.005)
    learned = _costs((1 + np.cumsum(chance.normal(size=2_000) * scale)).tolist())

    assert learned.restless_tells.is_open
    assert learned.used.covered == pytest.approx(0.95, abs=0.02)


def test_the_advised_bound_holds_for_19_of_20_of_the_steps_to_come() -> None:
    costs = _pull(3, size=2_000)
    ratio = _gas_advice(end(COSTS, on_chain(priced(costs[:1_500], steps=2)))).ratio
    later = np.diff(costs[1_500:])

    assert np.mean(later <= np.log(ratio)) == pytest.approx(0.95, abs=0.04)
    assert ratio > 1


def test_no_later_block_changes_what_was_learned_before_it() -> None:
    costs = _pull(4, size=400)
    spoiled = [*costs[:300], *(5.0 for _ in range(100))]
    states = []
    for made in (costs, spoiled):
        going = COSTS.run(on_chain(priced(made, steps=2)), None, None)
        states.append([state for state in going if state.upto < 600])

    assert states[0] == states[1]
    assert states[0]


def test_what_comes_is_foretold_well_only_by_one_that_sees_it() -> None:
    """The judge can see a leak: shifted a step, the same signs foretell nearly all."""
    costs = _pull(5, size=600)
    honest, leaking = _costs(costs), Costs()
    for change in (100 * np.diff(costs)).tolist():
        leaking = _leak(leaking, change)

    assert leaking.trend_tells.skill > 0.9 > honest.trend_tells.skill


def _leak(state: Costs, change: float) -> Costs:
    return _learn(replace(state, signs=(change, 0.0, 0.0), unit=1.0), change)


def test_a_tip_got_into_nine_blocks_of_ten() -> None:
    chance = np.random.default_rng(6)
    tips = chance.exponential(size=2_000).tolist()
    outcome = end(COSTS, on_chain([block(n, tips_gwei=(tip, 9.0)) for n, tip in enumerate(tips)]))

    (advice,) = [one.advice for one in outcome.found if isinstance(one.advice, TipAdvice)]
    assert advice.tip_gwei == pytest.approx(-np.log(0.1), rel=0.2)


def test_bytes_count_in_what_a_transaction_costs() -> None:
    chance = np.random.default_rng(7)
    logs = np.cumsum(chance.normal(scale=0.02, size=400))
    blocks = [
        block(n, base_fee_gwei=1e-6, data_raw=int(1e15 * np.exp(logs[n]))) for n in range(400)
    ]
    outcome = end(COSTS, on_chain(blocks))

    assert _gas_advice(outcome).ratio > 1.01
    assert outcome.learned is not None
    assert outcome.learned.data_ratio == pytest.approx(1.0, abs=0.01)


def test_too_few_blocks_and_free_ones_advise_nothing() -> None:
    assert end(COSTS, on_chain([])).found == ()
    assert end(COSTS, on_chain([block(n) for n in range(500)])).found == ()
    assert end(COSTS, on_chain(priced([1.0] * 20, steps=2))).found == ()


# When blocks come.


def _timing(blocks: list[BlockFact]) -> tuple[BlockTimeAdvice, Timing]:
    outcome = end(TIMES, on_chain(blocks))
    (advice,) = [one.advice for one in outcome.found if isinstance(one.advice, BlockTimeAdvice)]
    assert isinstance(outcome.learned, Timing)
    return advice, outcome.learned


def test_a_beat_with_jitter_is_found_with_its_delay() -> None:
    chance = np.random.default_rng(1)
    beats = np.arange(600) * 2_000.0 + chance.normal(scale=40, size=600)

    advice, learned = _timing(heard(beats.tolist(), block_ms=2_000, late_ms=300))

    assert learned.beat_tells.is_open
    assert advice.block_ms == pytest.approx(2_000)
    assert advice.heard_ms == pytest.approx(300, abs=15)
    assert advice.jitter_ms == pytest.approx(40, rel=0.2)


def test_blocks_each_so_long_after_the_last_have_no_beat() -> None:
    opened = 0
    for seed in range(12):
        chance = np.random.default_rng(seed)
        apart = np.cumsum(2_000 + chance.normal(scale=40, size=400))
        _, learned = _timing(heard(apart.tolist(), block_ms=2_000, late_ms=300))
        opened += learned.beat_tells.is_open

    assert opened <= 2


def test_four_blocks_a_second_are_timed_by_a_clock_of_whole_seconds() -> None:
    chance = np.random.default_rng(2)
    beats = np.arange(1_200) * 250.0 + chance.normal(scale=10, size=1_200)
    outcome = end(
        QUICK_TIMES, on_chain(heard(beats.tolist(), block_ms=250, late_ms=80), "arbitrum")
    )

    (advice,) = [one.advice for one in outcome.found]
    assert isinstance(advice, BlockTimeAdvice)
    assert advice.block_ms == pytest.approx(250, rel=0.01)
    assert advice.heard_ms == pytest.approx(80, abs=140)  # half a block either way
    assert advice.jitter_ms == pytest.approx(10, rel=0.3)


def test_late_blocks_are_counted_and_a_stop_is_no_time_between_blocks() -> None:
    made = np.cumsum([2, *[2, 2, 2, 4] * 60, 3_600, *[2] * 100])
    blocks = [
        block(n, made_at_ns=int(at) * 10**9, heard_at_ns=int(at) * 10**9 + 10**8)
        for n, at in enumerate(made.tolist())
    ]

    advice, learned = _timing(blocks)

    assert (learned.made, learned.late) == (340, 60)
    assert advice.block_ms == 2_000


def test_the_rule_of_the_base_fee_is_told_from_blocks_alone() -> None:
    chance = np.random.default_rng(3)
    fee, blocks = 1.0, []
    for n, full in enumerate(chance.uniform(0, 0.4, size=300).tolist()):
        blocks.append(block(n, base_fee_gwei=fee, gas_used=int(full * 1e9), gas_limit=10**9))
        fee *= 1 + (full * 6 - 1) / 250

    (found,) = end(TIMES, on_chain(blocks)).found

    assert found.kind == "fee_rule"
    assert found.figures["denominator"] == pytest.approx(250)
    assert found.figures["elasticity"] == pytest.approx(6)
    assert found.figures["explained_ratio"] == pytest.approx(1)


# Who else takes what opens.


def _arbitrage(n: int, gain_usdc: float, *, who: str = "0xbot") -> tuple[Swap, ...]:
    """Make a flash swap's two trades, whose events stand backwards."""
    return (
        swap(f"a{n}", "p2", "ETH USDC", (1.0, 1_000 + gain_usdc), sender=who, index=10),
        swap(f"a{n}", "p1", "USDC ETH", (1_000, 1.0), sender=who, index=11, usd=1_000.0),
    )


def _opener(n: int) -> Swap:
    return swap(f"o{n}", "p1", "ETH USDC", (3.0, 2_990.0), sender="0xuser", index=1)


def test_a_cycle_is_a_take_in_any_order_of_its_events_and_a_loss_is_none() -> None:
    assert gains_of(_arbitrage(1, 5.0)) == pytest.approx({"USDC": 5.0})
    assert gains_of(reversed(_arbitrage(1, 5.0))) == pytest.approx({"USDC": 5.0})
    assert gains_of(_arbitrage(1, -5.0)) == {}
    assert gains_of([_opener(1)]) == {}


def test_pairs_are_named_as_opportunities_name_theirs() -> None:
    assert MONEY == COUNTED_IN
    assert pair_of("USDC", "ETH") == pair_of("ETH", "USDC") == "ETH-USDC"
    assert pair_of("ETH", "CAT") == "CAT-ETH"


def test_a_route_of_a_trader_through_two_pools_is_no_take() -> None:
    hops = (
        swap("t", "p1", "USDC ETH", (1_000, 1.0), index=1),
        swap("t", "p2", "ETH DAI", (1.0, 1_001.0), index=2),
    )

    found, openers = takes_in(block(7, swaps=hops), {})

    assert found == []
    assert openers == {"p1": 7, "p2": 7}


def test_a_take_is_of_what_somebody_else_opened_in_one_of_its_pools() -> None:
    _, openers = takes_in(block(3, swaps=(_opener(3),)), {})
    (take,), after = takes_in(block(5, swaps=_arbitrage(5, 5.0)), openers)
    (again,), _ = takes_in(block(6, swaps=_arbitrage(6, 5.0)), after)

    assert (take.blocks, take.who) == (2, "0xbot")
    assert take.gain_usd == pytest.approx(5)
    assert again.blocks == -1


def _taken(seed: int, shares: tuple[float, float], size: int = 700) -> list[BlockFact]:
    """Make blocks in which opportunities open and are taken with such chances a block."""
    chance, blocks, n = np.random.default_rng(seed), [], 0
    for case in range(size):
        rich = case % 2
        lasts = int(chance.geometric(shares[rich]))
        who = "0xfast" if chance.random() < 0.8 else f"0x{case}"
        blocks.append(block(n, swaps=(_opener(n),)))
        blocks += [block(n + at) for at in range(1, lasts)]
        blocks.append(block(n + lasts, swaps=_arbitrage(n, (0.5, 5.0)[rich], who=who)))
        n += lasts + 1
    return blocks


def _rivals(blocks: list[BlockFact]) -> tuple[InclusionAdvice, Outcome[Rivals]]:
    outcome = end(BOTS, on_chain(blocks))
    (advice,) = [one.advice for one in outcome.found if one.advice]
    assert isinstance(advice, InclusionAdvice)
    return advice, outcome


def test_how_long_opportunities_last_is_found_by_what_they_are_worth() -> None:
    advice, outcome = _rivals(_taken(1, (0.3, 0.8)))

    assert [advice.ratio(0.5, n) for n in (1, 2, 3)] == pytest.approx([0.7, 0.49, 0.34], abs=0.06)
    assert [advice.ratio(5.0, n) for n in (1, 2, 3)] == pytest.approx([0.2, 0.04, 0.01], abs=0.06)
    assert outcome.found[1].subject == "base 0xfast"
    assert outcome.found[1].figures["share_ratio"] == pytest.approx(0.8, abs=0.06)


def test_worth_that_tells_nothing_is_not_told_apart() -> None:
    opened = 0
    for seed in range(8):
        advice, _ = _rivals(_taken(seed, (0.5, 0.5), size=150))
        opened += len(advice.ratios) > 1

    assert opened <= 2


def test_blocks_that_were_missed_open_nothing_and_a_run_goes_on_where_the_last_ended() -> None:
    blocks = _taken(2, (0.3, 0.8), size=60)
    whole = end(BOTS, on_chain(blocks))
    first = end(BOTS, on_chain(blocks[:50]))
    then = end(BOTS, on_chain(blocks), first.learned)
    gap = end(BOTS, on_chain([block(1, swaps=(_opener(1),)), block(3, swaps=_arbitrage(3, 5.0))]))

    assert then.learned == whole.learned
    assert gap.learned is not None
    assert (gap.learned.takes, gap.learned.unopened, gap.learned.gaps) == (1, 1, 1)


def test_few_own_cases_advise_nothing() -> None:
    assert end(BOTS, on_chain(_taken(3, (0.3, 0.8), size=20))).found == ()


def test_a_chain_without_blocks_yet_is_no_fault() -> None:
    for task in (COSTS, TIMES, BOTS):
        assert end(task, on_chain([])).found == ()


def test_a_chain_that_starts_again_is_learned_from_and_a_branch_of_it_is_not_twice() -> None:
    blocks = _taken(2, (0.3, 0.8), size=60)
    first = end(BOTS, on_chain(blocks))
    branch = end(BOTS, on_chain(blocks[:-10]), first.learned)
    anew = end(BOTS, on_chain(blocks[:60]), first.learned)

    assert branch.learned == first.learned
    assert anew.measured["takes"] > first.measured["takes"]
    for task in (COSTS, TIMES):
        learned = end(task, on_chain(priced(_pull(1, size=400)))).learned
        again = end(task, on_chain(priced(_pull(2, size=200))), learned).learned
        assert learned is not None
        assert again is not None
        assert (learned.upto, again.upto) == (399, 199)


def test_absurd_blocks_end_no_run_and_advise_within_what_advice_may_say() -> None:
    absurd = [
        block(
            n,
            made_at_ns=n,
            heard_at_ns=2**62 + n % 7 * 10**15,
            base_fee_gwei=10.0 ** (n % 13 - 6),
            tips_gwei=(1e6,),
            gas_used=2**40,
            gas_limit=1,
            data_raw=10 ** (n % 22),
            swaps=(swap("t", "p", "ETH ETH", (0.0, 1e300), usd=1e-300),) * 3,
        )
        for n in range(600)
    ]

    for task in (COSTS, TIMES, BOTS):
        outcome = end(task, on_chain(absurd))
        assert all(0 <= one.score <= 1 for one in outcome.found)
