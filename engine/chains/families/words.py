"""Words of 32 bytes, as contracts take and give them.

A log is decoded on the way from a block to a decision: plain slices of its words, which is ten
times faster than a general decoder of interfaces.
"""

from typing import Final

from eth_hash.auto import keccak

from engine.domain.errors import BadValueError

WORD: Final = 32
_WORD_MASK: Final = (1 << 256) - 1
_ADDRESS_BITS: Final = 160


def topic(signature: str) -> bytes:
    """Return the first topic of an event, which is the hash of its signature."""
    return keccak(signature.encode())


def selector(signature: str) -> bytes:
    """Return the first four bytes of a call, by which a contract knows the function."""
    return keccak(signature.encode())[:4]


def call_data(chosen: bytes, *arguments: int) -> bytes:
    """Return what is sent to call a function with numbers; negative ones as two's complement."""
    return chosen + b"".join((one & _WORD_MASK).to_bytes(WORD) for one in arguments)


def check_words(data: bytes, count: int, *, what: str) -> bytes:
    """Return data if it is so many words, not a byte more or less.

    Raises:
        BadValueError: it is not.
    """
    if len(data) != count * WORD:
        raise BadValueError(f"{what} has {len(data)} bytes, not {count} words")
    return data


def check_starts(data: bytes, count: int, *, what: str) -> bytes:
    """Return data if it has so many words at least: forks answer with more of their own behind.

    Raises:
        BadValueError: it has fewer.
    """
    if len(data) < count * WORD:
        raise BadValueError(f"{what} has {len(data)} bytes, not {count} words")
    return data


def unsigned(data: bytes, index: int) -> int:
    """Return a word of checked data as a whole number that is not negative."""
    return int.from_bytes(data[index * WORD : (index + 1) * WORD])


def signed(data: bytes, index: int) -> int:
    """Return a word of checked data as a whole number of two's complement."""
    return int.from_bytes(data[index * WORD : (index + 1) * WORD], signed=True)


def flag(data: bytes, index: int, *, what: str) -> bool:
    """Return a word as yes or no.

    Raises:
        BadValueError: it is neither 1 nor 0.
    """
    value = unsigned(data, index)
    if value > 1:
        raise BadValueError(f"{what} is {value}, neither 0 nor 1")
    return value == 1


def address_at(data: bytes, index: int, *, what: str) -> str:
    """Return a word of checked data as an address, in lower case.

    Raises:
        BadValueError: it has more than 20 bytes.
    """
    value = unsigned(data, index)
    if value >> _ADDRESS_BITS:
        raise BadValueError(f"{what} is no address: {value:#x}")
    return f"0x{value:040x}"
