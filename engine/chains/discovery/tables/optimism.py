"""DEXs of Optimism."""

from typing import Final

from engine.chains.discovery.tables import deployed
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

DEXES: Final = (
    Dex(
        name="Uniswap V2",
        chain="optimism",
        protocol=Protocol.UNISWAP_V2,
        factory="0x0c3c1c532f1e39edf36be9fe0be1410313e074bf",
        init_code_hash=deployed.UNISWAP_V2_CODE,
        fee_pips=3_000,
        first_block=112_000_000,
    ),
    Dex(
        name="Uniswap V3",
        chain="optimism",
        protocol=Protocol.UNISWAP_V3,
        factory="0x1f98431c8ad98523631ae4a59f267346ea31f984",
        init_code_hash=deployed.UNISWAP_V3_CODE,
        is_proven=True,
    ),
    Dex(
        name="Uniswap V4",
        chain="optimism",
        protocol=Protocol.UNISWAP_V4,
        factory="0x9a13f98cb987694c9f086b1f5eb990eea8264ec3",
        first_block=130_900_000,
    ),
    Dex(
        name="Velodrome",
        chain="optimism",
        protocol=Protocol.VELODROME_V2,
        factory="0xf1046053aa5682b4f9a81b5481394da16be5ff5a",
        implementation="0x95885af5492195f0754be71ad1545fe81364e531",
        first_block=105_000_000,
        is_proven=True,
    ),
    Dex(
        name="Velodrome Slipstream",
        chain="optimism",
        protocol=Protocol.VELODROME_SLIPSTREAM,
        factory="0xcc0bddb707055e04e497ab22a59c2af4391cd12f",
        implementation="0xc28ad28853a547556780bebf7847628501a3bcbb",
        first_block=116_000_000,
        is_proven=True,
    ),
    Dex(
        name="Balancer V2, weighted",
        chain="optimism",
        protocol=Protocol.BALANCER_WEIGHTED,
        factory=deployed.BALANCER_VAULT,
        first_block=7_000_000,
    ),
    Dex(
        name="Balancer V2, stable",
        chain="optimism",
        protocol=Protocol.BALANCER_STABLE,
        factory=deployed.BALANCER_VAULT,
        first_block=7_000_000,
    ),
    Dex(
        name="Curve",
        chain="optimism",
        protocol=Protocol.CURVE,
        factory="0x5eee3091f747e60a045a2e715a4c71e600e31f6e",
    ),
)
