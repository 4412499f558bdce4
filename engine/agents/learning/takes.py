"""Who took which opportunity in a block: trades that end with more than they began with.

A transaction through two pools or more in which every asset comes out even or better is an
arbitrage, in whatever order its events stand (a flash swap's stand backwards). What opened it is
the last trade before it, by somebody else, in one of its pools.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

import msgspec

from engine.domain.block_facts import BlockFact, Swap

EVEN: Final = 1e-9
"""Of what went through: amounts are floats."""

OPENERS_MAX: Final = 512


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """An opportunity that somebody took.

    Attributes:
        who: contract that traded; empty if no event says it.
        pairs: that it went through, named as opportunities name theirs.
        gain_usd: before gas; 0 if nobody knows.
        blocks: from what opened it until it was taken; -1 if that is not known.
    """

    who: str
    pools: tuple[str, ...]
    pairs: tuple[str, ...]
    gain_usd: float
    blocks: int


MONEY: Final = ("USD", "USDC", "USDT", "EUR", "GBP", "BTC", "ETH")
"""What gains are counted in where they can be, the best first: as the detector has it, which is not
loaded here."""

Openers = dict[str, int]
"""In which block each pool was traded last, by one who took nothing."""


def takes_in(block: BlockFact, openers: Mapping[str, int]) -> tuple[list[Take], Openers]:
    """Return what was taken in a block, and which trades may have opened what comes next."""
    last = dict(openers)
    worths = worths_usd(block.swaps)
    found: list[Take] = []
    ordered = sorted(block.swaps, key=lambda swap: swap.index)
    for _, group in groupby(ordered, key=lambda swap: swap.tx):
        swaps = tuple(group)
        pools = tuple(dict.fromkeys(swap.pool for swap in swaps))
        gains = gains_of(swaps) if len(pools) > 1 else {}
        if not gains:
            last.update(dict.fromkeys(pools, block.number))
            continue
        opened = max((last[pool] for pool in pools if pool in last), default=None)
        gain_usd = sum(worths.get(asset, 0.0) * gain for asset, gain in gains.items())
        blocks = -1 if opened is None else block.number - opened
        found.append(
            Take(
                who=_who(swaps),
                pools=pools,
                pairs=tuple(dict.fromkeys(pair_of(swap.source, swap.target) for swap in swaps)),
                gain_usd=gain_usd,
                blocks=blocks,
            )
        )
        for pool in pools:
            last.pop(pool, None)  # what was open there is taken
    return found, _newest(last)


def gains_of(swaps: Iterable[Swap]) -> dict[str, float]:
    """Return what trades of one transaction left over, by asset; nothing if one fell short."""
    flows: dict[str, float] = {}
    through: dict[str, float] = {}
    for swap in swaps:
        for asset, flow in ((swap.source, -swap.amount_in), (swap.target, swap.amount_out)):
            flows[asset] = flows.get(asset, 0.0) + flow
            through[asset] = max(through.get(asset, 0.0), abs(flow))
    if any(flow < -EVEN * through[asset] for asset, flow in flows.items()):
        return {}
    return {asset: flow for asset, flow in flows.items() if flow > EVEN * through[asset]}


def pair_of(one: str, other: str) -> str:
    """Return the name of a couple of assets: what counts best as money is its quote."""
    rank = {asset: at for at, asset in enumerate(MONEY)}
    quote, base = sorted((one, other), key=lambda asset: (rank.get(asset, len(MONEY)), asset))
    return f"{base}-{quote}"


def worths_usd(swaps: Iterable[Swap]) -> dict[str, float]:
    """Return what a unit of each asset is worth by the trades of a block that say it."""
    worths: dict[str, float] = {}
    for swap in swaps:
        if swap.usd > 0 and swap.amount_in > 0 and swap.amount_out > 0:
            worths.setdefault(swap.source, swap.usd / swap.amount_in)
            worths.setdefault(swap.target, swap.usd / swap.amount_out)
    return worths


def _who(swaps: tuple[Swap, ...]) -> str:
    senders = [swap.sender for swap in swaps if swap.sender]
    return max(senders, key=senders.count) if senders else ""


def _newest(openers: Openers) -> Openers:
    if len(openers) <= OPENERS_MAX:
        return openers
    newest = sorted(openers.items(), key=lambda item: item[1])[-OPENERS_MAX:]
    return dict(newest)
