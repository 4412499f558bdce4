"""DEXs of test networks, as their makers deployed them; pools there hold coins worth nothing."""

from collections.abc import Mapping
from typing import Final

from engine.chains.discovery.tables import deployed
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

DEXES: Final[Mapping[str, tuple[Dex, ...]]] = {
    "sepolia": (
        Dex(
            name="Uniswap V2",
            chain="sepolia",
            protocol=Protocol.UNISWAP_V2,
            factory="0xf62c03e08ada871a0beb309762e260a7a6a880e6",
            init_code_hash=deployed.UNISWAP_V2_CODE,
            fee_pips=3_000,
        ),
        Dex(
            name="Uniswap V3",
            chain="sepolia",
            protocol=Protocol.UNISWAP_V3,
            factory="0x0227628f3f023bb0b980b67d528571c95c6dac1c",
            init_code_hash=deployed.UNISWAP_V3_CODE,
        ),
    ),
    "base-sepolia": (
        Dex(
            name="Uniswap V3",
            chain="base-sepolia",
            protocol=Protocol.UNISWAP_V3,
            factory="0x4752ba5dbc23f44d87826276bf6fd6b1c372ad24",
            init_code_hash=deployed.UNISWAP_V3_CODE,
        ),
    ),
}
