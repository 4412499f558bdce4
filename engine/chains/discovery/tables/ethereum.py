"""DEXs of Ethereum."""

from typing import Final

from engine.chains.discovery.tables import deployed
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

DEXES: Final = (
    Dex(
        name="Uniswap V2",
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        factory="0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f",
        init_code_hash=deployed.UNISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=10_000_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V3",
        chain="ethereum",
        protocol=Protocol.UNISWAP_V3,
        factory="0x1f98431c8ad98523631ae4a59f267346ea31f984",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        first_block=12_360_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V4",
        chain="ethereum",
        protocol=Protocol.UNISWAP_V4,
        factory="0x000000000004444c5dc75cb358380d2e3de08a90",
        first_block=21_680_000,
    ),
    Dex(
        name="SushiSwap V2",
        chain="ethereum",
        protocol=Protocol.SUSHISWAP_V2,
        factory="0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac",
        init_code_hash=deployed.SUSHISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=10_700_000,
        is_proven=True,
    ),
    Dex(
        name="SushiSwap V3",
        chain="ethereum",
        protocol=Protocol.SUSHISWAP_V3,
        factory="0xbaceb8ec6b9355dfc0269c18bac9d6e2bdc29c4f",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        first_block=16_900_000,
        is_proven=True,
    ),
    Dex(
        name="PancakeSwap V2",
        chain="ethereum",
        protocol=Protocol.PANCAKESWAP_V2,
        factory="0x1097053fd2ea711dad45caccc45eff7548fcb362",
        init_code_hash=deployed.PANCAKESWAP_V2_ETHEREUM_CODE,
        fee_pips=2_500,
        first_block=15_500_000,
        is_proven=True,
    ),
    Dex(
        name="PancakeSwap V3",
        chain="ethereum",
        protocol=Protocol.PANCAKESWAP_V3,
        factory="0x0bfbcf9fa4f9c56b0f40a671ad40e0805a091865",
        deployer=deployed.PANCAKESWAP_V3_DEPLOYER,
        init_code_hash=deployed.PANCAKESWAP_V3_CODE,
        first_block=16_900_000,
        is_proven=True,
    ),
    Dex(
        name="Balancer V2, weighted",
        chain="ethereum",
        protocol=Protocol.BALANCER_WEIGHTED,
        factory=deployed.BALANCER_VAULT,
        first_block=12_270_000,
    ),
    Dex(
        name="Balancer V2, stable",
        chain="ethereum",
        protocol=Protocol.BALANCER_STABLE,
        factory=deployed.BALANCER_VAULT,
        first_block=12_270_000,
    ),
    Dex(
        name="Curve",
        chain="ethereum",
        protocol=Protocol.CURVE,
        factory="0x6a8cbed756804b16e05e741edabd5cb544ae21bf",
    ),
    Dex(
        name="Curve, all registries",
        chain="ethereum",
        protocol=Protocol.CURVE,
        factory="0xf98b45fa17de75fb1ad0e7afd971b0ca00e379fc",
    ),
)
