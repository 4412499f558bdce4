"""Which asset a token is, its address says and never its symbol."""

from decimal import Decimal

import pytest

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import CURATED, Token, asset_of
from tests.reference.create2 import checksummed, keccak, pair_address, pool_address

USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
FAKE = "0x1234567890123456789012345678901234567890"

UNISWAP_V2 = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
UNISWAP_V3 = "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
V2_ETHEREUM = "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f", UNISWAP_V2
V2_QUICKSWAP = "0x5757371414417b8C6CAad45bAeF941aBc7d3Ab32", UNISWAP_V2
V2_PANCAKESWAP = (
    "0xcA143Ce32Fe78f1f7019d7d551a6402fC5350c73",
    "0x00fb7f630766e6a796048ea87d01acd3068e8ff67d078148a3fa3f4a84f69bd5",
)
V3_ETHEREUM = "0x1F98431c8aD98523631AE4a59f267346ea31F984", UNISWAP_V3
V3_BASE = "0x33128a8fC17869897dcE68Ed026d694621f6FDfD", UNISWAP_V3
V3_CAMELOT = (
    "0x6Dd3FB9653B10e806650F107C3B5A0a6fF974F65",
    "0x6c1bebd370ba84753516bc1393c0d0a6c645856da55f5393ac8ab3d6dbc861d3",
)
BUSD_BNB = "0xe9e7CEA3DedcA5984780Bafc599bD69ADd087D56"
BRIDGED_USDC_POLYGON = "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174"


def at(chain: str, code: str) -> str:
    (found,) = (address for address, (of, _) in CURATED[chain].items() if of == code)
    return found


def ethereum(first: str, second: str) -> tuple[str, str]:
    return at("ethereum", first), at("ethereum", second)


def pool_of(addresses: tuple[str, ...], tokens: tuple[tuple[str, int], ...]) -> Pool:
    return Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address="0xpair",
        tokens=tuple((AssetCode(asset), decimals) for asset, decimals in tokens),
        fee_ratio=Decimal("0.003"),
        gas_units=90_000,
        token_addresses=addresses,
    )


def test_hashes_are_keccaks() -> None:
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_addresses_of_known_pools_follow_from_every_address_of_the_table() -> None:
    made = {
        pair_address(
            *V2_ETHEREUM, ethereum("USDC", "ETH")
        ): "0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc",
        pair_address(
            *V2_ETHEREUM, ethereum("ETH", "USDT")
        ): "0x0d4a11d5EEaaC28EC3F61d100daF4d40471f1852",
        pool_address(
            *V3_ETHEREUM, ethereum("WBTC", "USDC"), 3_000
        ): "0x99ac8cA7087fA4A2A1FB6357269965A2014ABc35",
        pool_address(
            *V3_CAMELOT, (at("arbitrum", "ETH"), at("arbitrum", "USDC")), 0
        ): "0xB1026b8e7276e7AC75410F1fcbbe21796e8f7526",
        pool_address(
            *V3_BASE, (at("base", "ETH"), at("base", "USDC")), 500
        ): "0xd0b53D9277642d899DF5C87A3966A349A798F224",
        pair_address(
            *V2_PANCAKESWAP, (at("bnb", "BNB"), BUSD_BNB)
        ): "0x58F876857a02D6762E0101bb5C46A8c1ED44Dc16",
        pair_address(
            *V2_QUICKSWAP, (at("polygon", "POL"), BRIDGED_USDC_POLYGON)
        ): "0x6e7a5FAFcec6BB1e78bAE2A1F0B612012BF14827",
    }

    assert all(address == known for address, known in made.items())
    assert sum(len(of) for of in CURATED.values()) == 10  # whose proofs are above


@pytest.mark.parametrize("chain", CURATED)
def test_addresses_of_the_table_are_spelt_by_their_checksums(chain: str) -> None:
    assert [checksummed(address) for address in CURATED[chain]] == list(CURATED[chain])


@pytest.mark.parametrize("address", [USDC, USDC.lower(), "0x" + USDC[2:].upper()])
def test_a_token_of_the_table_is_its_asset_whatever_it_calls_itself(address: str) -> None:
    token = Token(chain="ethereum", address=address, decimals=6)

    assert asset_of(token, symbol="USDC") == asset_of(token, symbol="Free money") == "USDC"


@pytest.mark.parametrize("chain", ["ethereum", "base", "elsewhere"])
def test_any_other_token_that_claims_its_symbol_is_an_asset_of_its_own(chain: str) -> None:
    fake = Token(chain=chain, address=FAKE, decimals=6)

    assert asset_of(fake, symbol="USDC") == f"USDC@{chain}:{FAKE}"


def test_an_address_counts_on_its_own_chain_alone() -> None:
    copied = Token(chain="base", address=USDC, decimals=6)

    assert asset_of(copied, symbol="USDC") == f"USDC@base:{USDC.lower()}"


def test_a_token_of_the_table_with_other_decimals_is_refused() -> None:
    with pytest.raises(BadValueError, match="USDC on ethereum has 6 decimals, not 18"):
        asset_of(Token(chain="ethereum", address=USDC, decimals=18), symbol="USDC")


@pytest.mark.parametrize(
    ("addresses", "tokens", "message"),
    [
        ((FAKE, WETH), (("USDC", 6), ("ETH", 18)), f"is not USDC but USDC@ethereum:{FAKE}"),
        ((WETH, USDC), (("USDC", 6), ("ETH", 18)), "ETH on ethereum has 18 decimals, not 6"),
        ((USDC, WETH), (("USDC", 6), ("WETH", 18)), "is not WETH but ETH"),
        ((USDC,), (("USDC", 6), ("ETH", 18)), "2 tokens and 1 addresses"),
        (("0x12", WETH), (("USDC", 6), ("ETH", 18)), "address of a token"),
        ((), ((f"USDC@ethereum:{FAKE}", 6), ("ETH", 18)), "no code of an asset"),
    ],
)
def test_a_pool_holds_no_asset_under_a_name_that_is_not_its_own(
    addresses: tuple[str, ...], tokens: tuple[tuple[str, int], ...], message: str
) -> None:
    with pytest.raises(BadValueError, match=message):
        pool_of(addresses, tokens)


def test_a_pool_of_a_token_outside_the_table_is_a_pool() -> None:
    own = asset_of(Token(chain="ethereum", address=FAKE, decimals=9), symbol="PEPE 2.0!")

    assert pool_of((FAKE, WETH), ((own, 9), ("ETH", 18))).assets == (own, "ETH")
    assert own == f"PEPE20@ethereum:{FAKE}"
