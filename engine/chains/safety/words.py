"""What goes into a call of a contract and comes out of it: words of 32 bytes."""

from typing import Final

from eth_hash.auto import keccak

WORD: Final = 32
WORD_MAX: Final = 2**256 - 1
_SIGN: Final = 2**255
_ADDRESS_DIGITS: Final = 40
_DYNAMIC_BYTES_MIN: Final = 2 * WORD


def selector(signature: str) -> bytes:
    """Return the four bytes that a function such as ``transfer(address,uint256)`` is called by."""
    return bytes(keccak(signature.encode()))[:4]


def address_word(address: str) -> bytes:
    """Return an address as an argument."""
    return bytes.fromhex(address[2:]).rjust(WORD, b"\0")


def number_word(number: int) -> bytes:
    """Return a whole number as an argument; one below zero as its complement."""
    return (number & WORD_MAX).to_bytes(WORD, "big")


def number_at(answer: bytes, index: int = 0) -> int | None:
    """Return a word of an answer as a number, None if the answer is too short."""
    piece = answer[index * WORD : (index + 1) * WORD]
    return int.from_bytes(piece, "big") if len(piece) == WORD else None


def signed_at(answer: bytes, index: int = 0) -> int | None:
    """Return a word of an answer as a number that may be below zero."""
    number = number_at(answer, index)
    return number - 2 * _SIGN if number is not None and number >= _SIGN else number


def address_of(number: int) -> str:
    """Return a number's lowest 20 bytes as an address."""
    return f"0x{number % 2**160:0{_ADDRESS_DIGITS}x}"


def text_of(answer: bytes, *, bytes_max: int) -> str | None:
    """Return what a token calls itself: a string, or 32 bytes filled up with zeros.

    None where it is neither, or longer than `bytes_max`.
    """
    if len(answer) == WORD:
        raw = answer.rstrip(b"\0")
    elif len(answer) >= _DYNAMIC_BYTES_MIN and number_at(answer) == WORD:
        size = number_at(answer, 1) or 0
        raw = answer[_DYNAMIC_BYTES_MIN : _DYNAMIC_BYTES_MIN + min(size, bytes_max + 1)]
        if len(raw) != size:
            return None
    else:
        return None
    if len(raw) > bytes_max:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
