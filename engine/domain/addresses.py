"""Addresses by the rules of their chains: a slip of the pen, or another chain's address, is none.

Each check raises `BadValueError` with what is wrong. An address of Solana has no checksum: of one
that was mistyped its length is all that can be seen.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak

from engine.domain.errors import BadValueError

BITCOIN_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE_ALPHABET: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"

_EVM: Final = re.compile("0x[0-9a-fA-F]{40}")
_KEY_BYTES: Final = 32
_HASH_BYTES: Final = 20
_CHECK_BYTES: Final = 4
_BITCOIN_VERSIONS: Final = (0x00, 0x05)
"""Of addresses that pay to the hash of a key, and of a script; others are of test networks."""
_RIPPLE_VERSIONS: Final = (0x00,)

_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANT: Final = 1
_BECH32M_CONSTANT: Final = 0x2BC830A3
_SEGWIT_VERSION_MAX: Final = 16
_CHECK_DIGITS: Final = 6
_ADDRESS_DIGITS_MAX: Final = 90


def check_evm(address: str) -> None:
    """Check an address of Ethereum and chains like it, with its checksum (EIP-55)."""
    if not _EVM.fullmatch(address):
        raise BadValueError("it is not 0x and 40 hexadecimal digits")
    digits = address[2:].lower()
    digest = keccak(digits.encode()).hex()
    right = "".join(
        digit.upper() if int(nibble, 16) > 7 else digit  # noqa: PLR2004 - half of 16, by EIP-55
        for digit, nibble in zip(digits, digest, strict=False)
    )
    if address[2:] != right:
        raise BadValueError(
            "its capital and small letters are not its checksum (EIP-55); copy it as the venue"
            " or the wallet shows it"
        )
    _check_some(bytes.fromhex(digits))


def check_solana(address: str) -> None:
    """Check an address of Solana: 32 bytes."""
    key = _from_base58(address, BITCOIN_ALPHABET)
    if len(key) != _KEY_BYTES:
        raise BadValueError(f"it has {len(key)} bytes, and an address of Solana has {_KEY_BYTES}")
    _check_some(key)


def check_bitcoin(address: str) -> None:
    """Check an address of Bitcoin's main network, of either form (BIP 173 and 350, Base58Check)."""
    if address.lower().startswith("bc1"):
        _check_segwit(address)
    else:
        _check_base58(address, BITCOIN_ALPHABET, versions=_BITCOIN_VERSIONS)


def check_ripple(address: str) -> None:
    """Check a classic address of the XRP Ledger; its tag stands apart."""
    _check_base58(address, RIPPLE_ALPHABET, versions=_RIPPLE_VERSIONS)


def _from_base58(text: str, alphabet: str) -> bytes:
    if not text or len(text) > _ADDRESS_DIGITS_MAX:
        raise BadValueError(f"it has {len(text)} characters")
    number = 0
    for digit in text:
        place = alphabet.find(digit)
        if place < 0:
            raise BadValueError(f"{digit!r} is in no address of its chain")
        number = number * len(alphabet) + place
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _check_base58(address: str, alphabet: str, *, versions: Sequence[int]) -> None:
    whole = _from_base58(address, alphabet)
    content, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
    if hashlib.sha256(hashlib.sha256(content).digest()).digest()[:_CHECK_BYTES] != check:
        raise BadValueError("its checksum is wrong: a character is not as it was")
    if len(content) != 1 + _HASH_BYTES or content[0] not in versions:
        raise BadValueError("it is of another network")
    _check_some(content[1:])


def _check_segwit(address: str) -> None:
    """Check an address by BIP 173, and by BIP 350 from version 1 on."""
    if address not in (address.lower(), address.upper()) or len(address) > _ADDRESS_DIGITS_MAX:
        raise BadValueError("it mixes capital and small letters, or is too long")
    values = [_BECH32.find(digit) for digit in address.lower()[3:]]
    if -1 in values or len(values) <= _CHECK_DIGITS:
        raise BadValueError("a character of it is in no address of its chain")
    version, groups = values[0], values[1:-_CHECK_DIGITS]
    spread = [*(ord(one) >> 5 for one in "bc"), 0, *(ord(one) & 31 for one in "bc"), *values]
    if _polymod(spread) != (_BECH32M_CONSTANT if version else _BECH32_CONSTANT):
        raise BadValueError("its checksum is wrong: a character is not as it was")
    bits = "".join(f"{group:05b}" for group in groups)
    size, padding = divmod(len(bits), 8)
    sizes = (_HASH_BYTES, _KEY_BYTES) if version == 0 else (_KEY_BYTES,) if version == 1 else ()
    if (
        version > _SEGWIT_VERSION_MAX
        or size not in (sizes or range(2, 41))
        or padding > 4  # noqa: PLR2004 - less than a group of 5 bits
        or "1" in bits[len(bits) - padding :]
    ):
        raise BadValueError("it is no address that a wallet pays to")


def _polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for number, generator in enumerate(_BECH32_GENERATORS):
            check ^= generator if top >> number & 1 else 0
    return check


def _check_some(key: bytes) -> None:
    if not any(key):
        raise BadValueError("it is nobody's: what is sent there is gone")
