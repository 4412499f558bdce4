"""THE list of routers whose calls are decoded: which contract at which chain, and of which kind.

An address is written with its checksum, which a test makes anew: a wrong digit would not fit it.
Sources: the packages @uniswap/sdk-core and @uniswap/universal-router-sdk for Uniswap's, each
maker's own documents for the others.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from engine.chains.pending.aggregators import (
    KYBER_FUNCTIONS,
    ONE_INCH_FUNCTIONS,
    OPEN_OCEAN_FUNCTIONS,
    PARASWAP_FUNCTIONS,
    ZERO_X_FUNCTIONS,
)
from engine.chains.pending.pair_routers import PAIR_FUNCTIONS, SOLIDLY_FUNCTIONS
from engine.chains.pending.pool_addresses import Deployer, Salt
from engine.chains.pending.routers import Decode, HopLimits, Router
from engine.chains.pending.swap_routers import SWAP_FUNCTIONS
from engine.chains.pending.universal_router import UNIVERSAL_FUNCTIONS
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol


class Kind(Enum):
    """What a router's functions are; the value is what screens call it."""

    PAIRS = "pair router"
    SOLIDLY = "Solidly router"
    POOLS = "swap router"
    UNIVERSAL = "universal router"
    UNIVERSAL_2_1_0 = "universal router 2.1.0"
    UNIVERSAL_2_1 = "universal router 2.1"
    ONE_INCH = "1inch"
    ZERO_X = "0x"
    PARASWAP = "ParaSwap"
    KYBER = "KyberSwap"
    OPEN_OCEAN = "OpenOcean"


FUNCTIONS: Final[Mapping[Kind, Mapping[bytes, Decode]]] = {
    Kind.PAIRS: PAIR_FUNCTIONS,
    Kind.SOLIDLY: SOLIDLY_FUNCTIONS,
    Kind.POOLS: SWAP_FUNCTIONS,
    Kind.UNIVERSAL: UNIVERSAL_FUNCTIONS,
    Kind.UNIVERSAL_2_1_0: UNIVERSAL_FUNCTIONS,
    Kind.UNIVERSAL_2_1: UNIVERSAL_FUNCTIONS,
    Kind.ONE_INCH: ONE_INCH_FUNCTIONS,
    Kind.ZERO_X: ZERO_X_FUNCTIONS,
    Kind.PARASWAP: PARASWAP_FUNCTIONS,
    Kind.KYBER: KYBER_FUNCTIONS,
    Kind.OPEN_OCEAN: OPEN_OCEAN_FUNCTIONS,
}


class RouterAt(NamedTuple):
    """A router at a chain, and the DEXs whose pools it finds by tokens: by make or by name."""

    kind: Kind
    chain: str
    address: str
    pairs: str | None = None
    pools: str | None = None
    other_pairs: str | None = None


def routers_of(
    deployed: Iterable[RouterAt], dexes: Iterable[Dex], *, chain: str, weth: str
) -> dict[str, tuple[Router, Kind]]:
    """Return the routers of a chain by address, each with the makers of its pools.

    Args:
        deployed: of any chain, such as `DEPLOYED`.
        dexes: of any chain; a router's function through a DEX that is not here is not decoded.
        chain: which one.
        weth: its wrapped coin, in lower case.
    """
    makers: dict[str, Deployer | None] = {}
    for dex in dexes:
        if dex.chain == chain:  # of several of a make the first one is meant
            makers.setdefault(dex.protocol, _deployer(dex))
            makers.setdefault(dex.name, _deployer(dex))
    found = {}
    for row in deployed:
        if row.chain not in (chain, _ANYWHERE):
            continue
        address = row.address.lower()
        router = Router(
            name=row.kind.value,
            address=address,
            weth=weth,
            pairs=_maker(makers, row.pairs),
            pools=_maker(makers, row.pools),
            other_pairs=_maker(makers, row.other_pairs),
            hop_limits=_HOP_LIMITS.get(row.kind, HopLimits.NONE),
        )
        found[address] = (router, row.kind)
    return found


def named_routers(chain: str, contracts: Mapping[str, str], dexes: Iterable[Dex]) -> list[RouterAt]:
    """Return routers of a chain whose contracts are told by name, as the sandbox tells them.

    A DEX's router is named as its factory is: ``v2_factory``, ``v2_router``.
    """
    found: list[RouterAt] = []
    by_make: dict[str, str] = {}
    for dex in dexes:
        for name, address in contracts.items():
            prefix, is_factory, rest = name.partition("_factory")
            router = contracts.get(f"{prefix}_router")
            if address != dex.factory or router is None or not is_factory or rest:
                continue
            by_make.setdefault(dex.protocol, dex.name)
            if _SALTS.get(dex.protocol) is Salt.TOKENS:
                found.append(RouterAt(Kind.PAIRS, chain, router, dex.name))
            elif _SALTS.get(dex.protocol) is Salt.TOKENS_AND_FEE:
                found.append(RouterAt(Kind.POOLS, chain, router, None, dex.name))
    if "universal_router" in contracts:
        own = contracts["universal_router"]
        made = by_make.get(Protocol.UNISWAP_V2), by_make.get(Protocol.UNISWAP_V3)
        found.append(RouterAt(Kind.UNIVERSAL_2_1_0, chain, own, *made))
    return found


def _maker(makers: Mapping[str, Deployer | None], name: str | None) -> Deployer | None:
    return None if name is None else makers.get(name)


def _deployer(dex: Dex) -> Deployer | None:
    """Return who makes a DEX's pools; nobody if their addresses cannot be derived."""
    salt = _SALTS.get(dex.protocol)
    code_hash = dex.init_code_hash
    if dex.implementation:
        code = _PROXY_HEAD + bytes.fromhex(dex.implementation[2:]) + _PROXY_TAIL
        code_hash = "0x" + keccak(code).hex()
    if salt is None or not code_hash:
        return None
    return Deployer(address=dex.deployer or dex.factory, code_hash=code_hash, salt=salt)


_PROXY_HEAD: Final = bytes.fromhex("3d602d80600a3d3981f3363d3d373d3d3d363d73")
_PROXY_TAIL: Final = bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
"""Around an address: what makes a minimal proxy of it (EIP-1167)."""

_HOP_LIMITS: Final = {
    Kind.UNIVERSAL_2_1_0: HopLimits.V4_PATHS,
    Kind.UNIVERSAL_2_1: HopLimits.ALL,
}

_SALTS: Final[Mapping[Protocol, Salt]] = {
    Protocol.UNISWAP_V2: Salt.TOKENS,
    Protocol.SUSHISWAP_V2: Salt.TOKENS,
    Protocol.PANCAKESWAP_V2: Salt.TOKENS,
    Protocol.QUICKSWAP_V2: Salt.TOKENS,
    Protocol.BASESWAP_V2: Salt.TOKENS,
    Protocol.BISWAP_V2: Salt.TOKENS,
    Protocol.UNISWAP_V3: Salt.TOKENS_AND_FEE,
    Protocol.SUSHISWAP_V3: Salt.TOKENS_AND_FEE,
    Protocol.PANCAKESWAP_V3: Salt.TOKENS_AND_FEE,
    Protocol.AERODROME_SLIPSTREAM: Salt.TOKENS_AND_FEE,
    Protocol.VELODROME_SLIPSTREAM: Salt.TOKENS_AND_FEE,
    Protocol.AERODROME_V2: Salt.TOKENS_AND_FORM,
    Protocol.VELODROME_V2: Salt.TOKENS_AND_FORM,
}

_ANYWHERE: Final = ""
_V2, _V3 = Protocol.UNISWAP_V2, Protocol.UNISWAP_V3
_SUSHI: Final = Protocol.SUSHISWAP_V2
_CAKE_V2, _CAKE_V3 = Protocol.PANCAKESWAP_V2, Protocol.PANCAKESWAP_V3

DEPLOYED: Final = (
    RouterAt(Kind.PAIRS, "ethereum", "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D", _V2),
    RouterAt(Kind.PAIRS, "arbitrum", "0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24", _V2),
    RouterAt(Kind.PAIRS, "optimism", "0x4A7b5Da61326A6379179b40d00F57E5bbDC962c2", _V2),
    RouterAt(Kind.PAIRS, "base", "0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24", _V2),
    RouterAt(Kind.PAIRS, "bnb", "0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24", _V2),
    RouterAt(Kind.PAIRS, "polygon", "0xedf6066a2b290C185783862C7F4776A2C8077AD1", _V2),
    RouterAt(Kind.PAIRS, "ethereum", "0xd9e1cE17f2641f24aE83637ab66a2cca9C378B9F", _SUSHI),
    RouterAt(Kind.PAIRS, "arbitrum", "0x1b02dA8Cb0d097eB8D57A175b88c7D8b47997506", _SUSHI),
    RouterAt(Kind.PAIRS, "polygon", "0x1b02dA8Cb0d097eB8D57A175b88c7D8b47997506", _SUSHI),
    RouterAt(Kind.PAIRS, "bnb", "0x1b02dA8Cb0d097eB8D57A175b88c7D8b47997506", _SUSHI),
    RouterAt(Kind.PAIRS, "bnb", "0x10ED43C718714eb63d5aA57B78B54704E256024E", _CAKE_V2),
    RouterAt(Kind.PAIRS, "bnb", "0x3a6d8cA21D1CF76F653A67577FA0D27453350dD8", Protocol.BISWAP_V2),
    RouterAt(
        Kind.PAIRS, "base", "0x327Df1E6de05895d2ab08513aaDD9313Fe505d86", Protocol.BASESWAP_V2
    ),
    RouterAt(
        Kind.PAIRS, "polygon", "0xa5E0829CaCEd8fFDD4De3c43696c57F7D7A678ff", Protocol.QUICKSWAP_V2
    ),
    RouterAt(
        Kind.SOLIDLY, "base", "0xcF77a3Ba9A5CA399B7c97c74d54e5b1Beb874E43", Protocol.AERODROME_V2
    ),
    RouterAt(
        Kind.SOLIDLY,
        "optimism",
        "0xa062aE8A9c5e11aaA026fc2670B0D65cCc8B2858",
        Protocol.VELODROME_V2,
    ),
    RouterAt(Kind.POOLS, "ethereum", "0xE592427A0AEce92De3Edee1F18E0157C05861564", None, _V3),
    RouterAt(Kind.POOLS, "ethereum", "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45", _V2, _V3),
    RouterAt(Kind.POOLS, "arbitrum", "0xE592427A0AEce92De3Edee1F18E0157C05861564", None, _V3),
    RouterAt(Kind.POOLS, "arbitrum", "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45", _V2, _V3),
    RouterAt(Kind.POOLS, "optimism", "0xE592427A0AEce92De3Edee1F18E0157C05861564", None, _V3),
    RouterAt(Kind.POOLS, "optimism", "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45", _V2, _V3),
    RouterAt(Kind.POOLS, "polygon", "0xE592427A0AEce92De3Edee1F18E0157C05861564", None, _V3),
    RouterAt(Kind.POOLS, "polygon", "0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45", _V2, _V3),
    RouterAt(Kind.POOLS, "base", "0x2626664c2603336E57B271c5C0b26F421741e481", _V2, _V3),
    RouterAt(Kind.POOLS, "bnb", "0xB971eF87ede563556b2ED4b1C0b0019111Dd85d2", _V2, _V3),
    RouterAt(Kind.POOLS, "bnb", "0x13f4EA83D0bd40E75C8222255bc855a974568Dd4", _CAKE_V2, _CAKE_V3),
    RouterAt(
        Kind.POOLS, "ethereum", "0x13f4EA83D0bd40E75C8222255bc855a974568Dd4", _CAKE_V2, _CAKE_V3
    ),
    RouterAt(Kind.POOLS, "bnb", "0x1b81D678ffb9C0263b24A97847620C99d213eB14", None, _CAKE_V3),
    RouterAt(Kind.POOLS, "ethereum", "0x1b81D678ffb9C0263b24A97847620C99d213eB14", None, _CAKE_V3),
    RouterAt(Kind.POOLS, "arbitrum", "0x1b81D678ffb9C0263b24A97847620C99d213eB14", None, _CAKE_V3),
    RouterAt(Kind.POOLS, "base", "0x1b81D678ffb9C0263b24A97847620C99d213eB14", None, _CAKE_V3),
    RouterAt(
        Kind.POOLS,
        "base",
        "0xBE6D8f0d05cC4be24d5167a3eF062215bE6D18a5",
        None,
        Protocol.AERODROME_SLIPSTREAM,
    ),
    RouterAt(Kind.UNIVERSAL, "ethereum", "0x3fC91A3afd70395Cd496C647d5a6CC9D4B2b7FAD", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "ethereum", "0x66a9893cC07D91D95644AEDD05D03f95e1dBA8Af", _V2, _V3),
    RouterAt(
        Kind.UNIVERSAL_2_1, "ethereum", "0x4C82D1fBFe28C977cBB58D8C7FF8FCF9F70a2cCA", _V2, _V3
    ),
    RouterAt(
        Kind.UNIVERSAL_2_1, "ethereum", "0x23617e59A5925b2A4Bf75d73ff6711cD0b29De85", _V2, _V3
    ),
    RouterAt(Kind.UNIVERSAL, "arbitrum", "0x5E325eDA8064b456f4781070C0738d849c824258", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "arbitrum", "0xA51afAFe0263b40EdaEf0Df8781eA9aa03E381a3", _V2, _V3),
    RouterAt(
        Kind.UNIVERSAL_2_1, "arbitrum", "0x8B844f885672f333Bc0042cB669255f93a4C1E6b", _V2, _V3
    ),
    RouterAt(
        Kind.UNIVERSAL_2_1, "arbitrum", "0x2d01411773c8C24805306E89A41F7855C3c4Fe65", _V2, _V3
    ),
    RouterAt(Kind.UNIVERSAL, "optimism", "0xCb1355ff08Ab38bBCE60111F1bb2B784bE25D7e8", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "optimism", "0x851116D9223fabED8E56C0E6b8Ad0c31d98B3507", _V2, _V3),
    RouterAt(
        Kind.UNIVERSAL_2_1, "optimism", "0x8B844f885672f333Bc0042cB669255f93a4C1E6b", _V2, _V3
    ),
    RouterAt(
        Kind.UNIVERSAL_2_1, "optimism", "0xC09255D86DB563cBc11C2fCf4a0C512e160111B4", _V2, _V3
    ),
    RouterAt(Kind.UNIVERSAL, "base", "0x3fC91A3afd70395Cd496C647d5a6CC9D4B2b7FAD", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "base", "0x6fF5693b99212Da76ad316178A184AB56D299b43", _V2, _V3),
    RouterAt(Kind.UNIVERSAL_2_1, "base", "0xFdf682F51FE81Aa4898F0AE2163d8A55c127fbC7", _V2, _V3),
    RouterAt(Kind.UNIVERSAL_2_1, "base", "0xd6145b2D3F379919E8CdEda7B97e37c4b2Ca9c40", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "bnb", "0x4Dae2f939ACf50408e13d58534Ff8c2776d45265", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "bnb", "0x1906c1d672b88cD1B9aC7593301cA990F94Eae07", _V2, _V3),
    RouterAt(Kind.UNIVERSAL_2_1, "bnb", "0x8B844f885672f333Bc0042cB669255f93a4C1E6b", _V2, _V3),
    RouterAt(Kind.UNIVERSAL_2_1, "bnb", "0xDc264714F68d84CF29BC605589405E78bDBE7C9f", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "polygon", "0xec7BE89e9d109e7e3Fec59c222CF297125FEFda2", _V2, _V3),
    RouterAt(Kind.UNIVERSAL, "polygon", "0x1095692A6237d83C6a72F3F5eFEdb9A670C49223", _V2, _V3),
    RouterAt(Kind.UNIVERSAL_2_1, "polygon", "0x8B844f885672f333Bc0042cB669255f93a4C1E6b", _V2, _V3),
    RouterAt(Kind.UNIVERSAL_2_1, "polygon", "0xDc264714F68d84CF29BC605589405E78bDBE7C9f", _V2, _V3),
    RouterAt(Kind.ONE_INCH, _ANYWHERE, "0x1111111254EEB25477B68fb85Ed929f73A960582"),
    RouterAt(Kind.ONE_INCH, _ANYWHERE, "0x111111125421cA6dc452d289314280a0f8842A65"),
    RouterAt(
        Kind.ZERO_X, "ethereum", "0xDef1C0ded9bec7F1a1670819833240f027b25EfF", _V2, _V3, _SUSHI
    ),
    RouterAt(
        Kind.ZERO_X, "arbitrum", "0xDef1C0ded9bec7F1a1670819833240f027b25EfF", _V2, _V3, _SUSHI
    ),
    RouterAt(Kind.ZERO_X, "base", "0xDef1C0ded9bec7F1a1670819833240f027b25EfF", _V2, _V3, _SUSHI),
    RouterAt(Kind.ZERO_X, "bnb", "0xDef1C0ded9bec7F1a1670819833240f027b25EfF", _V2, _V3, _SUSHI),
    RouterAt(
        Kind.ZERO_X, "polygon", "0xDef1C0ded9bec7F1a1670819833240f027b25EfF", _V2, _V3, _SUSHI
    ),
    RouterAt(Kind.ZERO_X, "optimism", "0xDEF1ABE32c034e558Cdd535791643C58a13aCC10", None, _V3),
    RouterAt(Kind.PARASWAP, _ANYWHERE, "0x6A000F20005980200259B80c5102003040001068"),
    RouterAt(Kind.KYBER, _ANYWHERE, "0x6131B5fae19EA4f9D964eAc0408E4408b66337b5"),
    RouterAt(Kind.OPEN_OCEAN, _ANYWHERE, "0x6352a56caadC4F1E25CD6c75970Fa768A3304e64"),
)
