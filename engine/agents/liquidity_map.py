"""Where a chain's trades go, and where its liquidity is: which pools deserve to be followed.

From blocks: who was traded in. From the list of pools: what lies in them. A pool's share of the
trades of late foretells the next trade's pool, or what lies in the pools foretells it; each trade
judges both before it is learned from. Only while trades tell more do they weigh the pools. Beside
it stands the map: pairs with pools of several DEXs, how much lies in each, and how far their prices
are apart.
"""

import math
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.stepping import OF_GIVEN, begins_anew, through, told
from engine.agents.learning.wager import Wager
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import Blocks, Pools, PoolsGiven
from engine.domain.advice import WEIGHT_MAX, WEIGHT_MIN, PoolsAdvice
from engine.domain.block_facts import BlockFact

FORGETS: Final = 0.005
"""Share that each trade adds to its pool and takes from all: some hundreds count."""

POOLS_MAX: Final = 256
CASES_MIN: Final = 100
PAIRS_TOLD: Final = 5
HOLDS_S: Final = 3_600.0


class Flows(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of where trades go.

    Attributes:
        upto: number of the newest block that was looked at.
        shares: of trades, by pool; what is left to one is spread by what lies in the pools.
        unseen: share that no trade has told yet.
        trades: how many there were, each transaction once.
        tells: whether trades foretell the next one better than liquidity.
    """

    upto: int = -1
    shares: dict[str, float] = {}
    unseen: float = 1.0
    trades: int = 0
    tells: Wager = Wager()


def _liquid(pools: PoolsGiven) -> dict[str, float]:
    """Return the share of what lies in the followed pools that lies in each."""
    usd = {
        address: max(0.0, usd)
        for address, usd, is_followed in zip(
            pools.address, pools.usd, pools.is_followed, strict=True
        )
        if is_followed
    }
    whole = sum(usd.values())
    return {address: one / whole for address, one in usd.items()} if whole > 0 else {}


def _look(liquid: Mapping[str, float], state: Flows, block: BlockFact) -> Flows:
    if block.number <= state.upto:
        return state
    state = replace(state, upto=block.number)
    # Of each transaction the first pool: the others follow from it.
    firsts = {swap.tx: swap.pool for swap in reversed(block.swaps)}
    for pool in reversed(firsts.values()):
        if pool in liquid:
            state = _learn(liquid, state, pool)
    return state


def _learn(liquid: Mapping[str, float], state: Flows, pool: str) -> Flows:
    foretold = {
        address: state.shares.get(address, 0.0) + state.unseen * share
        for address, share in liquid.items()
    }
    kept = 1 - FORGETS
    shares = {address: share * kept for address, share in state.shares.items()}
    shares[pool] = shares.get(pool, 0.0) + FORGETS
    unseen = state.unseen * kept
    if len(shares) > POOLS_MAX:
        least = min(shares, key=lambda address: (shares[address], address))
        unseen += shares.pop(least)
    return replace(
        state,
        shares=shares,
        unseen=unseen,
        trades=state.trades + 1,
        tells=state.tells.judge_bounded(
            model_loss=_loss(foretold, pool), naive_loss=_loss(liquid, pool)
        ),
    )


def _loss(shares: Mapping[str, float], pool: str) -> float:
    """Return how wrong shares were of one that came, from 0 to 1: half of Brier's score."""
    return (sum(share**2 for share in shares.values()) - 2 * shares[pool] + 1) / 2


def _run(
    row: "Row",
    wants: tuple[Blocks, Pools],
    given: Given,
    held: Flows | None,
    learned: Flows | None,
) -> Generator[Flows, None, Outcome[Flows]]:
    pools = given.of(wants[1])
    liquid = _liquid(pools)
    blocks = given.of(wants[0]).blocks
    state = held or learned or Flows()
    if begins_anew(blocks, state.upto):
        state = replace(state, upto=-1)
    look = partial(_look, liquid)
    state = yield from through(state, blocks, look)
    return Outcome(
        found=(*_weights(row, state, pools), *_map(row, pools)),
        learned=state,
        measured={
            "pools": float(len(liquid)),
            "trades": float(state.trades),
            "skill_ratio": told(state.tells.skill),
        },
    )


def _weights(row: "Row", state: Flows, pools: PoolsGiven) -> tuple[Discovery, ...]:
    liquid = _liquid(pools)
    if not state.tells.is_open or state.trades < CASES_MIN:
        return ()
    weights = {
        pool: math.sqrt((state.shares.get(pool, 0.0) + state.unseen * share) / share)
        for pool, share in liquid.items()
        if share > 0
    }
    first = sorted(weights, key=lambda pool: (-state.shares.get(pool, 0.0), pool))[:POOLS_MAX]
    most = state.shares.get(first[0], 0.0)
    return (
        Discovery(
            kind="liquidity",
            subject=row.chain,
            says=f"trades on {row.chain} go elsewhere than liquidity lies: {most:.0%} of them go"
            f" to one pool of {len(liquid)}",
            figures={
                "skill_ratio": told(state.tells.skill, 2),
                "most_ratio": told(most, 2),
                "liquidity_usd": told(sum(usd for usd in pools.usd if usd > 0)),
                "trades": told(state.trades, 2),
                "pools": float(len(liquid)),
            },
            score=told(min(1.0, max(0.0, state.tells.skill)), 2),
            holds_s=HOLDS_S,
            evidence=(f"{state.trades} trades of {row.chain} up to block {state.upto}",),
            advice=PoolsAdvice(
                chain=row.chain,
                weights=tuple(
                    (pool, min(WEIGHT_MAX, max(WEIGHT_MIN, told(weights[pool], 2))))
                    for pool in first
                ),
            ),
        ),
    )


def _map(row: "Row", pools: PoolsGiven) -> tuple[Discovery, ...]:
    """Return the pairs that several DEXs of the chain have, those with most in them first."""
    places: dict[tuple[str, ...], list[int]] = {}
    for at, (tokens, is_followed) in enumerate(zip(pools.tokens, pools.is_followed, strict=True)):
        if is_followed and len(tokens) == 2:  # noqa: PLR2004 # a pair
            places.setdefault(tuple(sorted(tokens)), []).append(at)
    several = {pair: at for pair, at in places.items() if len({pools.dex[one] for one in at}) > 1}
    best = sorted(several, key=lambda pair: (-sum(pools.usd[at] for at in several[pair]), pair))
    return tuple(_pair(row, pair, pools, several[pair]) for pair in best[:PAIRS_TOLD])


def _pair(row: "Row", pair: tuple[str, ...], pools: PoolsGiven, places: list[int]) -> Discovery:
    usd = [pools.usd[at] for at in places]
    dexes = sorted({pools.dex[at] for at in places})
    figures = {
        "liquidity_usd": told(sum(usd)),
        "most_ratio": told(max(usd) / sum(usd), 2) if sum(usd) > 0 else 0.0,
        "pools": float(len(places)),
        "dexes": float(len(dexes)),
    }
    gap = gap_between([pools.log_rates[at] for at in places])
    if gap is not None:
        figures["gap_bps"] = told(gap * 1e4)
    return Discovery(
        kind="liquidity",
        subject=f"{row.chain} {'-'.join(pair)}"[:100],
        says=f"{'-'.join(pair)} on {row.chain}: {len(places)} pools of {', '.join(dexes)}"[:300],
        figures=figures,
        score=1.0,
        holds_s=HOLDS_S,
        evidence=tuple(pools.address[at] for at in places[:10]),
    )


def gap_between(places: Sequence[Sequence[tuple[str, str, float]]]) -> float | None:
    """Return the log of what is left of one asset sold at the best pool and bought at another.

    After all fees: below zero it costs something. None if no two pools have a rate.
    """
    gains = [
        there + back
        for at, rates in enumerate(places)
        for source, target, there in rates
        for other in (*places[:at], *places[at + 1 :])
        for back_source, back_target, back in other
        if (back_source, back_target) == (target, source)
    ]
    return max(gains, default=None)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A chain whose trades are mapped."""

    chain: str
    name: str
    agent: str
    every_s: float


def liquidity_map(row: Row) -> Task[Flows]:
    """Make the task of a chain."""
    wants = (Blocks(chain=row.chain, blocks=2_000), Pools(chain=row.chain, limit=POOLS_MAX))
    return Task(
        name=row.name,
        agent=row.agent,
        does=f"maps where trades of {row.chain} go and where its liquidity lies",
        state=Flows,
        run=partial(_run, row, wants),
        wants=wants,
        bounds=OF_GIVEN,
        every_s=row.every_s,
    )
