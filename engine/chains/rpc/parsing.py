"""Hexadecimal text of nodes as numbers, bytes and values; what cannot be true is refused.

Raises BadValueError throughout: whoever asked knows which provider that was.
"""

from functools import lru_cache
from typing import Final

from engine.chains.ports import BlockRef, Json, Log
from engine.domain.errors import BadValueError

QUANTITY_DIGITS_MAX: Final = 64
BLOCK_NUMBER_MAX: Final = 2**40
"""At ten blocks a millisecond it takes three years to get there from none."""

SECOND_MAX: Final = 2**34
"""The year 2514."""

LOG_INDEX_MAX: Final = 2**24
TOPICS_MAX: Final = 4
ADDRESS_BYTES: Final = 20
HASH_BYTES: Final = 32

_PREFIX: Final = "0x"
_ADDRESS_CHARACTERS: Final = len(_PREFIX) + 2 * ADDRESS_BYTES
_HASH_CHARACTERS: Final = len(_PREFIX) + 2 * HASH_BYTES
_SHOWN: Final = 40


def parse_quantity(value: Json, what: str, *, most: int = 2**256 - 1) -> int:
    """Return a number of up to 256 bits.

    Raises:
        BadValueError: it is none, or above `most`.
    """
    number = number_of(value) if isinstance(value, str) else None
    if number is None:
        raise BadValueError(f"{what} is no number in hexadecimal: {_shown(value)}")
    if number > most:
        raise BadValueError(f"{what} is {number}, and at most {most} can be true")
    return number


def parse_bytes(value: Json, what: str, *, length: int | None = None) -> bytes:
    """Return bytes, of exactly this length if one is named.

    Raises:
        BadValueError: they are none, or not so many.
    """
    read = _bytes(value) if isinstance(value, str) else None
    if read is None:
        raise BadValueError(f"{what} is no bytes in hexadecimal: {_shown(value)}")
    if length is not None and len(read) != length:
        raise BadValueError(f"{what} is {len(read)} bytes long, not {length}")
    return read


def parse_hash(value: Json, what: str) -> str:
    """Return 0x and 64 digits in lower case.

    Raises:
        BadValueError: it is something else.
    """
    if isinstance(value, str) and _known_hash(value) is not None:
        return value.lower()
    return hex_bytes(parse_bytes(value, what, length=32))


def parse_address(value: Json, what: str) -> str:
    """Return 0x and 40 digits in lower case.

    Raises:
        BadValueError: it is something else.
    """
    return hex_bytes(parse_bytes(value, what, length=20))


def parse_block(value: Json) -> BlockRef:
    """Return the block of a header, as eth_getBlockBy… and newHeads tell it.

    Raises:
        BadValueError: it cannot be one.
    """
    fields = _fields(value, "a block")
    block = BlockRef(
        number=parse_quantity(fields.get("number"), "a block's number", most=BLOCK_NUMBER_MAX),
        hash=parse_hash(fields.get("hash"), "a block's hash"),
        parent_hash=parse_hash(fields.get("parentHash"), "a block's parent"),
        made_at_s=parse_quantity(fields.get("timestamp"), "a block's time", most=SECOND_MAX),
    )
    if block.hash == block.parent_hash:
        raise BadValueError(f"block {block.number} is its own parent")
    return block


def parse_log(value: Json) -> Log:
    """Return an event that stands in a block.

    Raises:
        BadValueError: it cannot be one, or it was undone by a reorganisation.
    """
    fields = _fields(value, "an event")
    if fields.get("removed") not in (None, False):
        raise BadValueError("an event was undone")
    topics = fields.get("topics")
    if not isinstance(topics, list) or len(topics) > TOPICS_MAX:
        raise BadValueError(f"an event's topics are {_shown(topics)}")
    address, tx_hash, data = _texts(fields)
    return Log(
        address=address,
        topics=tuple([topic_of(topic) for topic in topics]),
        data=data,
        block_number=parse_quantity(
            fields.get("blockNumber"), "an event's block number", most=BLOCK_NUMBER_MAX
        ),
        block_hash=parse_hash(fields.get("blockHash"), "an event's block"),
        tx_hash=tx_hash,
        index=parse_quantity(fields.get("logIndex"), "an event's place", most=LOG_INDEX_MAX),
    )


def _texts(fields: dict[str, Json]) -> tuple[str, str, bytes]:
    """Return an event's contract, transaction and data.

    A block has hundreds of events on their way to a decision: what each has of its own is read in
    one go, and only what is not as it should be is looked at piece by piece.
    """
    address, tx_hash, data = (fields.get(name) for name in ("address", "transactionHash", "data"))
    if (
        isinstance(address, str)
        and isinstance(tx_hash, str)
        and isinstance(data, str)
        and len(address) == _ADDRESS_CHARACTERS
        and len(tx_hash) == _HASH_CHARACTERS
        and address[:2] == tx_hash[:2] == data[:2] == _PREFIX
    ):
        read = _bytes(address + tx_hash[2:] + data[2:])
        if read is not None:
            return address.lower(), tx_hash.lower(), read[ADDRESS_BYTES + HASH_BYTES :]
    return (
        parse_address(address, "an event's contract"),
        parse_hash(tx_hash, "an event's transaction"),
        parse_bytes(data, "an event's data"),
    )


def topic_of(value: Json) -> bytes:
    """Return a topic of an event.

    Raises:
        BadValueError: it is none.
    """
    read = _known_hash(value) if isinstance(value, str) else None
    return parse_bytes(value, "a topic", length=HASH_BYTES) if read is None else read


@lru_cache(maxsize=1_024)
def number_of(text: str) -> int | None:
    """Return a number of up to 256 bits, None if a text is none."""
    # `int` takes signs, blanks, underscores and digits of all scripts as well.
    digits = text[len(_PREFIX) :]
    if len(digits) > QUANTITY_DIGITS_MAX or not (text.startswith(_PREFIX) and digits.isalnum()):
        return None
    try:
        return int(text, 16) if digits.isascii() else None
    except ValueError:
        return None


def hex_number(number: int) -> str:
    """Return a number as nodes take it."""
    return hex(number)


def hex_bytes(value: bytes) -> str:
    """Return bytes as nodes take them."""
    return "0x" + value.hex()


def _bytes(text: str) -> bytes | None:
    if not text.startswith(_PREFIX):
        return None
    try:
        read = bytes.fromhex(text[len(_PREFIX) :])
    except ValueError:
        return None
    # Blanks between bytes are taken as well, and then there are fewer.
    return read if len(text) == len(_PREFIX) + 2 * len(read) else None


@lru_cache(maxsize=1_024)
def _known_hash(text: str) -> bytes | None:
    """Return its bytes if it is one: a block's stands in each of its events, a kind's in many."""
    read = _bytes(text)
    return read if read is not None and len(read) == HASH_BYTES else None


def _fields(value: Json, what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise BadValueError(f"{what} is {_shown(value)}")
    return value


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    return ascii(text[:_SHOWN])
