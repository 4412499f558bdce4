"""DEXs of Arbitrum."""

from typing import Final

from engine.chains.discovery.tables import deployed
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

DEXES: Final = (
    Dex(
        name="Uniswap V2",
        chain="arbitrum",
        protocol=Protocol.UNISWAP_V2,
        factory="0xf1d7cc64fb4452f05c498126312ebe29f30fbcf9",
        init_code_hash=deployed.UNISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=150_000_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V3",
        chain="arbitrum",
        protocol=Protocol.UNISWAP_V3,
        factory="0x1f98431c8ad98523631ae4a59f267346ea31f984",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V4",
        chain="arbitrum",
        protocol=Protocol.UNISWAP_V4,
        factory="0x360e68faccca8ca495c1b759fd9eee466db9fb32",
        first_block=297_000_000,
    ),
    Dex(
        name="SushiSwap V2",
        chain="arbitrum",
        protocol=Protocol.SUSHISWAP_V2,
        factory="0xc35dadb65012ec5796536bd9864ed8773abc74c4",
        init_code_hash=deployed.SUSHISWAP_V2_CODE,
        fee_pips=3_000,
        is_proven=True,
    ),
    Dex(
        name="SushiSwap V3",
        chain="arbitrum",
        protocol=Protocol.SUSHISWAP_V3,
        factory="0x1af415a1eba07a4986a52b6f2e7de7003d82231e",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        first_block=75_000_000,
        is_proven=True,
    ),
    Dex(
        name="PancakeSwap V3",
        chain="arbitrum",
        protocol=Protocol.PANCAKESWAP_V3,
        factory="0x0bfbcf9fa4f9c56b0f40a671ad40e0805a091865",
        deployer=deployed.PANCAKESWAP_V3_DEPLOYER,
        init_code_hash=deployed.PANCAKESWAP_V3_CODE,
        first_block=101_000_000,
        is_proven=True,
    ),
    Dex(
        name="Camelot V2",
        chain="arbitrum",
        protocol=Protocol.CAMELOT_V2,
        factory="0x6eccab422d763ac031210895c81787e87b43a652",
        init_code_hash=deployed.CAMELOT_V2_CODE,
        first_block=35_000_000,
        is_proven=True,
    ),
    Dex(
        name="Camelot V3",
        chain="arbitrum",
        protocol=Protocol.CAMELOT_V3,
        factory="0x1a3c9b1d2f0529d97f2afc5136cc23e58f1fd35b",
        deployer="0x6dd3fb9653b10e806650f107c3b5a0a6ff974f65",
        init_code_hash=deployed.CAMELOT_V3_CODE,
        first_block=101_000_000,
        is_proven=True,
    ),
    Dex(
        name="Balancer V2, weighted",
        chain="arbitrum",
        protocol=Protocol.BALANCER_WEIGHTED,
        factory=deployed.BALANCER_VAULT,
        first_block=222_000,
    ),
    Dex(
        name="Balancer V2, stable",
        chain="arbitrum",
        protocol=Protocol.BALANCER_STABLE,
        factory=deployed.BALANCER_VAULT,
        first_block=222_000,
    ),
    Dex(
        name="Curve",
        chain="arbitrum",
        protocol=Protocol.CURVE,
        factory="0x9af14d26075f142eb3f292d5065eb3faa646167b",
    ),
)
