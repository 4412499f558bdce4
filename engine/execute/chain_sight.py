"""What a paper transaction needs to know of its chain while it is under way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from engine.domain.chains import block_ms
from engine.execute.fork_word import NO_FORKS, ForkWord
from engine.market.gas_book import GasBook


def _no_head(_chain: str) -> int | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSight:
    """Chains by name, as they are now.

    Attributes:
        head_of: returns the number of a chain's newest block, None if its blocks are not known.
        block_ms_of: returns the time between two blocks.
        gas: prices as they are now; of a chain without one the price of the plan stands.
        forks: what forks say of transactions.
    """

    head_of: Callable[[str], int | None] = _no_head
    block_ms_of: Callable[[str], int] = block_ms
    gas: GasBook = field(default_factory=GasBook)
    forks: ForkWord = NO_FORKS


NO_CHAINS: Final = ChainSight()
