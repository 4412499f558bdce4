"""Tokens: which address on which chain is which asset.

A symbol is what anybody may call a token. An asset's code comes from the table here alone; a token
that is not in it is an asset of its own, named after its address, and so joins nothing but pools of
that very token. Bridged and pegged tokens are not in it: they are worth what their bridge is.

The addresses are proven, not believed: a pool's address is a hash of those of its tokens, and a
test makes addresses of known pools from every one of these.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS, TEST_NETWORKS
from engine.domain.errors import BadValueError

SYMBOL_CHARACTERS_MAX: Final = 12
"""More of what a token calls itself is not repeated."""

NATIVE_ADDRESS: Final = "0x" + "0" * 40
"""What stands for the chain's own coin where a pool holds that and no token (Uniswap V4)."""

NATIVE_DECIMALS: Final = 18

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Token:
    """A token of a chain.

    Attributes:
        address: its contract's, in any case of letters; there is one token of each.
    """

    chain: str
    address: str
    decimals: int

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise BadValueError(f"address of a token of {self.chain[:20]!r} is {self.address!r}")
        object.__setattr__(self, "address", self.address.lower())


def asset_of(token: Token, *, symbol: str) -> AssetCode:
    """Return the asset that a token is; `symbol` is what it calls itself, which proves nothing.

    Raises:
        BadValueError: it is in the table, with other decimals.
    """
    known = _KNOWN.get((token.chain, token.address))
    if known is None:
        called = re.sub(r"[^A-Za-z0-9]", "", symbol)[:SYMBOL_CHARACTERS_MAX]
        return AssetCode(f"{called}@{token.chain}:{token.address}")
    code, decimals = known
    if token.decimals != decimals:
        raise BadValueError(
            f"{code} on {token.chain} has {decimals} decimals, not {token.decimals}"
        )
    return code


def is_code(asset: AssetCode, token: Token) -> bool:
    """Say whether an asset is the one that a token is, whatever that calls itself.

    Raises:
        BadValueError: see `asset_of`.
    """
    return asset_of(token, symbol=asset.partition("@")[0]) == asset


def is_curated(chain: str, address: str) -> bool:
    """Say whether a token is in the table, or what its chain is paid in."""
    return (chain, address.lower()) in _KNOWN


def known_assets(chain: str) -> set[AssetCode]:
    """Return the assets of which a chain has a token in the table."""
    return {asset for (of, _), (asset, _) in _KNOWN.items() if of == chain}


def tokens_of(chain: str) -> tuple[Token, ...]:
    """Return the tokens of a chain that are in the table, what wraps its coin among them."""
    return tuple(
        Token(chain=of, address=address, decimals=decimals)
        for (of, address), (_, decimals) in _KNOWN.items()
        if of == chain and address != NATIVE_ADDRESS
    )


CURATED: Final[Mapping[str, Mapping[str, tuple[str, int]]]] = {
    "ethereum": {
        "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2": ("ETH", 18),
        "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48": ("USDC", 6),
        "0xdAC17F958D2ee523a2206206994597C13D831ec7": ("USDT", 6),
        "0x6B175474E89094C44Da98b954EedeAC495271d0F": ("DAI", 18),
        "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599": ("WBTC", 8),
        "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984": ("UNI", 18),
        "0x514910771AF9Ca656af840dff83E8264EcF986CA": ("LINK", 18),
        "0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9": ("AAVE", 18),
        "0x6982508145454Ce325dDbE47a25d4ec3d2311933": ("PEPE", 18),
        "0x95aD61b0a150d79219dCF64E1E6Cc01f0B64C4cE": ("SHIB", 18),
    },
    "arbitrum": {
        "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1": ("ETH", 18),
        "0xaf88d065e77c8cC2239327C5EDb3A432268e5831": ("USDC", 6),
        "0x912CE59144191C1204E64559FE8253a0e49E6548": ("ARB", 18),
    },
    "base": {
        "0x4200000000000000000000000000000000000006": ("ETH", 18),
        "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913": ("USDC", 6),
        "0x940181a94A35A4569E4529A3CDfB74e38FD98631": ("AERO", 18),
    },
    "optimism": {
        "0x4200000000000000000000000000000000000006": ("ETH", 18),
        "0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85": ("USDC", 6),
        "0x4200000000000000000000000000000000000042": ("OP", 18),
    },
    "bnb": {
        "0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c": ("BNB", 18),
        "0x0E09FaBB73Bd3Ade0a17ECC321fD13a19e81cE82": ("CAKE", 18),
    },
    "polygon": {
        "0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270": ("POL", 18),
        "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359": ("USDC", 6),
    },
}
"""By chain and address, as their checksums spell them: code and decimals. The wrapped form of what
a chain is paid in is that asset: wrapping costs gas alone."""

_KNOWN: Final = (
    {
        (chain, address.lower()): (AssetCode(code), decimals)
        for chain, tokens in CURATED.items()
        for address, (code, decimals) in tokens.items()
    }
    | {(name, NATIVE_ADDRESS): (asset, NATIVE_DECIMALS) for name, asset in NATIVE_ASSETS.items()}
    | {
        (facts.name, facts.wrapped_native): (facts.native, NATIVE_DECIMALS)
        for facts in TEST_NETWORKS.values()
        if facts.wrapped_native
    }
)
