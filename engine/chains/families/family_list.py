"""The one list of makes: what each protocol's pools have in common."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from engine.chains.families.algebra import Algebra
from engine.chains.families.balancer_stable import BalancerStable
from engine.chains.families.balancer_weighted import BalancerWeighted
from engine.chains.families.biswap_v2 import BiswapV2
from engine.chains.families.camelot_v2 import CamelotV2
from engine.chains.families.curve import Curve
from engine.chains.families.solidly import Solidly
from engine.chains.families.uniswap_v2 import UniswapV2
from engine.chains.families.uniswap_v3 import UniswapV3
from engine.chains.families.uniswap_v4 import UniswapV4
from engine.chains.families.words import topic
from engine.chains.ports import Family
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

PANCAKE_V3_SWAP: Final = topic(
    "Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)"
)
"""With what the protocol takes of the fee, by token."""

FAMILY_OF: Final[Mapping[Protocol, Callable[[frozenset[str]], Family]]] = {
    Protocol.UNISWAP_V2: lambda _: UniswapV2(),
    Protocol.SUSHISWAP_V2: lambda _: UniswapV2(),
    Protocol.PANCAKESWAP_V2: lambda _: UniswapV2(),
    Protocol.QUICKSWAP_V2: lambda _: UniswapV2(),
    Protocol.BASESWAP_V2: lambda _: UniswapV2(),
    Protocol.BISWAP_V2: lambda _: BiswapV2(),
    Protocol.CAMELOT_V2: lambda _: CamelotV2(),
    Protocol.UNISWAP_V3: lambda _: UniswapV3(),
    Protocol.SUSHISWAP_V3: lambda _: UniswapV3(),
    Protocol.PANCAKESWAP_V3: lambda _: UniswapV3(swap_topic=PANCAKE_V3_SWAP, swap_words=7),
    Protocol.AERODROME_SLIPSTREAM: lambda _: UniswapV3(is_polled=True),
    Protocol.VELODROME_SLIPSTREAM: lambda _: UniswapV3(is_polled=True),
    Protocol.QUICKSWAP_V3: lambda _: Algebra(),
    Protocol.UNISWAP_V4: UniswapV4,
    Protocol.AERODROME_V2: lambda _: Solidly(),
    Protocol.VELODROME_V2: lambda _: Solidly(),
    Protocol.CURVE: lambda _: Curve(),
    Protocol.BALANCER_WEIGHTED: BalancerWeighted,
    Protocol.BALANCER_STABLE: BalancerStable,
}
"""By protocol: what makes its family for a chain, given the factories of its DEXs there, where some
hold all of their pools themselves."""


def families_of(dexes: Iterable[Dex]) -> dict[Protocol, Family]:
    """Make the families of a chain's DEXs, without those that no pool can be followed of."""
    factories: dict[Protocol, set[str]] = {}
    for dex in dexes:
        factories.setdefault(dex.protocol, set()).add(dex.factory.lower())
    return {
        protocol: FAMILY_OF[protocol](frozenset(held))
        for protocol, held in factories.items()
        if protocol in FAMILY_OF
    }
