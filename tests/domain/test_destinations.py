"""An address that is written down is of its chain, whole, and has the tag that its venue needs."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.addresses import check_bitcoin, check_evm, check_ripple, check_solana
from engine.domain.assets import AssetCode
from engine.domain.destinations import destinations_of, parse_destinations
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId

Check = Callable[[str], None]

EXCHANGES = ("coinbase", "kraken")
EVM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55
RIPPLE = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"  # the XRP Ledger's first account
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"  # BIP 173
TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"  # BIP 350
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
SOLANA = "So11111111111111111111111111111111111111112"
CHECKS = (
    (check_evm, EVM),
    (check_evm, "0x52908400098527886E0F7030069857D2E4169EE7"),
    (check_evm, "0xde709f2102306220921060314715629080e2fb77"),
    (check_bitcoin, SEGWIT),
    (check_bitcoin, SEGWIT.upper()),
    (check_bitcoin, TAPROOT),
    (check_bitcoin, GENESIS),
    (check_bitcoin, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
    (check_ripple, RIPPLE),
    (check_solana, SOLANA),
)


@pytest.mark.parametrize(("check", "address"), CHECKS)
def test_what_the_chains_own_documents_show_is_an_address(check: Check, address: str) -> None:
    check(address)


@given(st.sampled_from([one for one in CHECKS if one[0] is not check_solana]), st.data())
def test_no_address_with_one_character_changed_passes(
    chosen: tuple[Check, str], data: st.DataObject
) -> None:
    check, address = chosen
    at = data.draw(st.integers(2, len(address) - 1))
    other = data.draw(st.sampled_from("0123456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNP"))
    changed = address[:at] + other + address[at + 1 :]
    if changed == address:
        return

    with pytest.raises(BadValueError):
        check(changed)


@pytest.mark.parametrize(
    ("check", "address", "why"),
    [
        (check_evm, EVM.lower(), "checksum"),
        (check_evm, EVM[:-1], "40"),
        (check_evm, "0x" + 40 * "0", "nobody's"),
        (check_solana, SOLANA[:-1], "31 bytes"),
        (check_solana, GENESIS, "25 bytes"),
        (check_solana, 32 * "1", "nobody's"),
        (check_solana, "", "0 characters"),
        (check_bitcoin, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "no address of its chain"),
        (check_bitcoin, "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "another network"),
        (check_bitcoin, EVM, "no address of its chain"),
        (check_bitcoin, "bc1", "no address"),
        # BIP 350: a version above 0 with the checksum of version 0.
        (
            check_bitcoin,
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "checksum",
        ),
        # BIP 173: version 2 with the checksum of version 0.
        (check_bitcoin, "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "checksum"),
        # BIP 350: of no length that a version has; of a version that there is not.
        (check_bitcoin, "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "that a wallet pays to"),
        (check_bitcoin, "bc1pw5dgrnzv", "that a wallet pays to"),
        (
            check_bitcoin,
            "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
            "that a wallet pays to",
        ),
        (check_ripple, GENESIS, "checksum"),
    ],
)
def test_what_is_no_address_of_the_chain_is_refused_with_the_reason(
    check: Check, address: str, why: str
) -> None:
    with pytest.raises(BadValueError, match=why):
        check(address)


def taproot(key: bytes, *, padding: int = 0) -> str:
    """Write an address of version 1 by BIP 350, with bits behind the key."""
    bits = "".join(f"{byte:08b}" for byte in key) + f"{padding:04b}"
    groups = [1, *(int(bits[at : at + 5], 2) for at in range(0, len(bits), 5))]
    check = 1
    for value in [3, 3, 0, 2, 3, *groups, *6 * [0]]:  # "bc", spread
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for number, one in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= one * (top >> number & 1)
    check ^= 0x2BC830A3
    digits = [*groups, *(check >> 5 * (5 - number) & 31 for number in range(6))]
    return "bc1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[digit] for digit in digits)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 15))
def test_bits_behind_the_key_of_an_address_are_refused(key: bytes, padding: int) -> None:
    check_bitcoin(taproot(key))

    with pytest.raises(BadValueError, match="that a wallet pays to"):
        check_bitcoin(taproot(key, padding=padding))


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("coinbase/USDC", EVM, "no place, asset and chain"),
        ("coinbase/ATOM/cosmos", "cosmos1", "nothing is known of addresses of 'cosmos'"),
        ("mtgox/BTC/bitcoin", GENESIS, "no exchange where orders can be placed"),
        ("ethereum/USDC/base", EVM, "nor the wallet on base"),
        ("bitcoin/BTC/bitcoin", GENESIS, "no exchange"),
        ("coinbase/BTC/ethereum", EVM, "does not carry BTC itself"),
        ("coinbase/ETH/polygon", EVM, "does not carry ETH itself"),
        ("coinbase/USDC/bitcoin", GENESIS, "does not carry USDC"),
        ("coinbase/USDC/base", EVM.lower(), "address of coinbase/USDC/base.*checksum"),
        ("kraken/XRP/ripple", RIPPLE, "tag is missing"),
        ("kraken/XRP/ripple", RIPPLE + ":4294967296", "no number up to"),
        ("kraken/XRP/ripple", RIPPLE + ":" + 5_000 * "9", "no number up to"),
        ("kraken/XRP/ripple", RIPPLE + ":x", "no number"),
        ("kraken/ETH/base", EVM + ":7", "knows no tag"),
        ("kraken/SOL/solana", "", "0 characters"),
    ],
)
def test_an_entry_that_cannot_be_right_is_refused_by_its_name(
    key: str, value: str, why: str
) -> None:
    with pytest.raises(BadValueError, match=why):
        parse_destinations({key: value}, exchanges=EXCHANGES)


def test_a_destination_is_of_one_place_and_asset() -> None:
    allowed = parse_destinations(
        {
            "coinbase/USDC/base": EVM,
            "coinbase/USDC/solana": SOLANA,
            "kraken/USDC/base": EVM,
            "kraken/XRP/ripple": RIPPLE + ":0123",
            "base/ETH/base": EVM,
        },
        exchanges=EXCHANGES,
    )

    dollars = destinations_of(allowed, venue=VenueId("coinbase"), asset=AssetCode("USDC"))
    (ripple,) = destinations_of(allowed, venue=VenueId("kraken"), asset=AssetCode("XRP"))
    assert [one.chain for one in dollars] == ["base", "solana"]
    assert (ripple.address, ripple.memo) == (RIPPLE, "0123")
    assert destinations_of(allowed, venue=VenueId("coinbase"), asset=AssetCode("ETH")) == ()
