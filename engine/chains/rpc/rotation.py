"""Keys that are replaced while everything goes on."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from engine.chains.rpc.key_file import KeyFile
from engine.chains.rpc.pool import ProviderPool

log: Final = logging.getLogger(__name__)

LOOK_S: Final = 2.0


async def rotate_keys(
    file: KeyFile, pool_of: Callable[[str], ProviderPool | None], *, look_s: float = LOOK_S
) -> None:
    """Give pools the providers that a file names, whenever it has changed, until cancelled.

    A chain that it does not name any more goes on with those that it had: a slip in a file is no
    reason to lose one.

    Args:
        file: what the setting names.
        pool_of: returns a chain's pool, None if it is not followed.
        look_s: how often to look.
    """
    while True:
        await asyncio.sleep(look_s)
        if not file.changed():
            continue
        for chain, accesses in file.providers.items():
            pool = pool_of(chain)
            if pool is not None:
                await pool.use(accesses)
                log.info("%s: %d providers, as the file has them now", chain, len(accesses))
