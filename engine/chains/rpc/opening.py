"""Opens the providers of a chain: checked before they are asked anything, watched from then on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from engine.chains.rpc.addresses import Access
from engine.chains.rpc.links import LinkLimits, Way
from engine.chains.rpc.pool import ProviderPool
from engine.chains.rpc.pool_limits import PoolLimits
from engine.chains.rpc.pulse import Pulse

FIRST_S: Final = 2.0
"""So long is waited for the first answers of all; whoever is slower joins later."""

_SILENT_BLOCKS: Final = 20
_SILENT_S_MIN: Final = 5.0
_LATE_S: Final = 3
"""A provider may lack the blocks of so long."""


def limits_for(block_ms: int) -> PoolLimits:
    """Return the limits for a chain whose blocks are this far apart."""
    block_s = block_ms / 1_000
    return PoolLimits(
        lag_max=max(2, round(_LATE_S / block_s)),
        poll_s=min(max(block_s / 2, 0.2), 2.0),
        links=LinkLimits(head_silence_s=max(_SILENT_S_MIN, _SILENT_BLOCKS * block_s)),
    )


def _nobody(_name: str, _why: str) -> None:
    """Tell nobody."""


@asynccontextmanager
async def open_providers(
    accesses: Sequence[Access],
    way: Way,
    *,
    chain_id: int,
    block_ms: int,
    limits: PoolLimits | None = None,
    rates: Mapping[str, float] | None = None,
    tell: Callable[[str, str], None] = _nobody,
) -> AsyncIterator[ProviderPool]:
    """Open the providers of one chain for the block, and watch them meanwhile.

    A provider that cannot be reached is asked again; one of another chain is refused.

    Args:
        accesses: may be replaced later with `ProviderPool.use`.
        way: how the machine is left.
        chain_id: what each has to call itself.
        block_ms: time between two blocks.
        limits: those of `limits_for` if not named.
        rates: units per second of dearer keys, by host.
        tell: takes the name of a provider that was caught at a lie, and at which.
    """
    limits = limits or limits_for(block_ms)
    pool = ProviderPool(chain_id, way, limits, rates=rates or {}, tell=tell)
    await pool.use(accesses)
    pulse = Pulse(pool, block_ms=block_ms)
    watch = asyncio.create_task(pulse.run())
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_S):
                await pulse.has_beaten.wait()
        yield pool
    finally:
        if watch.done():
            watch.result()
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await pool.use([])
