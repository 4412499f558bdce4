"""What several rows share: hashes of the code that pools are made of, and contracts.

A hash whose row is proven was met by the address of a known pool. An address derived from it can
hold that code alone, whoever deployed it: that is what CREATE2 makes an address of.
"""

from typing import Final

UNISWAP_V2_CODE: Final = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
SUSHISWAP_V2_CODE: Final = "0xe18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303"
PANCAKESWAP_V2_CODE: Final = "0x00fb7f630766e6a796048ea87d01acd3068e8ff67d078148a3fa3f4a84f69bd5"
PANCAKESWAP_V2_ETHEREUM_CODE: Final = (
    "0x57224589c67f3f30a6b0d7a1b54cf3153ab84563bc609ef41dfb34f8b2974d2d"
)
CAMELOT_V2_CODE: Final = "0xa856464ae65f7619087bc369daaf7e387dae1e5af69cfa7935850ebf754b04c1"
BASESWAP_CODE: Final = "0xb618a2730fae167f5f8ac7bd659dd8436d571872655bcb6fd11f2158c8a64a3b"
BISWAP_CODE: Final = "0xfea293c909d87cd4153593f077b76bb7e94340200f4ee84211ae8e4f9bd7ffdf"
THENA_V1_CODE: Final = "0x8d3d214c094a9889564f695c3e9fa516dd3b50bc3258207acd7f8b8e6b94fb65"

UNISWAP_V3_CODE: Final = "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
PANCAKESWAP_V3_CODE: Final = "0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2"
QUICKSWAP_V3_CODE: Final = "0x6ec6c9c8091d160c0aa74b2b14ba9c1717e95093bd3ac085cee99a49aab294a4"
CAMELOT_V3_CODE: Final = "0x6c1bebd370ba84753516bc1393c0d0a6c645856da55f5393ac8ab3d6dbc861d3"
THENA_FUSION_CODE: Final = "0xd61302e7691f3169f5ebeca3a0a4ab8f7f998c01e55ec944e62cfb1109fd2736"

PANCAKESWAP_V3_DEPLOYER: Final = "0x41ff9aa7e16b8b1a8a8dc4f0efacd93d02d071c9"

BALANCER_VAULT: Final = "0xba12222222228d8ba445958a75a0704d566bf2c8"
"""Holds the tokens of all pools of Balancer V2, one and the same on each chain."""
