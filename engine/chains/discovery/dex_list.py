"""The one list of DEXs on live chains, by chain."""

from collections.abc import Mapping
from typing import Final

from engine.chains.discovery.tables import arbitrum, base, bnb, ethereum, optimism, polygon
from engine.domain.dexes import Dex

DEXES: Final[Mapping[str, tuple[Dex, ...]]] = {
    "ethereum": ethereum.DEXES,
    "base": base.DEXES,
    "arbitrum": arbitrum.DEXES,
    "optimism": optimism.DEXES,
    "bnb": bnb.DEXES,
    "polygon": polygon.DEXES,
}
