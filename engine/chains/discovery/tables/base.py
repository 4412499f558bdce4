"""DEXs of Base."""

from typing import Final

from engine.chains.discovery.tables import deployed
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

DEXES: Final = (
    Dex(
        name="Uniswap V2",
        chain="base",
        protocol=Protocol.UNISWAP_V2,
        factory="0x8909dc15e40173ff4699343b6eb8132c65e18ec6",
        init_code_hash=deployed.UNISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=6_600_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V3",
        chain="base",
        protocol=Protocol.UNISWAP_V3,
        factory="0x33128a8fc17869897dce68ed026d694621f6fdfd",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        first_block=1_370_000,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V4",
        chain="base",
        protocol=Protocol.UNISWAP_V4,
        factory="0x498581ff718922c3f8e6a244956af099b2652b2b",
        first_block=25_350_000,
    ),
    Dex(
        name="SushiSwap V3",
        chain="base",
        protocol=Protocol.SUSHISWAP_V3,
        factory="0xc35dadb65012ec5796536bd9864ed8773abc74c4",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        first_block=1_700_000,
        is_proven=True,
    ),
    Dex(
        name="PancakeSwap V3",
        chain="base",
        protocol=Protocol.PANCAKESWAP_V3,
        factory="0x0bfbcf9fa4f9c56b0f40a671ad40e0805a091865",
        deployer=deployed.PANCAKESWAP_V3_DEPLOYER,
        init_code_hash=deployed.PANCAKESWAP_V3_CODE,
        first_block=2_900_000,
        is_proven=True,
    ),
    Dex(
        name="Aerodrome",
        chain="base",
        protocol=Protocol.AERODROME_V2,
        factory="0x420dd381b31aef6683db6b902084cb0ffece40da",
        implementation="0xa4e46b4f701c62e14df11b48dce76a7d793cd6d7",
        first_block=3_200_000,
        is_proven=True,
    ),
    Dex(
        name="Aerodrome Slipstream",
        chain="base",
        protocol=Protocol.AERODROME_SLIPSTREAM,
        factory="0x5e7bb104d84c7cb9b682aac2f3d509f5f406809a",
        implementation="0xec8e5342b19977b4ef8892e02d8daecfa1315831",
        first_block=13_840_000,
        is_proven=True,
    ),
    Dex(
        name="Aerodrome Slipstream 2",
        chain="base",
        protocol=Protocol.AERODROME_SLIPSTREAM,
        factory="0xade65c38cd4849adba595a4323a8c7ddfe89716a",
        first_block=36_000_000,
    ),
    Dex(
        name="Aerodrome Slipstream 3",
        chain="base",
        protocol=Protocol.AERODROME_SLIPSTREAM,
        factory="0xf8f2eb4940cfe7d13603dddd87f123820fc061ef",
        first_block=36_000_000,
    ),
    Dex(
        name="BaseSwap",
        chain="base",
        protocol=Protocol.BASESWAP_V2,
        factory="0xfda619b6d20975be80a10332cd39b9a4b0faa8bb",
        init_code_hash=deployed.BASESWAP_CODE,
        first_block=2_000_000,
        is_proven=True,
        # sources name fees of 0.25 % and of 0.30 %: none is believed
    ),
    Dex(
        name="Balancer V2, weighted",
        chain="base",
        protocol=Protocol.BALANCER_WEIGHTED,
        factory=deployed.BALANCER_VAULT,
        first_block=1_190_000,
    ),
    Dex(
        name="Balancer V2, stable",
        chain="base",
        protocol=Protocol.BALANCER_STABLE,
        factory=deployed.BALANCER_VAULT,
        first_block=1_190_000,
    ),
    Dex(
        name="Curve",
        chain="base",
        protocol=Protocol.CURVE,
        factory="0xd2002373543ce3527023c75e7518c274a51ce712",
    ),
)
