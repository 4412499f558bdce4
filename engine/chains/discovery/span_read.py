"""What was read of a span of blocks: pools, what was refused, and what a factory's count says."""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from engine.chains.discovery.announcements import PAIR, SOLIDLY, SOLIDLY_V1, Announcement
from engine.chains.discovery.found import FoundPool, PoolRefusal
from engine.chains.discovery.pool_cache import key_of
from engine.chains.families.words import call_data, selector

COUNTS: Final[Mapping[Announcement, bytes]] = {
    PAIR: call_data(selector("allPairsLength()")),
    SOLIDLY_V1: call_data(selector("allPairsLength()")),
    SOLIDLY: call_data(selector("allPoolsLength()")),
}
"""How factories that count their pools are asked for how many these are."""


class Gap(NamedTuple):
    """Pools that a factory counted and did not tell, and the serial of the next that it told."""

    missing: int
    before: int


class SpanRead(NamedTuple):
    """What was read.

    Attributes:
        pools: that are new.
        refused: how many were told and are none to us, by reason.
        serials: of the last pool that each factory told, by its key.
        gaps: in what the factories told, by key.
    """

    pools: list[FoundPool]
    refused: Counter[PoolRefusal]
    serials: dict[str, int]
    gaps: dict[str, Gap]

    @property
    def is_odd(self) -> bool:
        """Whether a factory seems to have told what none of its make can."""
        return bool(self.refused[PoolRefusal.MALFORMED] or self.refused[PoolRefusal.ELSEWHERE])

    def take_serial(self, key: str, serial: int) -> None:
        """Take a pool's place among those of its factory, where that counts them."""
        if not serial:
            return
        before = self.serials[key]
        if before >= 0 and serial > before + 1:
            gap = self.gaps.get(key, Gap(0, serial))
            self.gaps[key] = gap._replace(missing=gap.missing + serial - before - 1)
        self.serials[key] = max(before, serial)


def is_same(one: FoundPool, other: FoundPool) -> bool:
    """Say whether two tellings are of one pool, whatever their blocks."""
    return (one.tokens, one.fee_pips, one.number, key_of(one.dex)) == (
        other.tokens,
        other.fee_pips,
        other.number,
        key_of(other.dex),
    )
