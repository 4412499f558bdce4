"""Which asset a token is, its address says and never its symbol."""

from decimal import Decimal

import pytest

from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import CURATED, NATIVE_ADDRESS, Token, asset_of
from tests.chains.discovery.known_pools import POOLS, TOKENS
from tests.reference.create2 import checksummed, keccak

USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
FAKE = "0x1234567890123456789012345678901234567890"


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


def test_a_known_pool_follows_from_every_address_of_the_table() -> None:
    proven = {
        (known.chain, TOKENS[known.chain][token]) for known in POOLS for token in known.tokens
    }

    assert {(chain, address) for chain, of in CURATED.items() for address in of} <= proven


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


@pytest.mark.parametrize("chain", NATIVE_ASSETS)
def test_the_address_of_nobody_is_what_a_chain_is_paid_in(chain: str) -> None:
    token = Token(chain=chain, address=NATIVE_ADDRESS, decimals=18)

    assert asset_of(token, symbol="USDC") == NATIVE_ASSETS[chain]


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
