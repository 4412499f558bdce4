"""Pools of a chain as research is given them: those that are followed, and others beside them."""

import asyncio
from collections.abc import Iterator
from typing import Final

from engine.bus.chain_reports import PoolRates
from engine.chains.following.rates import log_rates
from engine.domain.assets import AssetCode
from engine.wiring.one_chain import OneChain

AT_ONCE: Final = 20
USD_LEAST: Final = 1_000.0
"""With less in it a pool that is not followed is no news."""

OTHERS_MAX: Final = 2_000


async def pool_rates(one: OneChain) -> list[PoolRates]:
    """Return the pools of a chain; others get their turn in between."""
    pools = []
    for number, choice in enumerate([] if one.choice is None else one.choice.chosen):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        pool = choice.pool
        followed = one.machine.pools.of.get(pool.address)
        held = None if followed is None else followed.held
        pools.append(
            PoolRates(
                dex=choice.dex.name,
                venue=pool.venue,
                place=f"{'-'.join(pool.assets)} {pool.fee_text}",
                address=pool.address,
                tokens=tuple(map(str, pool.assets)),
                fee_bps=float(pool.fee_ratio) * 10_000,
                usd=choice.worth_usd,
                is_followed=followed is not None,
                log_rates=() if held is None else log_rates(held),
            )
        )
    known = {pool.address for pool in pools}
    return [*pools, *(pool for pool in _others(one) if pool.address not in known)]


def _others(one: OneChain) -> Iterator[PoolRates]:
    """Give pools that are not followed though all of their tokens are in pools that are."""
    if one.discovery is None:
        return
    assets: dict[str, AssetCode] = {}
    for followed in one.machine.pools.of.values():
        assets.update(zip(followed.pool.token_addresses, followed.pool.assets, strict=False))
    for found, worth_usd in one.discovery.known(USD_LEAST, most=OTHERS_MAX):
        tokens = tuple(str(assets[token]) for token in found.tokens if token in assets)
        if not tokens or len(tokens) != len(found.tokens):
            continue
        yield PoolRates(
            dex=found.dex.name,
            venue=f"{found.dex.protocol}@{one.machine.name}",
            place="",
            address=found.address,
            tokens=tokens,
            fee_bps=found.fee_pips / 100,
            usd=worth_usd,
            is_followed=False,
            log_rates=(),
        )
