"""Keeps what gas costs on each chain told: read at a bounded pace, said when it changed notably.

It is said again well before it grows too old, and not at all when no answer may be used: then the
last word ages, and the engine lets it count no longer. A chain's nodes hold up no other chain.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.chains.gas.reader import GasReader, GasSeen
from engine.chains.ports import NodeError
from engine.domain.gas import GasPrice

_log = logging.getLogger(__name__)

REPEATS: Final = 3
"""A price is said so many times before it would be too old."""

PACE_S_MIN: Final = 3.0
BACKOFF_MAX: Final = 5
"""How many times slower a chain is asked whose nodes do not answer."""

_LEGS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTerms:
    """When gas is read and said.

    Attributes:
        stale_s: after that long a price counts no longer.
        notable_ratio: a price that changed by less is not said for that.
        answer_s: how long a reading may take.
    """

    stale_s: float
    notable_ratio: Decimal = Decimal("0.02")
    answer_s: float = 10.0


@dataclass(slots=True)
class GasSight:
    """What is known of a chain.

    Attributes:
        seen: newest reading that may be used.
        trouble: why there was none at the last try; empty if there was.
        failures: tries since the last reading; `failed` all there were.
    """

    seen: GasSeen | None = None
    trouble: str = ""
    failures: int = 0
    failed: int = 0
    told: GasPrice | None = None
    told_at_s: float = 0.0


class GasWatch:
    """Watches the gas of several chains.

    Attributes:
        sights: by chain.

    Args:
        readers: by chain.
        tell: takes what is said.
        paces_s: how long after a reading of a chain the next one is, about a block.
        clock_s: returns a time that only goes forward.
        see: is shown each reading, news or not.
    """

    def __init__(
        self,
        readers: Mapping[str, GasReader],
        tell: Callable[[str, GasPrice], None],
        terms: WatchTerms,
        *,
        paces_s: Mapping[str, float],
        clock_s: Callable[[], float],
        see: Callable[[GasSeen], None] | None = None,
    ) -> None:
        self.sights = {chain: GasSight() for chain in readers}
        self._readers = readers
        self._tell = tell
        self._terms = terms
        self._paces_s = paces_s
        self._clock_s = clock_s
        self._see = see

    async def run(self) -> None:
        """Read and say until cancelled."""
        async with asyncio.TaskGroup() as group:
            for chain in self._readers:
                group.create_task(self._follow(chain))

    async def read(self, chain: str) -> None:
        """Read a chain once, and say what it costs if that is news."""
        sight = self.sights[chain]
        try:
            async with asyncio.timeout(self._terms.answer_s):
                seen = await self._readers[chain].read()
        except (NodeError, TimeoutError) as error:
            sight.trouble = str(error) or f"no answer within {self._terms.answer_s:g} s"
            sight.failures += 1
            sight.failed += 1
            _log.info("gas of %s is not known: %s", chain, sight.trouble)
            return
        sight.seen, sight.trouble, sight.failures = seen, "", 0
        if self._see is not None:
            self._see(seen)
        now_s = self._clock_s()
        if self._is_news(sight, seen.price, now_s):
            sight.told, sight.told_at_s = seen.price, now_s
            self._tell(chain, seen.price)

    def pace_s(self, chain: str) -> float:
        """Return how long to wait before a chain is read again."""
        pace_s = max(self._paces_s[chain], PACE_S_MIN)
        return pace_s * min(1 + self.sights[chain].failures, BACKOFF_MAX)

    async def _follow(self, chain: str) -> None:
        while True:
            await self.read(chain)
            await asyncio.sleep(self.pace_s(chain))

    def _is_news(self, sight: GasSight, price: GasPrice, now_s: float) -> bool:
        told = sight.told
        if told is None or now_s - sight.told_at_s >= self._terms.stale_s / REPEATS:
            return True
        pairs = (
            (told.gwei, price.gwei),
            (Decimal(told.data_raw(_LEGS)), Decimal(price.data_raw(_LEGS))),
        )
        return any(abs(new - old) > self._terms.notable_ratio * old for old, new in pairs)
