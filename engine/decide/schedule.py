"""When a transaction has to leave to make a block, as far as that is advised."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.domain.advice import BlockTimeAdvice
from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.plans import Schedule
from engine.domain.units import NS_PER_MS
from engine.market.advice_book import AdviceBook


def _nobody_knows(_chain: str) -> int | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """The blocks of chains, and what is advised of them.

    Attributes:
        head_of: returns the number of a chain's newest block.
        newest_at_ns: returns when it came.
    """

    advice: AdviceBook
    head_of: Callable[[str], int | None] = _nobody_knows
    newest_at_ns: Callable[[str], int | None] = _nobody_knows

    def of(self, chain: str, at_ns: int) -> Schedule | None:
        """Return for which block a transaction is that is decided on now; None if nobody knows."""
        if not self.advice.all:
            return None
        advised = self.advice.about(BlockTimeAdvice, chain)
        newest_at_ns = self.newest_at_ns(chain)
        if advised is None or newest_at_ns is None:
            return None
        block_ns = int(advised.block_ms * NS_PER_MS)
        within_ns = int(advised.send_within_ms * NS_PER_MS)
        passed = max(at_ns - newest_at_ns, 0) // block_ns  # blocks that are out by now, unheard of
        send_by_ns = newest_at_ns + passed * block_ns + within_ns
        if send_by_ns <= at_ns:
            passed, send_by_ns = passed + 1, send_by_ns + block_ns
        if passed >= DEADLINE_BLOCKS:
            return None  # it would be for a block behind its deadline: the chain is late
        head = self.head_of(chain)
        return Schedule(
            block=None if head is None else head + passed + 1,
            blocks=passed + 1,
            send_by_ns=send_by_ns,
        )
