"""DEXs of Polygon."""

from typing import Final

from engine.chains.discovery.tables import deployed
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

DEXES: Final = (
    Dex(
        name="Uniswap V2",
        chain="polygon",
        protocol=Protocol.UNISWAP_V2,
        factory="0x9e5a52f57b3038f1b8eee45f28b3c1967e22799c",
        init_code_hash=deployed.UNISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=49_000_000,
    ),
    Dex(
        name="Uniswap V3",
        chain="polygon",
        protocol=Protocol.UNISWAP_V3,
        factory="0x1f98431c8ad98523631ae4a59f267346ea31f984",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        first_block=22_700_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V4",
        chain="polygon",
        protocol=Protocol.UNISWAP_V4,
        factory="0x67366782805870060151383f4bbff9dab53e5cd6",
        first_block=66_900_000,
    ),
    Dex(
        name="SushiSwap V2",
        chain="polygon",
        protocol=Protocol.SUSHISWAP_V2,
        factory="0xc35dadb65012ec5796536bd9864ed8773abc74c4",
        init_code_hash=deployed.SUSHISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=11_000_000,
        is_proven=True,
    ),
    Dex(
        name="QuickSwap V2",
        chain="polygon",
        protocol=Protocol.QUICKSWAP_V2,
        factory="0x5757371414417b8c6caad45baef941abc7d3ab32",
        init_code_hash=deployed.UNISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=4_900_000,
        is_proven=True,
    ),
    Dex(
        name="QuickSwap V3",
        chain="polygon",
        protocol=Protocol.QUICKSWAP_V3,
        factory="0x411b0facc3489691f28ad58c47006af5e3ab3a28",
        deployer="0x2d98e2fa9da15aa6dc9581ab097ced7af697cb92",
        init_code_hash=deployed.QUICKSWAP_V3_CODE,
        first_block=32_600_000,
        is_proven=True,
    ),
    Dex(
        name="Balancer V2, weighted",
        chain="polygon",
        protocol=Protocol.BALANCER_WEIGHTED,
        factory=deployed.BALANCER_VAULT,
        first_block=15_800_000,
    ),
    Dex(
        name="Balancer V2, stable",
        chain="polygon",
        protocol=Protocol.BALANCER_STABLE,
        factory=deployed.BALANCER_VAULT,
        first_block=15_800_000,
    ),
    Dex(
        name="Curve",
        chain="polygon",
        protocol=Protocol.CURVE,
        factory="0x1764ee18e8b3cca4787249ceb249356192594585",
    ),
)
