"""What each task of the list may be given: a little world with something to find in it, by seed."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from engine.agents.task_list import TASKS
from engine.background.ports import Discovery, Given, Task, Want
from engine.background.wants import (
    Blocks,
    BlocksGiven,
    Executions,
    ExecutionsGiven,
    History,
    HistoryGiven,
    InForce,
    InForceGiven,
    Limits,
    LimitsGiven,
    Opportunities,
    OpportunitiesGiven,
    Pools,
    PoolsGiven,
    PricesGiven,
    PricesNow,
    Races,
    RacesGiven,
    Trials,
    TrialsGiven,
)
from engine.domain.advice import InclusionAdvice
from engine.domain.block_facts import BlockFact, Swap, Wait
from engine.domain.trials import Trial
from engine.domain.units import NS_PER_MINUTE, NS_PER_MS, NS_PER_S
from tests.agents.worlds import START_NS, block, given, swap

TOKENS: Final = ("ETH", "USDC", "DAI", "BTC", "CAT", "DOG", "OWL")
_PAIRS: Final = ("ETH-USD", "BTC-USD", "DOG-USD")


def sample_given(task: Task[Any], seed: int, *, size: int = 400) -> Given:
    """Make what a run of a task is given, with about so many rows of everything.

    What a greater seed makes comes after it: blocks and trades that were not seen yet.
    """
    chance = np.random.default_rng(seed)
    answers: dict[Want[Any], object] = {
        want: _answer(want, chance, seed * size, size) for want in task.wants
    }
    return given(answers, seed=seed, at_ns=START_NS + (seed + 1) * size * NS_PER_MINUTE)


def _answer(want: Want[Any], chance: np.random.Generator, first: int, size: int) -> object:
    made: dict[type, Callable[[], object]] = {
        Blocks: lambda: BlocksGiven(blocks=_blocks(chance, first, size)),
        Pools: lambda: _pools(chance),
        Executions: lambda: _executions(chance, first, size),
        Races: lambda: _races(chance, first, size),
        PricesNow: lambda: _prices(chance),
        Trials: lambda: _trials(chance, first, size),
        Limits: lambda: LimitsGiven(values={"net_edge_bps_min": 10.0}),
        Opportunities: OpportunitiesGiven,
        History: lambda: _history(size),
        InForce: _in_force,
    }
    return made[type(want)]()


def _blocks(chance: np.random.Generator, first: int, size: int) -> tuple[BlockFact, ...]:
    fees = np.exp(np.cumsum(chance.normal(scale=0.02, size=size)))
    late_ms = 300 + chance.normal(scale=20, size=size)
    return tuple(
        block(
            first + n,
            heard_at_ns=START_NS + (first + n) * 2 * NS_PER_S + int(late_ms[n]) * NS_PER_MS,
            base_fee_gwei=float(fees[n]),
            tips_gwei=(float(chance.exponential()),),
            gas_used=int(chance.integers(100)),
            gas_limit=100,
            data_raw=10**12 + (first + n) // 30 * 10**11,
            swaps=_trades(chance, first + n),
            told_at_ns=START_NS + (first + n) * 2 * NS_PER_S,
            waits=_waits(chance, first + n),
        )
        for n in range(size)
    )


def _trades(chance: np.random.Generator, n: int) -> tuple[Swap, ...]:
    """Make a trade that opens something in most blocks, and one that takes it in some."""
    opener = swap(f"o{n}", f"0x{chance.integers(4)}", "ETH USDC", (1.0, 999.0), index=0)
    gain = float(chance.exponential())
    take = (
        swap(f"a{n}", "0x0", "USDC ETH", (1_000.0, 1.0), index=1, sender="0xbot", usd=1_000.0),
        swap(f"a{n}", "0x1", "ETH USDC", (1.0, 1_000.0 + gain), index=2, sender="0xbot"),
    )
    return (opener, *(take if chance.random() < 0.4 else ()))


def _waits(chance: np.random.Generator, n: int) -> tuple[Wait, ...]:
    """Make a transaction in some blocks that was heard before, at once where it tipped much."""
    tip_gwei = float(chance.exponential())
    blocks = 0.5 if tip_gwei > 1 else 1.5
    heard_at_ns = START_NS + int((n - blocks) * 2 * NS_PER_S)
    return (Wait(heard_at_ns=heard_at_ns, tip_gwei=tip_gwei),) if chance.random() < 0.5 else ()


def _pools(chance: np.random.Generator) -> PoolsGiven:
    """Make a pool of each couple, some of them at two DEXs, some not followed."""
    values = chance.normal(size=len(TOKENS)).tolist()
    couples = [(a, b) for a in range(len(TOKENS)) for b in range(a)]
    rows = [*couples, *couples[:5]]
    off = chance.normal(scale=2e-3, size=len(rows)).tolist()
    is_followed = [at != len(rows) - 1 for at in range(len(rows))]
    dexes = ["one"] * len(couples) + ["two"] * 5
    return PoolsGiven(
        dex=dexes,
        venue=[f"{dex}@base" for dex in dexes],
        place=[f"{TOKENS[a]}-{TOKENS[b]} {at}" for at, (a, b) in enumerate(rows)],
        address=[f"0x{at}" for at in range(len(rows))],
        tokens=[(TOKENS[a], TOKENS[b]) for a, b in rows],
        fee_bps=[10.0] * len(rows),
        usd=chance.uniform(1e4, 1e6, size=len(rows)).tolist(),
        is_followed=is_followed,
        log_rates=[
            (
                (TOKENS[a], TOKENS[b], values[a] - values[b] + off[at] - 1e-3),
                (TOKENS[b], TOKENS[a], values[b] - values[a] - off[at] - 1e-3),
            )
            if is_followed[at]
            else ()
            for at, (a, b) in enumerate(rows)
        ],
    )


def _trials(chance: np.random.Generator, first: int, size: int) -> TrialsGiven:
    """Make trials of three shapes, by two lenders; one fails now and then, some are too old."""
    shapes = ("uniswap_v2 > uniswap_v3", "uniswap_v3 > curve", "uniswap_v4 > uniswap_v2")
    made = []
    for n in range(first, first + min(size, 60)):
        shape = shapes[n % 3]
        fails = shape == shapes[2] and chance.random() < 0.4
        for lender, more in (("first_hop", 0), ("aave_v3", 60_000)):
            made.append(
                Trial(
                    chain="base",
                    shape=shape,
                    lender=lender,
                    is_used=not more,
                    plan_id=f"p{n}",
                    block=n,
                    gas=int(chance.normal(230_000, 9_000)) + more,
                    planned_gas=210_000,
                    call_bytes=300 + more // 1_000,
                    why="it reverts: CallbackMissing(0x01)" if fails else "",
                    head_why="it reverts: CallbackMissing(0x01)" if fails else "",
                    is_at_head_alone=not more and n % 5 == 0,
                )
            )
    return TrialsGiven(trials=tuple(made))


def _executions(chance: np.random.Generator, first: int, size: int) -> ExecutionsGiven:
    pairs = [_PAIRS[at] for at in chance.integers(len(_PAIRS), size=size).tolist()]
    edges = chance.uniform(10, 40, size=size).tolist()
    gains = [
        float(chance.normal(loc=-2.0 if pair == "DOG-USD" or edge < 12 else 2.0))
        for pair, edge in zip(pairs, edges, strict=True)
    ]
    return ExecutionsGiven(
        closed_at_ns=[START_NS + (first + at) * NS_PER_MINUTE for at in range(size)],
        pair=pairs,
        venues=[("a", "b")] * size,
        legs=[2] * size,
        net_edge_bps=edges,
        expected_usd=[2.0] * size,
        realised_usd=gains,
        outcome=["traded"] * size,
    )


def _races(chance: np.random.Generator, first: int, size: int) -> RacesGiven:
    """Make a transaction of ours each tenth block, which lands in the next one."""
    numbers = range(first + 10, first + size, 10)
    decided_at_ns = [START_NS + number * 2 * NS_PER_S + 900 * NS_PER_MS for number in numbers]
    return RacesGiven(
        decided_at_ns=decided_at_ns,
        ended_at_ns=[at_ns + 3 * NS_PER_S for at_ns in decided_at_ns],
        profit_usd=[1.0] * len(numbers),
        block=[number + 1 for number in numbers],
        came=(chance.random(len(numbers)) < 0.7).tolist(),
    )


def _prices(chance: np.random.Generator) -> PricesGiven:
    rows = [(pair, chain) for pair in _PAIRS for chain in ("", "", "polygon", "base")]
    mids = chance.uniform(99, 101, size=len(rows)).tolist()
    return PricesGiven(
        at_ns=START_NS,
        venue=[chain or "book" for _, chain in rows],
        place=[pair for pair, _ in rows],
        base=[pair.split("-")[0] for pair, _ in rows],
        quote=["USD"] * len(rows),
        chain=[chain for _, chain in rows],
        bid=[mid - 0.1 for mid in mids],
        ask=[mid + 0.1 for mid in mids],
        bid_size=[1.0] * len(rows),
        ask_size=[2.0] * len(rows),
    )


def _history(size: int) -> HistoryGiven:
    ran = [TASKS[at % len(TASKS)] for at in range(size)]
    return HistoryGiven(
        task=[task.name for task in ran],
        agent=[task.agent for task in ran],
        began_at_ns=[START_NS + at * NS_PER_S for at in range(size)],
        wall_s=[1.0] * size,
        cpu_s=[0.5] * size,
        held_s=[0.0] * size,
        ended=["done"] * size,
        found=[1] * size,
    )


def _in_force() -> InForceGiven:
    known = tuple(
        Discovery(
            kind="inclusion",
            subject=chain,
            says=f"{chain} is quick",
            figures={"still_there_ratio": 0.3},
            score=0.5,
            holds_s=60.0,
            advice=InclusionAdvice(chain=chain, edges_usd=(0.0,), ratios=((0.3, 0.2),)),
        )
        for chain in ("arbitrum", "base")
    )
    return InForceGiven(
        discoveries=known,
        at_ns=[START_NS] * 2,
        task=["arbitrum_competing_bots", "base_competing_bots"],
        agent=["arbitrum_spotter", "base_analyst"],
        effect_usd_hour=[1.5, float("nan")],
    )
