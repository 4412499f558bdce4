"""Paths that the live screening does not look at: longer cycles, and pools that are not followed.

The live screening is complete for its number of legs over all that is followed: nothing is to be
found there. Two things lie beyond. Cycles of five legs through one chain's pools that gain at the
margin right now: the engine is to size these. And pools that are not followed between two assets
that are: each makes new cycles with the pools that are there. A pool that was advised is kept only
if opportunities went through it since; one that brought none is not advised again.
"""

from collections.abc import Generator
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.long_cycles import Cycle, Edge, Graph, cycles_from, graph_of
from engine.agents.learning.stepping import OF_GIVEN, through, told
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import Opportunities, OpportunitiesGiven, Pools, PoolsGiven
from engine.domain.advice import PathAdvice
from engine.domain.units import NS_PER_S

LEGS: Final = 5
POOLS: Final = 512
TOLD: Final = 8
"""Cycles, and pools, that are told a run."""

USD_MIN: Final = 1_000.0
"""A pool with less in it is not worth a place."""

TRIED_S: Final = 21_600
"""So long a pool that was advised may bring nothing."""

TRIED_MAX: Final = 256
HOLDS_S: Final = 7_200.0


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and what became of what was advised.

    Attributes:
        done: assets whose cycles were looked for in this run.
        cycles: found in this run, as (tokens, pools, log of the gain).
        cut: assets with too many ways to look at all.
        tried: since when each pool was advised, by address, ns.
        useless: pools that brought nothing while they were tried.
    """

    done: tuple[str, ...] = ()
    cycles: tuple[tuple[tuple[str, ...], tuple[str, ...], float], ...] = ()
    cut: int = 0
    tried: dict[str, int] = {}
    useless: tuple[str, ...] = ()


def edges_of(pools: PoolsGiven) -> list[Edge]:
    """Return both directions of each pool that is followed and live."""
    return [
        Edge(source=source, target=target, pool=address, gain=gain)
        for address, rates in zip(pools.address, pools.log_rates, strict=True)
        for source, target, gain in rates
    ]


def _search(graph: Graph, state: Paths, start: str) -> Paths:
    if start in state.done:
        return state
    found = cycles_from(graph, start, LEGS, 0.0)
    cycles = [*state.cycles, *((one.tokens, one.pools, one.gain) for one in found)]
    cycles.sort(key=lambda one: (-one[2], one[1]))
    return replace(
        state,
        done=(*state.done, start),
        cycles=tuple(cycles[:TOLD]),
        cut=state.cut + graph.is_cut,
    )


def _run(
    chain: str,
    wants: tuple[Pools, Opportunities],
    given: Given,
    held: Paths | None,
    learned: Paths | None,
) -> Generator[Paths, None, Outcome[Paths]]:
    pools = given.of(wants[0])
    state = held or replace(learned or Paths(), done=(), cycles=(), cut=0)
    graph = graph_of(edges_of(pools))
    state = yield from through(state, sorted(graph.out), partial(_search, graph), every=1)
    state = _judged(state, _brought(pools, given.of(wants[1])), given.at_ns)
    wanted = _wanted(pools, state)[:TOLD]
    state = _advised(state, [address for address, *_ in wanted], given.at_ns)
    cycles = [Cycle(tokens=one[0], pools=one[1], gain=one[2]) for one in state.cycles]
    return Outcome(
        found=(
            *(_cycle(chain, one) for one in cycles),
            *(_pool(chain, *one) for one in wanted),
        ),
        learned=replace(state, done=(), cycles=()),
        measured={
            "assets": float(len(graph.out)),
            "cycles": float(len(cycles)),
            "cut": float(state.cut),
            "wanted": float(len(wanted)),
            "useless": float(len(state.useless)),
        },
    )


def _brought(pools: PoolsGiven, seen: OpportunitiesGiven) -> set[str]:
    """Return the pools that opportunities went through, by address."""
    addresses = dict(zip(zip(pools.venue, pools.place, strict=True), pools.address, strict=True))
    hops = {
        hop
        for venues, places in zip(seen.venues, seen.places, strict=True)
        for hop in zip(venues, places, strict=False)
    }
    return {addresses[hop] for hop in hops if hop in addresses}


def _judged(state: Paths, brought: set[str], at_ns: int) -> Paths:
    """Let go of pools that were tried for long and brought nothing; keep who brought something."""
    late = [
        pool
        for pool, since_ns in state.tried.items()
        if pool not in brought and at_ns - since_ns > TRIED_S * NS_PER_S
    ]
    tried = {pool: since for pool, since in state.tried.items() if pool not in late}
    return replace(state, tried=tried, useless=(*state.useless, *late)[-TRIED_MAX:])


def _wanted(pools: PoolsGiven, state: Paths) -> list[tuple[str, str, tuple[str, str], float]]:
    """Return pools to be followed: address, the followed one beside it, assets, USD in it."""
    beside: dict[tuple[str, ...], str] = {}
    rows = list(zip(pools.address, pools.tokens, pools.usd, pools.is_followed, strict=True))
    for address, tokens, _, is_followed in sorted(rows, key=lambda row: (row[2], row[0])):
        if is_followed and len(tokens) == 2:  # noqa: PLR2004 # a pair
            beside[tuple(sorted(tokens))] = address
    wanted = [
        (address, beside[tuple(sorted(tokens))], (tokens[0], tokens[1]), usd)
        for address, tokens, usd, is_followed in rows
        if not (is_followed or address in state.useless)
        and len(tokens) == 2  # noqa: PLR2004 # a pair
        and tuple(sorted(tokens)) in beside
        and usd >= USD_MIN
    ]
    return sorted(wanted, key=lambda one: (-one[3], one[0]))


def _advised(state: Paths, addresses: list[str], at_ns: int) -> Paths:
    tried = dict(state.tried)
    for address in addresses:
        tried.setdefault(address, at_ns)
    newest = sorted(tried.items(), key=lambda item: item[1])[-TRIED_MAX:]
    return replace(state, tried=dict(newest))


def _cycle(chain: str, cycle: Cycle) -> Discovery:
    way = " > ".join((*cycle.tokens, cycle.tokens[0]))
    return Discovery(
        kind="new_path",
        subject=f"{chain} {' '.join(pool[-8:] for pool in cycle.pools)}",
        says=f"{len(cycle.pools)} legs on {chain} gain at the margin: {way}"[:300],
        figures={"edge_bps": told(cycle.gain * 1e4), "legs": float(len(cycle.pools))},
        score=0.5,
        holds_s=HOLDS_S,
        evidence=cycle.pools,
        advice=PathAdvice(chain=chain, tokens=cycle.tokens, pools=cycle.pools),
    )


def _pool(chain: str, address: str, beside: str, tokens: tuple[str, str], usd: float) -> Discovery:
    pair = "-".join(tokens)
    return Discovery(
        kind="new_pool",
        subject=f"{chain} {address}"[:100],
        says=f"a pool of {pair} on {chain} with {told(usd, 2):,.0f} USD in it is not followed",
        figures={"pool_usd": told(usd, 2)},
        score=0.2,
        holds_s=HOLDS_S,
        evidence=(address, beside),
        advice=PathAdvice(chain=chain, tokens=tokens, pools=(address, beside)),
    )


def path_discovery(chain: str) -> Task[Paths]:
    """Make the task of a chain."""
    wants = (Pools(chain=chain, limit=POOLS), Opportunities(hours=6, limit=2_000))
    return Task(
        name=f"{chain}_path_discovery",
        agent="coordinator",
        does=f"finds paths on {chain} that the live screening does not look at",
        state=Paths,
        run=partial(_run, chain, wants),
        wants=wants,
        bounds=OF_GIVEN,
        every_s=3_600.0,
        priority=Priority.LOW,
    )
