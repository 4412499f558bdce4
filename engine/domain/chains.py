"""Chains by name: in what each is paid, and at which price as long as nobody says another."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode

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
