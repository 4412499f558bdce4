"""Chains by name: in what each is paid, at which price until somebody says another, its blocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError

NATIVE_ASSETS: Final[Mapping[str, AssetCode]] = {
    "ethereum": AssetCode("ETH"),
    "base": AssetCode("ETH"),
    "arbitrum": AssetCode("ETH"),
    "optimism": AssetCode("ETH"),
    "bnb": AssetCode("BNB"),
    "polygon": AssetCode("POL"),
}

GAS_PRICES_GWEI: Final[Mapping[str, Decimal]] = {"ethereum": Decimal(10)}
"""Assumed where the settings name no price. A chain without any has its pools in no route."""

_BLOCK_MS: Final[Mapping[str, int]] = {
    "ethereum": 12_000,
    "base": 2_000,
    "arbitrum": 250,
    "optimism": 2_000,
    "bnb": 750,
    "polygon": 2_000,
}


def block_ms(chain: str) -> int:
    """Return how long a transaction waits for its block at most, if the chain has room for it."""
    return _BLOCK_MS.get(chain, max(_BLOCK_MS.values()))


DEADLINE_BLOCKS: Final = 2
"""A transaction may land in the next block or in the one after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTerms:
    """How the blocks of a chain come.

    Attributes:
        stale_ms: its pools are stale without a new block for longer.
        undo_blocks: how many of the newest blocks can be undone by a reorganisation.
        block_ms: time between two of them, 0 if nobody says; headers of earlier versions do not.
    """

    stale_ms: int
    undo_blocks: int
    block_ms: int = 0

    def __post_init__(self) -> None:
        if self.stale_ms <= 0 or self.undo_blocks < 0:
            raise BadValueError(
                f"blocks are stale after {self.stale_ms} ms and {self.undo_blocks} can be undone;"
                " the first must be above 0, the second not below"
            )
