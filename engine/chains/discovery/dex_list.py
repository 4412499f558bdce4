"""The one list of DEXs on live chains, by chain."""

from collections.abc import Mapping
from typing import Final

from engine.chains.discovery.tables import (
    arbitrum,
    base,
    bnb,
    ethereum,
    optimism,
    polygon,
    test_networks,
)
from engine.domain.dexes import Dex

DEXES: Final[Mapping[str, tuple[Dex, ...]]] = {
    "ethereum": ethereum.DEXES,
    "base": base.DEXES,
    "arbitrum": arbitrum.DEXES,
    "optimism": optimism.DEXES,
    "bnb": bnb.DEXES,
    "polygon": polygon.DEXES,
}


def dexes_of(network: str) -> tuple[Dex, ...]:
    """Return the DEXs of a chain or test network; none where none is known."""
    return DEXES.get(network, test_networks.DEXES.get(network, ()))
