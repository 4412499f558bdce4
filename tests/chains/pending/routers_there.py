"""Routers of Ethereum with the makers of their pools, as tests need them."""

from engine.chains.pending.router_list import DEPLOYED, routers_of
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"

DEXES = (
    Dex(
        name="Uniswap V2",
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        factory="0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f",
        init_code_hash="0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
    ),
    Dex(
        name="SushiSwap V2",
        chain="ethereum",
        protocol=Protocol.SUSHISWAP_V2,
        factory="0xc0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac",
        init_code_hash="0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303",
    ),
    Dex(
        name="Uniswap V3",
        chain="ethereum",
        protocol=Protocol.UNISWAP_V3,
        factory="0x1f98431c8ad98523631ae4a59f267346ea31f984",
        init_code_hash="0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
    ),
)

ETHEREUM = routers_of(DEPLOYED, DEXES, chain="ethereum", weth=WETH)
