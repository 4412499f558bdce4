"""DEXs of BNB Chain."""

from typing import Final

from engine.chains.discovery.tables import deployed
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

DEXES: Final = (
    Dex(
        name="Uniswap V2",
        chain="bnb",
        protocol=Protocol.UNISWAP_V2,
        factory="0x8909dc15e40173ff4699343b6eb8132c65e18ec6",
        init_code_hash=deployed.UNISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=33_000_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V3",
        chain="bnb",
        protocol=Protocol.UNISWAP_V3,
        factory="0xdb1d10011ad0ff90774d0c6bb92e5c5c8b4461f7",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        first_block=26_300_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V4",
        chain="bnb",
        protocol=Protocol.UNISWAP_V4,
        factory="0x28e2ea090877bf75740558f6bfb36a5ffee9e9df",
        first_block=45_900_000,
    ),
    Dex(
        name="SushiSwap V2",
        chain="bnb",
        protocol=Protocol.SUSHISWAP_V2,
        factory="0xc35dadb65012ec5796536bd9864ed8773abc74c4",
        init_code_hash=deployed.SUSHISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=5_000_000,
    ),
    Dex(
        name="PancakeSwap V2",
        chain="bnb",
        protocol=Protocol.PANCAKESWAP_V2,
        factory="0xca143ce32fe78f1f7019d7d551a6402fc5350c73",
        init_code_hash=deployed.PANCAKESWAP_V2_CODE,
        fee_pips=2_500,
        first_block=6_800_000,
        is_proven=True,
    ),
    Dex(
        name="PancakeSwap V3",
        chain="bnb",
        protocol=Protocol.PANCAKESWAP_V3,
        factory="0x0bfbcf9fa4f9c56b0f40a671ad40e0805a091865",
        deployer=deployed.PANCAKESWAP_V3_DEPLOYER,
        init_code_hash=deployed.PANCAKESWAP_V3_CODE,
        first_block=26_900_000,
        is_proven=True,
    ),
    Dex(
        name="Biswap",
        chain="bnb",
        protocol=Protocol.BISWAP_V2,
        factory="0x858e3312ed3a876947ea49d572a7c42de08af7ee",
        init_code_hash=deployed.BISWAP_CODE,
        first_block=7_600_000,
        is_proven=True,
    ),
    Dex(
        name="THENA",
        chain="bnb",
        protocol=Protocol.THENA_V1,
        factory="0xafd89d21bdb66d00817d4153e055830b1c2b3970",
        init_code_hash=deployed.THENA_V1_CODE,
        first_block=24_460_000,
        is_proven=True,
    ),
    Dex(
        name="THENA Fusion",
        chain="bnb",
        protocol=Protocol.THENA_FUSION,
        factory="0x306f06c147f064a010530292a1eb6737c3e378e4",
        deployer="0xc89f69baa3ff17a842ab2de89e5fc8a8e2cc7358",
        init_code_hash=deployed.THENA_FUSION_CODE,
        first_block=26_000_000,
        is_proven=True,
    ),
    Dex(
        name="Curve",
        chain="bnb",
        protocol=Protocol.CURVE,
        factory="0xd7e72f3615aa65b92a4dbdc211e296a35512988b",
    ),
)
